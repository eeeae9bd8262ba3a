"""SEMANTICS A4, A6, B7: children when their parent is cancelled, fails, times out or ends: close first, by policy."""

from __future__ import annotations

import uuid
from typing import Any, Literal

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused, make, refuse, write
from tests.workflows.improvised import (
    HOUR,
    MINUTE,
    HeldWorkflow,
    ImprovisedWorkflow,
    TimedWorkflow,
    begin,
    improvise,
    later,
    make_later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries, kinds
from workflows import Cancelled, ChildFailed, operations, queries
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

Policy = Literal["cancel", "terminate", "abandon"]


def children(run_id: uuid.UUID) -> list[uuid.UUID]:
    return [child.id for child in reversed(queries.list_runs(parent=run_id))]


async def long(workflow: ImprovisedWorkflow) -> str:
    """Makes something and waits for a word."""
    await workflow.activity(make, label="child")
    await workflow.wait_for(lambda: workflow.heard)
    return workflow.heard[0]


async def cleaning_up(workflow: ImprovisedWorkflow) -> str:
    try:
        await workflow.wait_for(lambda: workflow.heard)
    except Cancelled:
        await workflow.activity(write, label="cleaned up")
        raise
    return "heard"


def calling(policy: Policy = "cancel", body: Any = long) -> Any:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="parent")
        return await workflow.child(ImprovisedWorkflow, improvise(body), on_close=policy)

    return parent


# --- Cancel ----------------------------------------------------------------------------------------------------------


def test_a_cancel_reaches_the_child_which_cleans_up_before_the_parent_undoes(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begin(workflow_env, calling(body=cleaning_up))

    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    (child,) = children(run.id)
    assert (state(child), state(run.id)) == ("cancelled", "cancelled")
    assert effects.count("cleaned up") == 1
    closed, undo = queries.get_run(child).closed_at, queries.get_history(run.id)
    began = next(entry for entry in undo if entry.kind == "CompensationStarted")
    settled = next(entry for entry in undo if entry.kind == "StepFailed" and entry.data["name"] == "improvised.Run")
    assert closed is not None and settled.position < began.position


def test_a_cancelled_child_undoes_its_own(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, calling())

    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    assert effects.count("undo child") == 1 and effects.count("undo parent") == 1


def test_the_cancel_stands_in_the_histories_of_both(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, calling())

    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    (asked,) = entries(run.id, "ChildCloseRequested")
    assert asked["how"] == "cancel"
    (cancel,) = entries(children(run.id)[0], "CancelRequested")
    assert cancel["actor"] == "system" and str(run.id) in str(cancel["reason"])


def test_a_cancel_reaches_every_open_child_of_a_gather(workflow_env: WorkflowEnvironment) -> None:
    async def gathering(workflow: ImprovisedWorkflow) -> Any:
        members = [workflow.child(ImprovisedWorkflow, improvise(long)) for _ in range(3)]
        return await workflow.gather(*members)

    run = begin(workflow_env, gathering)
    operations.signal_run(children(run.id)[0], "say", "done")
    workflow_env.skip(NOW)

    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    assert sorted(state(child) for child in children(run.id)) == ["cancelled", "cancelled", "compensated"]
    assert state(run.id) == "cancelled"


def test_a_cancel_reaches_grandchildren(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, calling(body=calling()))

    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    (child,) = children(run.id)
    (grandchild,) = children(child)
    assert [state(one) for one in (run.id, child, grandchild)] == ["cancelled"] * 3


def test_clean_up_of_the_parent_may_await_the_cancelled_child(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start_child(ImprovisedWorkflow, improvise(long))
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            try:
                await handle
            except ChildFailed as failure:
                return failure.code

    run = begin(workflow_env, parent)
    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "cancelled"


def test_a_child_in_doubt_or_held_is_waited_for(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(HeldWorkflow, improvise(stubborn))

    async def stubborn(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(later, label="slow")

    run = begin(workflow_env, parent)
    operations.pause_run(children(run.id)[0], reason="wait")
    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    assert state(run.id) == "waiting"  # its step is out: the child closes once that has settled
    settle("slow")
    workflow_env.skip(NOW)
    assert (state(children(run.id)[0]), state(run.id)) == ("cancelled", "cancelled")


def test_a_cancel_calls_off_a_child_that_was_asked_for_and_not_started(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.wait_for(lambda: workflow.heard)
        handle = workflow.start_child(ImprovisedWorkflow, improvise(long))
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            try:
                await handle
            except ChildFailed as failure:
                workflow.track("met", failure.code)
            raise

    run = begin(workflow_env, parent)
    operations.pause_run(run.id, reason="so that both wait")
    operations.signal_run(run.id, "say", "go")
    workflow_env.skip(MINUTE)
    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert children(run.id) == []
    assert [data["data"] for data in entries(run.id, "Tracked")] == ["cancelled"]


def test_a_cancel_before_the_child_was_driven_ends_it_at_once(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(ImprovisedWorkflow, improvise(calling()))
    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled" and children(run.id) == []


# --- A sibling fails -------------------------------------------------------------------------------------------------


def test_children_that_have_started_are_awaited_when_a_sibling_fails_and_undone(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def gathering(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(
            workflow.child(ImprovisedWorkflow, improvise(long)), workflow.activity(refuse, label="sibling")
        )

    run = begin(workflow_env, gathering)
    (child,) = children(run.id)
    assert (state(child), state(run.id)) == ("waiting", "waiting")

    operations.signal_run(child, "say", "done")
    workflow_env.skip(NOW)

    assert (state(child), state(run.id)) == ("compensated", "compensated")
    assert effects.count("undo child") == 1
    assert queries.get_run(run.id).error["code"] == "cast_refused"  # type: ignore[index]


def test_twenty_children_three_of_which_fail(workflow_env: WorkflowEnvironment) -> None:
    async def failing(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="failing")
        raise CastRefused("one of three")

    async def short(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.activity(make, label="short")

    async def gathering(workflow: ImprovisedWorkflow) -> Any:
        bodies = [failing if number in (3, 9, 17) else short for number in range(20)]
        await workflow.gather(*[workflow.child(ImprovisedWorkflow, improvise(body)) for body in bodies])

    run = begin(workflow_env, gathering)

    assert state(run.id) == "compensated"
    assert [state(child) for child in children(run.id)] == ["compensated"] * 20
    assert (effects.count("undo short"), effects.count("undo failing")) == (17, 3)
    assert kinds(run.id).count("RunCompensated") == 1


# --- The parent ends first -------------------------------------------------------------------------------------------


def leaving(policy: Policy, *, error: bool = False) -> Any:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="parent")
        workflow.start_child(ImprovisedWorkflow, improvise(long), on_close=policy)
        await workflow.sleep(HOUR)
        if error:
            raise CastRefused("the parent gives up")
        return "ended"

    return parent


@pytest.mark.parametrize("error", [False, True])
def test_a_child_left_open_is_cancelled_first(workflow_env: WorkflowEnvironment, error: bool) -> None:
    run = begin(workflow_env, leaving("cancel", error=error))
    workflow_env.skip(HOUR)

    (child,) = children(run.id)
    assert (state(child), state(run.id)) == ("cancelled", "compensated" if error else "completed")
    assert effects.count("undo child") == 1


def test_a_child_left_open_is_terminated_first_and_undoes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, leaving("terminate"))
    workflow_env.skip(HOUR)

    (child,) = children(run.id)
    assert (state(child), state(run.id)) == ("terminated", "completed")
    assert effects.count("undo child") == 0
    (end,) = entries(child, "RunTerminated")
    assert [step["name"] for step in end["open_steps"]] == ["wait_for"]  # type: ignore[index]
    assert end["left_to_undo"] == ["cast.undo_write"]


@pytest.mark.parametrize("error", [False, True])
def test_an_abandoned_child_goes_on_by_itself(workflow_env: WorkflowEnvironment, error: bool) -> None:
    run = begin(workflow_env, leaving("abandon", error=error))
    workflow_env.skip(HOUR)

    (child,) = children(run.id)
    assert (state(child), state(run.id)) == ("waiting", "compensated" if error else "completed")
    operations.signal_run(child, "say", "alone")
    workflow_env.skip(NOW)
    assert queries.get_run(child).result == "alone"


@pytest.mark.parametrize(("word", "end"), [("done", "completed"), ("", "failed")])
def test_a_child_that_had_ended_when_it_was_abandoned_keeps_its_end(
    workflow_env: WorkflowEnvironment, word: str, end: str
) -> None:
    async def hearing(workflow: ImprovisedWorkflow) -> str:
        await workflow.wait_for(lambda: workflow.heard)
        return workflow.heard[0] or await workflow.activity(refuse, label="child")

    async def parent(workflow: ImprovisedWorkflow) -> str:
        workflow.start_child(ImprovisedWorkflow, improvise(hearing), on_close="abandon")
        await workflow.wait_for(lambda: workflow.heard)
        return "over"

    run = begin(workflow_env, parent)
    (child,) = children(run.id)
    operations.pause_run(run.id, reason="so that both wait")
    operations.signal_run(run.id, "say", "go")
    workflow_env.skip(MINUTE)
    operations.signal_run(child, "say", word)
    workflow_env.skip(NOW)
    operations.resume_run(run.id, reason="go on")
    workflow_env.skip(NOW)

    assert (state(run.id), state(child)) == ("completed", end)
    assert [step.status for step in queries.list_steps(run.id) if step.kind == "child"] == [end]
    if end == "failed":
        operations.retry_run(child, reason="its parent left it to itself")


def test_an_abandoned_child_is_not_reached_by_a_cancel(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, leaving("abandon"))

    operations.cancel_run(run.id, reason="called off")
    workflow_env.skip(NOW)

    assert (state(children(run.id)[0]), state(run.id)) == ("waiting", "cancelled")


def test_an_abandoned_child_that_fails_may_be_retried_alone(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        workflow.start_child(ImprovisedWorkflow, improvise(opening), on_close="abandon")
        await workflow.sleep(HOUR)

    async def opening(workflow: ImprovisedWorkflow) -> str:
        return await workflow.activity(later, label="abandoned")

    run = begin(workflow_env, parent)
    workflow_env.skip(HOUR)
    (child,) = children(run.id)
    refuse_later("abandoned")
    workflow_env.skip(NOW)
    assert state(child) == "failed"

    operations.retry_run(child, reason="again")
    workflow_env.skip(NOW)
    settle("abandoned")
    workflow_env.skip(NOW)
    assert state(child) == "completed"


def test_the_time_out_of_a_parent_closes_its_children_first(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, calling(), TimedWorkflow)
    workflow_env.skip(HOUR)

    (child,) = children(run.id)
    assert (state(child), state(run.id)) == ("cancelled", "timed_out")


# --- Terminated with work in hand -----------------------------------------------------------------------------------


def test_a_terminated_child_with_a_step_out_can_still_be_undone(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        workflow.start_child(ImprovisedWorkflow, improvise(busy), on_close="terminate")
        await workflow.sleep(HOUR)

    async def busy(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.activity(make_later, label="busy")

    run = begin(workflow_env, parent)
    workflow_env.skip(HOUR)
    (child,) = children(run.id)
    assert state(child) == "terminated"

    operations.compensate_run(child, reason="it may have happened")
    workflow_env.skip(NOW)

    assert state(child) == "compensated" and effects.count("undo busy") == 1


def test_a_terminated_child_takes_its_own_children_along_by_their_policy(workflow_env: WorkflowEnvironment) -> None:
    async def middle(workflow: ImprovisedWorkflow) -> Any:
        workflow.start_child(ImprovisedWorkflow, improvise(long), on_close="abandon")
        workflow.start_child(ImprovisedWorkflow, improvise(long), on_close="terminate")
        return await workflow.child(ImprovisedWorkflow, improvise(long))

    async def parent(workflow: ImprovisedWorkflow) -> Any:
        workflow.start_child(ImprovisedWorkflow, improvise(middle), on_close="terminate")
        await workflow.sleep(HOUR)

    run = begin(workflow_env, parent)
    workflow_env.skip(HOUR)
    (child,) = children(run.id)

    assert sorted(state(one) for one in children(child)) == ["cancelled", "terminated", "waiting"]

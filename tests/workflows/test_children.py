"""SEMANTICS A6, issue 10.1: a workflow as a step of another; its result, its failure, its id, its own time."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

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
    settle,
    state,
)
from tests.workflows.views import entries, undone
from workflows import ChildFailed, Retry, Workflow, WorkflowFailed, activity, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import NonRetryable, PayloadError, RetryRefused
from workflows.runtime import telling
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


def only_child(run_id: uuid.UUID) -> WorkflowRun:
    (child,) = queries.list_runs(parent=run_id)
    return child


class DoublingWorkflow(Workflow[int]):
    """Doubles a number."""

    name = "children.Doubling"

    async def execute(self, number: int) -> int:
        await self.activity(write, label=f"doubling {number}")
        return number * 2


@activity(name="children.never_asked")
def never_asked(*, number: int) -> None:
    effects.write("asked")
    raise NonRetryable("a start check said no")


class CheckedWorkflow(Workflow[int]):
    """Has a start check that refuses everything."""

    name = "children.Checked"
    start_checks = (never_asked,)

    async def execute(self, number: int) -> int:
        return number


async def doubling(workflow: ImprovisedWorkflow) -> Any:
    return await workflow.child(DoublingWorkflow, 21)


async def making(workflow: ImprovisedWorkflow) -> str:
    return await workflow.activity(make, label="child")


async def refusing(workflow: ImprovisedWorkflow) -> Any:
    return await workflow.activity(refuse, label="child")


async def opening(workflow: ImprovisedWorkflow) -> str:
    return await workflow.activity(later, label="child")


async def waiting_for_a_word(workflow: ImprovisedWorkflow) -> str:
    heard = await workflow.wait_for(lambda: workflow.heard, timeout=HOUR)
    return workflow.heard[0] if heard else "nothing heard"


# --- What comes back -------------------------------------------------------------------------------------------------


def test_a_child_gives_its_result_as_its_own_type(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(ImprovisedWorkflow, improvise(doubling)) == 42


def test_a_child_is_a_run_of_its_own_that_knows_its_parent(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, doubling)

    child = only_child(run.id)
    (step,) = [step for step in queries.list_steps(run.id) if step.kind == "child"]
    assert (child.workflow, child.status, child.parent_id, child.parent_seq) == (
        "children.Doubling", "completed", run.id, step.seq,
    )  # fmt: skip
    assert step.child_id == child.id and step.name == "children.Doubling"
    assert not step.awaits_token


def test_the_failure_of_a_child_reaches_the_code_with_its_type_code_and_cause(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def catching(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(ImprovisedWorkflow, improvise(refusing))
        except ChildFailed as failure:
            cause = failure.__cause__
            return [failure.workflow, failure.type, failure.code, failure.attempts, str(failure), str(cause)]

    told = workflow_env.run(ImprovisedWorkflow, improvise(catching))

    assert told[:4] == ["improvised.Run", "ActivityFailed", "cast_refused", 1]
    assert "no to child" in told[4] and "no to child" in told[5]


def test_an_uncaught_failure_of_a_child_fails_the_parent_and_undoes_what_it_did(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def making_first(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="first")
        await workflow.child(ImprovisedWorkflow, improvise(refusing))

    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.run(ImprovisedWorkflow, improvise(making_first))

    assert (failed.value.status, failed.value.code) == ("compensated", "cast_refused")
    assert effects.count("undo first") == 1


def test_a_child_that_timed_out_by_itself_tells_so(workflow_env: WorkflowEnvironment) -> None:
    async def calling(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(TimedWorkflow, improvise(opening))
        except ChildFailed as failure:
            return failure.code

    run = begin(workflow_env, calling)
    workflow_env.skip(HOUR)
    settle("child")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "run_timed_out"


def test_a_child_cancelled_by_an_operator_tells_so(workflow_env: WorkflowEnvironment) -> None:
    async def calling(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(ImprovisedWorkflow, improvise(waiting_for_a_word))
        except ChildFailed as failure:
            return failure.code

    run = begin(workflow_env, calling)
    operations.cancel_run(only_child(run.id).id, reason="not needed")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "cancelled"


def test_a_child_that_is_held_keeps_its_parent_waiting_until_somebody_decides(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def mending(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(HeldWorkflow, improvise(refusing))

    run = begin(workflow_env, mending)
    child = only_child(run.id)
    assert (state(child.id), state(run.id)) == ("held (failure)", "waiting")

    operations.cancel_run(child.id, reason="cannot be mended")
    workflow_env.skip(NOW)

    assert state(run.id) == "failed"


def test_a_bad_input_raises_where_the_child_is_asked_for(workflow_env: WorkflowEnvironment) -> None:
    async def wrong(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(DoublingWorkflow, "not a number")
        except PayloadError:
            return "refused"

    run = begin(workflow_env, wrong)

    assert queries.get_run(run.id).result == "refused"
    assert queries.list_runs(parent=run.id) == []


@pytest.mark.parametrize("options", [{"on_close": "forget"}, {"compensate": "yes"}])
def test_options_that_make_no_sense_raise(workflow_env: WorkflowEnvironment, options: dict[str, Any]) -> None:
    async def wrong(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(DoublingWorkflow, 1, **options)
        except (TypeError, ValueError) as error:
            return type(error).__name__

    assert workflow_env.run(ImprovisedWorkflow, improvise(wrong)) in ("TypeError", "ValueError")


def test_what_is_no_workflow_is_refused(workflow_env: WorkflowEnvironment) -> None:
    async def wrong(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(dict)  # type: ignore[type-var]
        except TypeError:
            return "refused"

    assert workflow_env.run(ImprovisedWorkflow, improvise(wrong)) == "refused"


def test_start_checks_are_not_asked_for_a_child(workflow_env: WorkflowEnvironment) -> None:
    async def unchecked(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(CheckedWorkflow, 7)

    assert workflow_env.run(ImprovisedWorkflow, improvise(unchecked)) == 7
    assert effects.count("asked") == 0


# --- Started now, awaited later --------------------------------------------------------------------------------------


def test_a_started_child_runs_before_it_is_awaited(workflow_env: WorkflowEnvironment) -> None:
    async def starting(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start_child(DoublingWorkflow, 5)
        await workflow.sleep(HOUR)
        return await handle

    run = begin(workflow_env, starting)
    assert only_child(run.id).status == "completed"

    workflow_env.skip(HOUR)
    assert queries.get_run(run.id).result == 10


def test_children_are_gathered_beside_activities_in_the_order_given(workflow_env: WorkflowEnvironment) -> None:
    async def gathering(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(
            workflow.child(DoublingWorkflow, 1),
            workflow.activity(write, label="beside"),
            workflow.child(DoublingWorkflow, 2),
        )

    assert workflow_env.run(ImprovisedWorkflow, improvise(gathering)) == [2, "wrote beside", 4]


def test_max_parallel_holds_children_back(workflow_env: WorkflowEnvironment) -> None:
    async def throttled(workflow: ImprovisedWorkflow) -> Any:
        members = [workflow.child(ImprovisedWorkflow, improvise(waiting_for_a_word)) for _ in range(3)]
        return await workflow.gather(*members, max_parallel=2)

    run = begin(workflow_env, throttled)

    assert len(queries.list_runs(parent=run.id)) == 2


def test_a_timer_and_a_signal_of_a_child_reach_the_child_once_while_its_parent_waits(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(
            workflow.child(ImprovisedWorkflow, improvise(waiting_for_a_word)),
            workflow.child(TimedWorkflow, improvise(sleeping)),
        )

    async def sleeping(workflow: ImprovisedWorkflow) -> str:
        await workflow.sleep(timedelta(minutes=10))
        return "slept"

    run = begin(workflow_env, parent)
    listening = next(child for child in queries.list_runs(parent=run.id) if child.workflow == "improvised.Run")
    operations.signal_run(listening.id, "say", "hello")
    workflow_env.skip(timedelta(minutes=10))

    assert queries.get_run(run.id).result == ["hello", "slept"]
    assert len(entries(listening.id, "SignalReceived")) == 1
    assert entries(run.id, "SignalReceived") == []


def test_grandchildren_answer_through_their_parents(workflow_env: WorkflowEnvironment) -> None:
    async def middle(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(DoublingWorkflow, 4)

    async def top(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(ImprovisedWorkflow, improvise(middle))

    assert workflow_env.run(ImprovisedWorkflow, improvise(top)) == 8


# --- Retry across the boundary ---------------------------------------------------------------------------------------


async def calling_held(workflow: ImprovisedWorkflow) -> Any:
    return await workflow.child(ImprovisedWorkflow, improvise(unsteady))


@activity(name="children.try_again", retry=Retry(max_attempts=1))
def try_again() -> str:
    if not effects.count("mended"):
        raise CastRefused("not yet")
    return "worked"


async def unsteady(workflow: ImprovisedWorkflow) -> str:
    return await workflow.activity(try_again)


def test_a_retry_of_the_parent_starts_a_new_child(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, calling_held, HeldWorkflow)
    assert state(run.id) == "held (failure)"
    effects.write("mended")

    operations.retry_run(run.id, reason="mended")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "worked"
    assert sorted(child.status for child in queries.list_runs(parent=run.id)) == ["completed", "failed"]


def test_a_child_whose_failure_its_parent_has_met_is_not_retried_alone(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, calling_held, HeldWorkflow)

    with pytest.raises(RetryRefused, match="retry the parent"):
        operations.retry_run(only_child(run.id).id, reason="alone")


def test_a_child_is_retried_with_edited_input_through_its_parent(workflow_env: WorkflowEnvironment) -> None:
    async def wrong_code(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(ImprovisedWorkflow, improvise(refusing))

    run = begin(workflow_env, wrong_code, HeldWorkflow)

    operations.retry_run(run.id, reason="the other code", input={"code": improvise(making)})
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "made child"


# --- Told once, whatever dies ----------------------------------------------------------------------------------------


def test_an_end_that_was_left_untold_is_told_by_the_sweep(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "tell_untold", lambda: 0)
    run = begin(workflow_env, doubling)
    child = only_child(run.id)
    assert (child.status, state(run.id)) == ("completed", "waiting")
    monkeypatch.undo()

    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == 42


def test_an_end_that_is_told_late_still_beats_a_timer_that_was_due_after_it(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def short(workflow: ImprovisedWorkflow) -> str:
        await workflow.sleep(MINUTE)
        return "in time"

    async def racing(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.first_of(
            workflow.child(ImprovisedWorkflow, improvise(short)), workflow.sleep(30 * MINUTE)
        )

    run = begin(workflow_env, racing)
    with monkeypatch.context() as nobody_tells:
        nobody_tells.setattr(telling, "tell", lambda run_id: False)
        workflow_env.skip(MINUTE)
    assert only_child(run.id).status == "completed"

    workflow_env.now += HOUR  # nobody was there
    telling.tell_untold()
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "in time"


def test_an_end_is_told_once(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, doubling)

    assert not telling.tell(only_child(run.id).id)
    assert len(entries(run.id, "StepCompleted")) == 1


def test_a_restart_between_start_and_end_of_a_child_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    async def calling(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(ImprovisedWorkflow, improvise(opening))

    run = begin(workflow_env, calling)
    workflow_env.restart()
    settle("child")
    workflow_env.restart()
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "did child"
    assert len(queries.list_runs(parent=run.id)) == 1


def test_a_compensated_child_undid_its_own(workflow_env: WorkflowEnvironment) -> None:
    async def making_and_refusing(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="inner")
        raise CastRefused("after all")

    async def calling(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(ImprovisedWorkflow, improvise(making_and_refusing))
        except ChildFailed as failure:
            return failure.code

    run = begin(workflow_env, calling)

    assert queries.get_run(run.id).result == "cast_refused"
    assert only_child(run.id).status == "compensated"
    assert undone(run.id) == []

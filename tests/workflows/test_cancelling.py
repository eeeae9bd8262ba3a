"""SEMANTICS A4, A5, B10: an operator's cancel at each kind of await, once, with clean-up, then the plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, act_on_own_run, disturb, make, refuse, undo_write, write
from tests.workflows.improvised import (
    HOUR,
    ImprovisedWorkflow,
    LeavingWorkflow,
    begin,
    later,
    make_later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries, kinds, step_statuses, undone
from workflows import Cancelled, operations, queries
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


async def one_step(workflow: ImprovisedWorkflow) -> None:
    await workflow.activity(later, label="x")


#: What a run may await when the cancel comes.
AWAITS: dict[str, Callable[[ImprovisedWorkflow], Any]] = {
    "a step that runs": lambda workflow: workflow.activity(later, label="x"),
    "a step in its back-off": lambda workflow: workflow.activity(disturb, label="x"),
    "a timer": lambda workflow: workflow.sleep(HOUR),
    "a wait": lambda workflow: workflow.wait_for(lambda: False),
    "a wait with a time": lambda workflow: workflow.wait_for(lambda: False, timeout=HOUR),
    "a gather": lambda workflow: workflow.gather(workflow.activity(later, label="x"), workflow.sleep(HOUR)),
    "a gather of branches": lambda workflow: workflow.gather(one_step(workflow), workflow.sleep(HOUR)),
    "a race": lambda workflow: workflow.first_of(one_step(workflow), workflow.sleep(HOUR)),
}


def awaiting(what: str, *, met: list[str]) -> Any:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.activity(make, label="before")
        try:
            await AWAITS[what](workflow)
        except (Exception, Cancelled) as raised:
            met.append(type(raised).__name__)
            await workflow.activity(write, label="tidied")
            raise
        return "went on"

    return body


@pytest.mark.parametrize("what", AWAITS)
def test_it_is_raised_once_then_clean_up_runs_then_the_plan(workflow_env: WorkflowEnvironment, what: str) -> None:
    met: list[str] = []
    run = begin(workflow_env, awaiting(what, met=met))

    operations.cancel_run(run.id, actor="ada", reason="no need")
    workflow_env.skip(NOW)
    if "x" in _open_labels(run.id):
        assert state(run.id) != "cancelled"
        settle("x")
        workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.requested) == ("cancelled", None)
    assert after.error is not None
    assert after.error["code"] == "cancelled"
    assert met == ["Cancelled"]
    assert effects.count("tidied") == effects.count("undo before") == 1
    told = kinds(run.id)
    assert told.index("CancelRequested") < told.index("PlanStarted") < told.index("RunCancelled")


def _open_labels(run_id: Any) -> list[str]:
    return [step.arguments.get("label", "") for step in queries.list_steps(run_id) if step.status == "running"]


@pytest.mark.parametrize("what", AWAITS)
def test_it_is_raised_in_another_process_too(workflow_env: WorkflowEnvironment, what: str) -> None:
    met: list[str] = []
    run = begin(workflow_env, awaiting(what, met=met))
    operations.cancel_run(run.id, reason="no need")
    workflow_env.restart()
    workflow_env.skip(NOW)
    workflow_env.restart()
    if "x" in _open_labels(run.id):
        settle("x")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert effects.count("tidied") == effects.count("undo before") == 1


def test_a_step_that_runs_is_awaited_before_the_plan_and_undone_first(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")
        await workflow.activity(make_later, label="b")

    run = begin(workflow_env, body)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(HOUR)
    assert state(run.id) == "waiting"
    assert effects.count("undo a") == 0
    settle("b")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert undone(run.id) == ["b", "a"]


def test_returning_normally_after_it_is_completed_and_nothing_is_undone(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.activity(make, label="a")
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            return "finished early"
        return "finished"

    run = begin(workflow_env, body)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.result, after.error) == ("completed", "finished early", None)
    assert effects.labels() == ["a"]


def test_clean_up_that_fails_is_a_failure(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")
        try:
            await workflow.sleep(HOUR)
        finally:
            await workflow.activity(refuse, label="tidy")

    run = begin(workflow_env, body)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["a"]


def test_clean_up_may_sleep_gather_and_wait(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            await workflow.sleep(timedelta(minutes=1))
            done = await workflow.gather(*(workflow.activity(write, label=label) for label in "ab"))
            await workflow.wait_for(lambda: workflow.heard)
            return done

    run = begin(workflow_env, body)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(timedelta(minutes=1))
    assert state(run.id) == "waiting"
    operations.signal_run(run.id, "say", "go")

    assert workflow_env.finish(run.id) == ["wrote a", "wrote b"]


def test_a_second_cancel_disturbs_no_clean_up_and_is_told_as_too_late(workflow_env: WorkflowEnvironment) -> None:
    met: list[str] = []

    async def body(workflow: ImprovisedWorkflow) -> None:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            try:
                await workflow.activity(later, label="tidy")
            except Cancelled:
                met.append("disturbed")
            raise

    run = begin(workflow_env, body)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(NOW)
    operations.cancel_run(run.id, reason="hurry")
    workflow_env.skip(NOW)
    settle("tidy")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert met == []
    assert len(entries(run.id, "CancelRequested")) == 2
    assert too_late(run.id) == [False, True]


def too_late(run_id: Any) -> list[bool]:
    """Of each cancel whether its history says that it came too late."""
    deliveries = {data["of"]: bool(data.get("too_late")) for data in entries(run_id, "FactDelivered")}
    told = [entry for entry in queries.get_history(run_id) if entry.kind == "CancelRequested"]
    return [bool(entry.data.get("too_late")) or deliveries.get(entry.position, False) for entry in told]


def test_a_cancel_that_meets_no_further_await_is_recorded_as_too_late(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        workflow.start(make_later, label="a")
        await workflow.activity(later, label="b")
        return "done"

    run = begin(workflow_env, body)
    settle("b")
    workflow_env.skip(NOW)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(NOW)
    settle("a")
    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.result) == ("completed", "done")
    assert too_late(run.id) == [True]
    assert effects.count("undo a") == 0


def test_a_cancel_left_while_the_step_runs_is_raised_at_the_next_await(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")
        await workflow.activity(act_on_own_run, label="cancel")
        await workflow.activity(write, label="never")

    run = begin(workflow_env, body)

    assert state(run.id) == "cancelled"
    assert effects.labels() == ["a", "asked cancel", "undo a", f"undone key {run.id}:1"]


def test_on_cancel_leave_leaves_what_was_done(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")
        await workflow.sleep(HOUR / 2)

    run = begin(workflow_env, body, LeavingWorkflow)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert effects.labels() == ["a"]


def test_a_step_that_failed_when_the_cancel_had_been_raised_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        workflow.add_compensation(undo_write, label="hand")
        await workflow.activity(later, label="a")

    run = begin(workflow_env, body)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert undone(run.id) == ["hand"]
    assert step_statuses(run.id)[0] == ("improvised.later", "failed")


def test_handlers_meet_the_cancel_when_the_code_ends(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep(HOUR)

    run = begin(workflow_env, body)
    operations.signal_run(run.id, "have_made", "a")
    workflow_env.skip(NOW)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(NOW)
    assert state(run.id) == "waiting"
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"

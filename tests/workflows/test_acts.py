"""SEMANTICS B9: who writes an act on a run, and what cancel, pause and resume do in each state."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import (
    NOW,
    CastFailsWorkflow,
    CastHoldsWorkflow,
    CastLeavesWorkflow,
    CastWorkflow,
    disturb,
    undo_write,
    write,
)
from tests.workflows.faulting import break_off, die, expire, take_over
from tests.workflows.views import entries, kinds, sound, undone
from workflows import Cancelled, Retry, Workflow, activity, activity_info, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import NotAllowedInState, NotFound
from workflows.testing import WorkflowEnvironment

WEEK = timedelta(days=7)

#: What operations gave to those who acted while the run was driven.
ANSWERS: list[WorkflowRun] = []


@activity(name="acts.act_now", undo=undo_write, retry=Retry(max_attempts=1))
def act_now(*, label: str, act: str) -> str:
    """An operator acts, in the instant that this step runs: the run has a living driver."""
    run_id = activity_info().run_id
    assert run_id is not None
    for word in act.split("+"):
        ANSWERS.append(getattr(operations, f"{word}_run")(run_id, actor="ada", reason=f"{word} while it runs"))
    return act


class ActedOnWorkflow(Workflow[str]):
    """Three steps; an operator acts during the second."""

    async def execute(self, act: str) -> str:
        await self.activity(write, label="before")
        await self.activity(act_now, label="meanwhile", act=act)
        await self.activity(write, label="after")
        return "done"


class TidyingWorkflow(Workflow[str]):
    """Tidies up when it is cancelled, then returns normally or lets it through."""

    async def execute(self, let_through: bool) -> str:
        try:
            await self.activity(disturb, label="disturbed")
        except Cancelled:
            await self.activity(write, label="tidied up")
            if let_through:
                raise
            return "tidied"
        return "undisturbed"


@pytest.fixture(autouse=True)
def _no_answers_yet() -> None:
    ANSWERS.clear()


def drive(env: WorkflowEnvironment, workflow: type[Workflow[Any]], *args: object) -> uuid.UUID:
    """Start a run and drive it as far as it goes now."""
    run = env.start(workflow, *args)
    env.skip(NOW)
    return run.id


def backing_off(env: WorkflowEnvironment, *script: str) -> uuid.UUID:
    """A run that waits for the next attempt of a disturbed step."""
    run_id = drive(env, CastWorkflow, [*script, "disturb:d"])
    assert queries.get_run(run_id).status == "waiting"
    return run_id


# --- Cancel ----------------------------------------------------------------------------------------------------------


def test_b9_a_run_never_driven_is_cancelled_at_once(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])

    cancelled = operations.cancel_run(run.id, actor="ada", reason="a mistake")

    assert (cancelled.status, cancelled.requested, cancelled.wake_at) == ("cancelled", None, None)
    assert cancelled.closed_at == workflow_env.now
    assert kinds(run.id) == ["RunStarted", "CancelRequested", "RunCancelled"]
    workflow_env.skip(NOW)
    assert effects.labels() == []
    sound(run.id)


def test_b9_a_waiting_run_has_the_act_written_by_the_operation_and_is_due_at_once(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = backing_off(workflow_env, "make:a")

    answer = operations.cancel_run(run_id, actor="ada", reason="changed their mind")

    assert answer.requested is None
    assert answer.wake_at == workflow_env.now
    assert entries(run_id, "CancelRequested") == [{"actor": "ada", "reason": "changed their mind"}]
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).status == "cancelled"
    assert undone(run_id) == ["a"]
    assert effects.count("tried d") == 1
    sound(run_id)


def test_b9_a_driven_run_shows_the_request_until_its_driver_delivers_it(workflow_env: WorkflowEnvironment) -> None:
    run_id = drive(workflow_env, ActedOnWorkflow, "cancel")

    (answer,) = ANSWERS
    assert (answer.status, answer.requested) == ("running", "cancel")
    after = queries.get_run(run_id)
    assert (after.status, after.requested) == ("cancelled", None)
    assert effects.count("after") == 0
    assert undone(run_id) == ["meanwhile"]
    (told,) = entries(run_id, "CancelRequested")
    assert (told["actor"], told["reason"]) == ("ada", "cancel while it runs")
    sound(run_id)


def test_b9_a_request_made_twice_is_left_once(workflow_env: WorkflowEnvironment) -> None:
    run_id = drive(workflow_env, ActedOnWorkflow, "cancel+cancel")

    assert len(entries(run_id, "CancelRequested")) == 1
    assert [entry.act for entry in queries.list_audit(run_id=run_id)] == ["cancel", "cancel", "start"]


def test_b9_a_run_whose_driver_is_dead_is_taken_by_the_operation(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a", "write:b"])
    die(workflow_env, run.id, "attempt.before@cast.write")

    answer = operations.cancel_run(run.id, reason="its worker died")
    assert answer.requested is None
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "cancelled"
    assert undone(run.id) == ["a"]
    sound(run.id)


def test_b9_a_driver_that_was_dead_only_to_the_operation_writes_nothing_more(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a", "write:b"])
    driver = break_off(run.id, "attempt.before@cast.write")
    expire(driver)

    operations.pause_run(run.id, reason="look")

    assert take_over(workflow_env) == []
    assert queries.get_run(run.id).status == "held"
    sound(run.id)


def test_clean_up_may_run_steps_and_a_normal_return_is_completed(workflow_env: WorkflowEnvironment) -> None:
    run_id = drive(workflow_env, TidyingWorkflow, False)

    operations.cancel_run(run_id, reason="stop")
    workflow_env.skip(NOW)

    after = queries.get_run(run_id)
    assert (after.status, after.result, after.error) == ("completed", "tidied", None)
    assert effects.count("tidied up") == 1
    sound(run_id)


def test_a_cancel_that_is_let_through_after_clean_up_is_cancelled(workflow_env: WorkflowEnvironment) -> None:
    run_id = drive(workflow_env, TidyingWorkflow, True)

    operations.cancel_run(run_id, reason="stop")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).status == "cancelled"
    assert effects.count("tidied up") == 1


def test_a5_on_cancel_leave_leaves_what_was_done(workflow_env: WorkflowEnvironment) -> None:
    run_id = drive(workflow_env, CastLeavesWorkflow, ["make:a", "disturb:d"])

    operations.cancel_run(run_id, reason="stop")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).status == "cancelled"
    assert effects.count("undo a") == 0
    assert [item.status for item in queries.get_compensation_plan(run_id)] == ["planned"]


@pytest.mark.parametrize(("workflow", "undos"), [(CastHoldsWorkflow, ["a"]), (CastLeavesWorkflow, [])])
def test_a5_cancel_of_a_run_held_as_failure_raises_nothing_and_runs_the_plan(
    workflow_env: WorkflowEnvironment, workflow: type[Workflow[Any]], undos: list[str]
) -> None:
    run_id = drive(workflow_env, workflow, ["make:a", "refuse:b"])
    assert queries.get_run(run_id).hold_reason == "failure"

    operations.cancel_run(run_id, reason="give it up")
    workflow_env.skip(NOW)

    after = queries.get_run(run_id)
    assert (after.status, after.hold_reason) == ("cancelled", None)
    assert undone(run_id) == undos
    sound(run_id)


# --- Pause and resume ------------------------------------------------------------------------------------------------


def test_b9_pause_holds_after_the_step_in_hand_and_resume_delivers_it(workflow_env: WorkflowEnvironment) -> None:
    run_id = drive(workflow_env, ActedOnWorkflow, "pause")

    (answer,) = ANSWERS
    assert (answer.status, answer.requested) == ("running", "pause")
    held = queries.get_run(run_id)
    assert (held.status, held.hold_reason, held.requested) == ("held", "paused", None)
    assert [step.status for step in queries.list_steps(run_id)] == ["completed", "completed"]
    assert effects.count("after") == 0
    sound(run_id)

    operations.resume_run(run_id, reason="looked")
    assert queries.get_run(run_id).status == "pending"
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).status == "completed"
    assert len(entries(run_id, "StepCompleted")) == 3
    sound(run_id)


def test_b9_a_paused_run_takes_no_due_time_and_resume_takes_it_up(workflow_env: WorkflowEnvironment) -> None:
    run_id = backing_off(workflow_env)
    operations.pause_run(run_id, actor="ada", reason="look")
    (held,) = entries(run_id, "RunHeld")
    assert (held["reason"], held["actor"]) == ("paused", "ada")

    workflow_env.skip(WEEK)
    assert effects.count("tried d") == 1

    operations.resume_run(run_id, reason="looked")
    workflow_env.finish(run_id)
    assert queries.get_run(run_id).status == "completed"
    assert effects.count("tried d") == 3
    sound(run_id)


def test_a_pause_that_is_resumed_at_once_still_waits_for_the_retry(workflow_env: WorkflowEnvironment) -> None:
    run_id = backing_off(workflow_env)
    due = queries.list_steps(run_id)[0].due_at

    operations.pause_run(run_id, reason="look")
    operations.resume_run(run_id, reason="looked")
    workflow_env.skip(NOW)

    assert effects.count("tried d") == 1
    assert queries.get_run(run_id).wake_at == due


def test_a_pending_run_can_be_paused_and_resumed(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])

    assert operations.pause_run(run.id, reason="look").status == "held"
    workflow_env.skip(NOW)
    assert effects.labels() == []

    operations.resume_run(run.id, reason="looked")
    assert workflow_env.finish(run.id) == ["wrote a"]
    sound(run.id)


def test_a_delayed_start_that_is_paused_and_resumed_is_not_due_any_sooner(workflow_env: WorkflowEnvironment) -> None:
    run = operations.start_run(CastWorkflow, ["write:a"], delay=timedelta(hours=1))
    operations.pause_run(run.id, reason="look")
    operations.resume_run(run.id, reason="looked")

    workflow_env.skip(timedelta(minutes=59))
    assert effects.labels() == []
    workflow_env.skip(timedelta(minutes=1))
    assert effects.labels() == ["a"]


def test_a_pending_run_that_is_paused_is_cancelled_at_once(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    operations.pause_run(run.id, reason="look")

    assert operations.cancel_run(run.id, reason="not needed").status == "cancelled"
    sound(run.id)


def test_a_compensating_run_can_be_paused_between_undos_and_goes_on_with_its_plan(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a", "make:b", "refuse:c"])
    workflow_env.mock(undo_write).raises(OSError("away")).returns(None)
    workflow_env.skip(NOW)
    assert queries.get_run(run.id).status == "compensating"

    operations.pause_run(run.id, reason="look")
    assert queries.get_run(run.id).status == "held"
    sound(run.id)
    workflow_env.skip(WEEK)
    assert len(workflow_env.calls(undo_write)) == 1

    operations.resume_run(run.id, reason="looked")
    assert queries.get_run(run.id).status == "compensating"
    workflow_env.skip(WEEK)
    assert queries.get_run(run.id).status == "compensated"
    assert undone(run.id) == ["b", "a"]
    sound(run.id)


def test_a_paused_run_that_is_cancelled_meets_the_cancel(workflow_env: WorkflowEnvironment) -> None:
    run_id = backing_off(workflow_env, "make:a")
    operations.pause_run(run_id, reason="look")

    operations.cancel_run(run_id, reason="stop")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).status == "cancelled"
    assert undone(run_id) == ["a"]
    sound(run_id)


def test_a_pause_and_a_cancel_left_together_are_both_carried_out(workflow_env: WorkflowEnvironment) -> None:
    run_id = drive(workflow_env, ActedOnWorkflow, "cancel+pause")
    held = queries.get_run(run_id)
    assert (held.status, held.hold_reason, held.requested) == ("held", "paused", "cancel")

    operations.resume_run(run_id, reason="looked")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).status == "cancelled"
    assert undone(run_id) == ["meanwhile"]
    sound(run_id)


# --- Acts that do not fit --------------------------------------------------------------------------------------------

Act = Callable[..., Any]


@pytest.mark.parametrize(
    ("act", "script", "workflow", "state"),
    [
        (operations.cancel_run, ["write:a"], CastWorkflow, "completed"),
        (operations.cancel_run, ["make:a", "refuse:b"], CastWorkflow, "compensated"),
        (operations.cancel_run, ["refuse:a"], CastFailsWorkflow, "failed"),
        (operations.pause_run, ["write:a"], CastWorkflow, "completed"),
        (operations.pause_run, ["refuse:a"], CastHoldsWorkflow, "held (failure)"),
        (operations.resume_run, ["write:a"], CastWorkflow, "completed"),
        (operations.resume_run, ["refuse:a"], CastHoldsWorkflow, "held (failure)"),
        (operations.resume_run, ["disturb:a"], CastWorkflow, "waiting"),
        (operations.cancel_run, ["make_stubborn:a", "refuse:b"], CastWorkflow, "held (compensation_failed)"),
    ],
)
def test_an_act_that_does_not_fit_the_state_is_refused_and_writes_nothing(
    workflow_env: WorkflowEnvironment, act: Act, script: list[str], workflow: type[Workflow[Any]], state: str
) -> None:
    run_id = drive(workflow_env, workflow, script)
    before, audit = kinds(run_id), queries.list_audit(run_id=run_id)

    with pytest.raises(NotAllowedInState) as refusal:
        act(run_id, reason="try")

    assert refusal.value.state == state
    assert refusal.value.allowed
    assert kinds(run_id) == before
    assert queries.list_audit(run_id=run_id) == audit


@pytest.mark.parametrize(
    "act", [operations.cancel_run, operations.pause_run, operations.resume_run, operations.rerun, operations.retry_run]
)
def test_an_act_on_an_unknown_run_is_refused(db: None, act: Act) -> None:
    with pytest.raises(NotFound):
        act(uuid.uuid4(), reason="try")

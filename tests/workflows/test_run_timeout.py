"""SEMANTICS A4, A5: a run whose time is over raises nothing in code, settles what has started and runs its plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, disturb_always, make, refuse_until_repaired, write
from tests.workflows.improvised import (
    HOUR,
    MINUTE,
    ImprovisedWorkflow,
    LeavingWorkflow,
    TimedWorkflow,
    begin,
    improvise,
    later,
    make_later,
    settle,
    state,
)
from tests.workflows.views import entries, kinds, step_statuses, undone
from workflows import Retry, Workflow, WorkflowFailed, operations, queries
from workflows.core.errors import DefinitionError, NotAllowedInState
from workflows.models import Run
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

MET: list[str] = []


async def waiting(workflow: ImprovisedWorkflow) -> str:
    """An effect, then a wait without end; notes whatever is raised in it."""
    MET.clear()
    await workflow.activity(make, label="a")
    try:
        await workflow.wait_for(lambda: "go" in workflow.heard)
    except BaseException as raised:
        MET.append(type(raised).__name__)
        workflow.track("met")
        raise
    return "done"


def test_a_run_in_time_knows_nothing_of_its_time_out(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, TimedWorkflow)
    workflow_env.skip(HOUR - MINUTE)
    operations.signal_run(run.id, "say", "go")
    workflow_env.skip(2 * HOUR)

    assert state(run.id) == "completed"
    assert "TimeoutReached" not in kinds(run.id)


def test_a_run_whose_time_is_over_runs_its_plan_and_ends_timed_out(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, TimedWorkflow)
    workflow_env.skip(HOUR)

    after = queries.get_run(run.id)
    assert after.status == "timed_out"
    assert after.error is not None
    assert (after.error["type"], after.error["code"]) == ("RunTimedOut", "run_timed_out")
    assert undone(run.id) == ["a"]
    assert kinds(run.id)[-1] == "RunTimedOut"


def test_it_happens_at_its_time_and_not_before(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, TimedWorkflow)
    workflow_env.skip(HOUR - timedelta(microseconds=1))
    assert state(run.id) == "waiting"
    workflow_env.skip(timedelta(microseconds=1))

    assert state(run.id) == "timed_out"


def test_nothing_is_raised_in_the_code(workflow_env: WorkflowEnvironment) -> None:
    """It is dropped, disarmed: its clean-up asks for nothing and cannot stop the end."""
    run = begin(workflow_env, waiting, TimedWorkflow)
    workflow_env.skip(HOUR)

    assert "Cancelled" not in MET
    assert entries(run.id, "Tracked") == []


def test_what_has_started_is_awaited_and_undone(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(make_later, label="a"), workflow.sleep(5 * HOUR))

    run = begin(workflow_env, body, TimedWorkflow)
    workflow_env.skip(2 * HOUR)
    assert state(run.id) == "waiting"
    assert step_statuses(run.id)[1] == ("sleep", "cancelled")
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "timed_out"
    assert undone(run.id) == ["a"]


def test_members_that_were_held_back_never_begin(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        steps = [workflow.activity(later, label=label) for label in "abcd"]
        return await workflow.gather(*steps, max_parallel=1, return_failures=True)

    run = begin(workflow_env, body, TimedWorkflow)
    workflow_env.skip(HOUR)
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "timed_out"
    assert effects.labels() == ["began a"]


def test_a_step_in_its_back_off_is_given_up(workflow_env: WorkflowEnvironment) -> None:
    patient = disturb_always.options(retry=Retry(max_attempts=9, initial=7200.0, maximum=7200.0))

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(patient, label="a")

    run = begin(workflow_env, body, TimedWorkflow)
    workflow_env.skip(5 * HOUR)

    assert state(run.id) == "timed_out"
    assert effects.count("tried a") == 1


def test_on_cancel_leave_leaves_what_was_done(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, LeavingWorkflow)
    workflow_env.skip(HOUR)

    assert state(run.id) == "timed_out"
    assert effects.labels() == ["a"]
    assert [item.status for item in queries.get_compensation_plan(run.id)] == ["planned"]


def test_what_it_left_can_be_compensated_by_an_operator(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, LeavingWorkflow)
    workflow_env.skip(HOUR)
    operations.compensate_run(run.id, reason="after all")
    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert after.status == "compensated"
    assert after.error is not None
    assert after.error["code"] == "run_timed_out"
    assert effects.count("undo a") == 1


def test_the_plan_has_no_deadline(workflow_env: WorkflowEnvironment) -> None:
    """Undos go on after the run's time."""

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")
        await workflow.sleep(HOUR - MINUTE)
        raise ValueError("shortly before its time")

    run = begin(workflow_env, body, TimedWorkflow)
    workflow_env.now += 3 * HOUR
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["a"]


def test_a_run_paused_over_its_time_times_out_when_it_is_resumed(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, TimedWorkflow)
    operations.pause_run(run.id, reason="look at it")
    workflow_env.skip(3 * HOUR)
    assert state(run.id) == "held (paused)"

    operations.resume_run(run.id, reason="seen")
    workflow_env.skip(NOW)

    assert state(run.id) == "timed_out"


def test_what_was_said_in_time_to_a_paused_run_still_counts(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, TimedWorkflow)
    operations.pause_run(run.id, reason="look at it")
    operations.signal_run(run.id, "say", "go")
    workflow_env.skip(3 * HOUR)
    operations.resume_run(run.id, reason="seen")
    workflow_env.skip(NOW)

    assert state(run.id) == "completed"


def test_a_run_that_nobody_drove_in_time_does_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(TimedWorkflow, improvise(waiting))
    workflow_env.now += 2 * HOUR
    workflow_env.skip(NOW)

    assert state(run.id) == "timed_out"
    assert effects.labels() == []


def test_time_counts_from_a_delayed_start(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(TimedWorkflow, improvise(waiting), delay=5 * HOUR)
    workflow_env.skip(5 * HOUR + 59 * MINUTE)
    assert state(run.id) == "waiting"
    workflow_env.skip(MINUTE)

    assert state(run.id) == "timed_out"


def test_a_run_that_compensates_in_its_code_when_its_time_is_over(workflow_env: WorkflowEnvironment) -> None:
    """The undo in hand and its plan end first; nothing is undone twice."""

    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.activity(make, label="a")
        await workflow.sleep(HOUR - timedelta(seconds=1))
        await workflow.compensate()
        await workflow.sleep(HOUR)
        return "done"

    run = begin(workflow_env, body, TimedWorkflow)
    workflow_env.now += 2 * HOUR
    workflow_env.skip(NOW)

    assert state(run.id) == "timed_out"
    assert effects.count("undo a") == 1


def test_an_update_that_waits_when_the_time_is_over_is_answered_by_the_end(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting, TimedWorkflow)
    with pytest.raises(WorkflowFailed):
        workflow_env.finish(run.id)
    with pytest.raises(NotAllowedInState):
        operations.update_run(run.id, "add", "late")


def test_a_run_without_a_time_out_has_none(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, waiting)
    workflow_env.skip(timedelta(days=3650))

    assert state(run.id) == "waiting"
    assert Run.objects.get(pk=run.id).timeout_at is None


@pytest.mark.parametrize("timeout", [timedelta(0), timedelta(seconds=-1), 60])
def test_a_time_out_that_makes_no_sense_is_refused_at_registration(db: None, timeout: Any) -> None:
    with pytest.raises(DefinitionError, match="run_timeout"):
        type("SenselessWorkflow", (Workflow,), {"run_timeout": timeout, "execute": ImprovisedWorkflow.execute})


def test_a_failed_run_that_is_retried_after_its_time_times_out_and_repeats_nothing(
    workflow_env: WorkflowEnvironment,
) -> None:
    class RetriedWorkflow(TimedWorkflow):
        name = "run_timeout.Retried"
        on_failure = "hold"

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(write, label="a")
        return await workflow.activity(refuse_until_repaired, label="b")

    run = begin(workflow_env, body, RetriedWorkflow)
    workflow_env.skip(2 * HOUR)
    effects.write("repaired")
    operations.retry_run(run.id, reason="repaired")
    workflow_env.skip(NOW)

    assert state(run.id) == "timed_out"
    assert effects.count("tried b") == effects.count("a") == 1

"""Runs that did not end, or ended in a wrong state or with a wrong error: each ends as it should."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused, Disturbed, make, refuse, write
from tests.workflows.faulting import die, take_over
from tests.workflows.found_cast import TOKENS, make_later_undone_late, make_undone_late
from tests.workflows.improvised import (
    HOUR,
    MINUTE,
    FailingWorkflow,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    make_later,
    settle,
    state,
)
from tests.workflows.sent_out_acts import ask, drive, sweep, work
from tests.workflows.views import entries, sound
from workflows import Cancelled, Retry, activity, activity_info, conf, operations, queries, tasks
from workflows.core.definitions import registry
from workflows.models import Process
from workflows.runtime import process
from workflows.store.database_time import database_now
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

MOST = conf.engine().poison_crashes


@activity(name="found.start_soon", queue="writers", schedule_to_start=timedelta(seconds=5))
def start_soon(*, label: str) -> str:
    return label


@activity(name="found.fail_by_token", retry=Retry(max_attempts=2, initial=600.0, jitter=0))
def fail_by_token(*, label: str) -> str:
    """Its token tells the failure before the function returns."""
    operations.fail_step(activity_info().complete_later(), error="no")
    return ""


@activity(name="found.fail_with_nul", retry=Retry(max_attempts=1))
def fail_with_nul(*, label: str) -> None:
    error = Disturbed("no")
    error.code = "a\x00b"
    raise error


async def race_then_refusal(workflow: ImprovisedWorkflow) -> None:
    """A race whose loser is undone when it completes after all; an hour later the code fails."""
    await workflow.first_of(workflow.activity(make_later, label="a"), workflow.sleep(MINUTE))
    await workflow.sleep(HOUR)
    await workflow.activity(refuse, label="b")


async def refused_after_a_step(workflow: ImprovisedWorkflow) -> None:
    await workflow.activity(make, label="a")
    await workflow.activity(refuse, label="b")


async def refused_and_undone_late(workflow: ImprovisedWorkflow) -> None:
    await workflow.activity(make_undone_late, label="a")
    await workflow.activity(refuse, label="b")


def error_code(run_id: Any) -> str | None:
    error = queries.get_run(run_id).error
    return error["code"] if error else None


# --- A race's undo is not the run's ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("workflow", "end"), [(HeldWorkflow, "held (failure)"), (FailingWorkflow, "failed")])
def test_a_run_ends_by_its_own_rule_though_a_races_loser_was_undone_before(
    workflow_env: WorkflowEnvironment, workflow: type[ImprovisedWorkflow], end: str
) -> None:
    run = begin(workflow_env, race_then_refusal, workflow)
    workflow_env.skip(MINUTE)
    settle("a")
    workflow_env.skip(NOW)
    assert effects.count("undo a") == 1

    workflow_env.skip(HOUR)

    assert state(run.id) == end


def test_a_cancel_is_taken_while_a_losers_undo_waits_and_met_after_it(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.first_of(workflow.activity(make_later_undone_late, label="a"), workflow.sleep(MINUTE))
        await workflow.sleep(24 * HOUR)

    run = begin(workflow_env, body)
    workflow_env.skip(MINUTE)
    operations.complete_step(TOKENS.pop("a"), result="did a")
    workflow_env.skip(NOW)
    assert state(run.id) == "compensating"

    operations.cancel_run(run.id, reason="the customer asks")
    effects.write("repaired")
    workflow_env.skip(HOUR)

    assert state(run.id) == "cancelled"
    assert effects.count("undo a") == 1


def test_a_loser_that_ends_at_a_gather_when_the_code_is_over_strands_no_run(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        async def part() -> str:
            return await workflow.activity(write, label="never")

        async def losing() -> None:
            await workflow.activity(later, label="a")
            await workflow.gather(part(), part())

        await workflow.first_of(losing(), workflow.sleep(MINUTE))
        return "done"

    run = begin(workflow_env, body)
    workflow_env.skip(MINUTE)
    settle("a")

    assert workflow_env.finish(run.id) == "done"
    assert effects.count("never") == 0


# --- The error that undoes a run stays its error ---------------------------------------------------------------------


def test_a_run_held_for_its_workers_in_its_plan_ends_with_the_error_that_began_the_plan(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(ImprovisedWorkflow, improvise(refused_after_a_step))
    for _ in range(MOST):
        die(workflow_env, run.id, "attempt.before@cast.undo_write")
    drive(run.id)
    assert state(run.id) == "held (worker_lost)"
    assert error_code(run.id) == "worker_lost"

    operations.resume_run(run.id, reason="again")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert error_code(run.id) == CastRefused.code


def test_a_run_held_for_its_code_in_its_plan_ends_with_the_error_that_began_the_plan(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begin(workflow_env, refused_and_undone_late)
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(registry.workflows, ImprovisedWorkflow.name)
        workflow_env.restart()
        Process.objects.exclude(pk=process.current().id).update(expires_at=database_now())
        for minutes in (10, 6):
            workflow_env.now += timedelta(minutes=minutes)
            tasks.wake()
            tasks.sweep()
        assert state(run.id) == "held (code_missing)"
        assert error_code(run.id) == "code_missing"

    effects.write("repaired")
    workflow_env.restart()
    tasks.sweep()
    workflow_env.skip(HOUR)

    assert state(run.id) == "compensated"
    assert error_code(run.id) == CastRefused.code


def test_a_cancel_of_a_run_held_for_its_workers_takes_their_error_away(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        try:
            await workflow.activity(write, label="a")
        except Cancelled:
            await workflow.sleep(HOUR)
            raise

    run = workflow_env.start(ImprovisedWorkflow, improvise(body))
    for _ in range(MOST):
        die(workflow_env, run.id, "attempt.before")
    drive(run.id)
    assert state(run.id) == "held (worker_lost)"

    operations.cancel_run(run.id, reason="enough")

    assert error_code(run.id) is None
    sound(run.id)
    workflow_env.skip(HOUR)
    assert state(run.id) == "cancelled"


# --- Steps that settle while nobody drives ---------------------------------------------------------------------------


def test_a_step_that_no_worker_began_beside_one_that_failed_ends_the_run(workflow_env: WorkflowEnvironment) -> None:
    """Both have settled for good before the run is driven: neither may be cancelled by the other's failure."""

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(workflow.activity(refuse, label="a"), workflow.activity(start_soon, label="b"))

    run_id = ask(workflow_env, ImprovisedWorkflow, improvise(body))
    work(run_id, 1)
    workflow_env.now += MINUTE
    assert sweep() == 1

    drive(run_id)

    assert state(run_id) == "failed"


def test_a_failure_told_by_token_before_the_call_returned_is_in_the_history_though_the_worker_died(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.activity(fail_by_token, label="a")

    run = workflow_env.start(ImprovisedWorkflow, improvise(body))
    die(workflow_env, run.id, "attempt.inside")
    take_over(workflow_env)

    assert state(run.id) == "waiting"
    assert len(entries(run.id, "AttemptFailed")) == 1


# --- Text that a database refuses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["track", "patched", "error code"])
def test_a_nul_in_a_name_that_code_gives_strands_no_run(workflow_env: WorkflowEnvironment, where: str) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        if where == "track":
            workflow.track("a\x00b", {})
        elif where == "patched":
            workflow.patched("a\x00b")
        else:
            await workflow.activity(fail_with_nul, label="a")
        return "done"

    run = begin(workflow_env, body)

    assert state(run.id) == ("failed" if where == "error code" else "completed")

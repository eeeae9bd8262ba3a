"""SEMANTICS C11, C16: one driver at a time; who lost the lease writes nothing more; dead processes are taken over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastWorkflow, undo_write
from tests.workflows.faulting import break_off, die, expire, is_leased, take_over
from tests.workflows.views import entries, kinds, sound
from workflows import Retry, Workflow, activity, activity_info, conf, operations, queries
from workflows.models import Process, Run
from workflows.runtime import advance, process, recovery
from workflows.testing import WorkflowEnvironment

#: What happens inside the step `leases.stall`, put there by a test.
INSIDE: list[object] = []


@activity(name="leases.stall", undo=undo_write, retry=Retry(max_attempts=2, initial=1.0))
def stall(*, label: str) -> str:
    """The first attempt lets the test do something meanwhile."""
    effects.write(f"attempt {activity_info().attempt}")
    if INSIDE:
        act = INSIDE.pop()
        act()  # type: ignore[operator]
    return f"by attempt {activity_info().attempt}"


class StallWorkflow(Workflow[str]):
    """One step that may stall, and one after it."""

    async def execute(self) -> str:
        result = await self.activity(stall, label="stalled")
        await self.activity(undo_write, label="next")
        return result


def test_a_leased_run_cannot_be_claimed_by_another(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    break_off(run.id, "attempt.before@cast.write")
    workflow_env.restart()

    assert advance.claim_run(run.id) is None
    assert take_over(workflow_env) == []


def test_a_run_of_a_silent_process_is_taken_over_and_the_attempt_sent_again(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    die(workflow_env, run.id, "attempt.before@cast.write")

    assert take_over(workflow_env) == [run.id]

    assert queries.get_run(run.id).status == "completed"
    assert effects.labels() == ["a"]
    sound(run.id)


def test_a_lost_worker_does_not_count_as_a_failed_attempt_of_the_policy(workflow_env: WorkflowEnvironment) -> None:
    """The policy allows two failures; three lost workers and a success are no failure at all."""
    run = workflow_env.start(StallWorkflow)
    for _ in range(3):
        die(workflow_env, run.id, "attempt.inside@leases.stall")

    take_over(workflow_env)

    assert queries.get_run(run.id).status == "completed"
    assert "StepFailed" not in kinds(run.id)


def test_a_zombie_that_wakes_after_its_run_was_taken_over_writes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(StallWorkflow)

    def meanwhile() -> None:
        driver = Run.objects.values_list("driver", flat=True).get(pk=run.id)
        assert driver is not None
        expire(driver)
        before = process.use(process.inline())
        take_over(workflow_env)
        process.use(before)
        INSIDE.append(lambda: None)

    INSIDE.append(meanwhile)
    workflow_env.skip(NOW)
    INSIDE.clear()

    after = queries.get_run(run.id)
    assert (after.status, after.result) == ("completed", "by attempt 2")
    assert effects.labels().count("attempt 1") == effects.labels().count("attempt 2") == 1
    assert len(entries(run.id, "StepCompleted")) == 2
    sound(run.id)


def test_a_process_that_was_silent_for_a_lease_calls_nothing_more(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    claimed = advance.claim_run(run.id)
    assert claimed is not None
    claim, identity = claimed
    identity.lapsed = True

    advance.drive(claim, identity)

    assert effects.labels() == []
    assert queries.get_run(run.id).status == "running"


def test_a_process_that_is_shutting_down_claims_nothing_and_lets_go_after_the_step_in_hand(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(StallWorkflow)
    INSIDE.append(process.leave)
    try:
        advance.advance(run.id)

        assert [step.status for step in queries.list_steps(run.id)] == ["completed", "scheduled"]
        assert not is_leased(run.id)
        assert queries.get_run(run.id).status == "pending"
        assert advance.claim_run(run.id) is None
    finally:
        process._state.leaving = False

    workflow_env.skip(NOW)
    assert queries.get_run(run.id).status == "completed"
    assert effects.count("attempt 1") == 1
    sound(run.id)


# --- Overdue attempts ------------------------------------------------------------------------------------------------


def test_an_attempt_that_outlives_its_time_out_is_taken_from_a_living_process_and_retried(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(StallWorkflow)

    def meanwhile() -> None:
        workflow_env.now += conf.engine().activity_timeout + timedelta(seconds=1)
        before = process.use(process.inline())
        assert take_over(workflow_env) == [run.id]
        process.use(before)

    INSIDE.append(meanwhile)
    workflow_env.skip(NOW)

    waiting = queries.get_run(run.id)
    assert waiting.status == "waiting"
    (step, *_) = queries.list_steps(run.id)
    assert step.status == "scheduled"
    assert [attempt.error["code"] if attempt.error else None for attempt in step.tries] == ["timed_out"]
    workflow_env.finish(run.id)
    assert queries.get_run(run.id).result == "by attempt 2"
    sound(run.id)


def test_the_last_attempt_that_is_overdue_times_the_step_out_and_its_undo_runs(
    workflow_env: WorkflowEnvironment,
) -> None:
    """Its outcome is not known, so its undo is in the plan although undo_when is `completed`."""
    run = workflow_env.start(StallWorkflow)
    for attempt in (1, 2):
        driver = break_off(run.id, "attempt.inside@leases.stall")
        workflow_env.now += conf.engine().activity_timeout + timedelta(seconds=1)
        workflow_env.restart()
        assert take_over(workflow_env) == [run.id]
        assert Process.objects.filter(pk=driver).exists()
        if attempt == 1:
            workflow_env.now += timedelta(seconds=2)

    workflow_env.skip(NOW)
    after = queries.get_run(run.id)
    assert after.status == "compensated"
    assert after.error is not None
    assert after.error["code"] == "timed_out"
    assert queries.list_steps(run.id)[0].status == "timed_out"
    assert effects.count("undo stalled") == 1
    assert len(entries(run.id, "StepTimedOut")) == 1
    sound(run.id)


# --- Poison ----------------------------------------------------------------------------------------------------------


def test_a_run_that_kills_its_worker_again_and_again_is_held(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    other = workflow_env.start(CastWorkflow, ["write:b"])
    for _ in range(conf.engine().poison_crashes):
        die(workflow_env, run.id, "attempt.before@cast.write")

    take_over(workflow_env)
    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "worker_lost")
    assert held.error is not None
    assert held.error["code"] == "worker_lost"
    assert effects.count("a") == 0
    sound(run.id)

    workflow_env.skip(NOW)
    assert queries.get_run(other.id).status == "completed"

    operations.resume_run(run.id, reason="the worker was repaired")
    workflow_env.skip(NOW)
    assert queries.get_run(run.id).status == "completed"
    sound(run.id)


def test_progress_between_crashes_starts_the_count_anew(workflow_env: WorkflowEnvironment) -> None:
    labels = "abcdefg"
    run = workflow_env.start(CastWorkflow, [f"write:{label}" for label in labels])

    for _ in labels:
        die(workflow_env, run.id, "commit.after@cast.write")
    take_over(workflow_env)

    assert queries.get_run(run.id).status == "completed"
    assert effects.labels() == list(labels)


# --- Waking ----------------------------------------------------------------------------------------------------------


def test_the_wake_finds_due_runs_only_and_asks_again_later_and_later(workflow_env: WorkflowEnvironment) -> None:
    due = workflow_env.start(CastWorkflow, ["write:a"])
    later = operations.start_run(CastWorkflow, ["write:b"], delay=timedelta(hours=1))

    waits = []
    for _ in range(3):
        assert recovery.wake_due() == [due.id]
        wake_at = queries.get_run(due.id).wake_at
        assert wake_at is not None
        waits.append((wake_at - workflow_env.now).total_seconds())
        workflow_env.now = wake_at

    assert waits == [10.0, 20.0, 40.0]
    assert queries.get_run(later.id).status == "pending"


def test_a_claim_clears_the_due_time_so_that_nobody_wakes_a_driven_run(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])

    break_off(run.id, "attempt.before@cast.write")

    assert queries.get_run(run.id).wake_at is None
    assert recovery.wake_due() == []


def test_rows_of_dead_processes_are_forgotten_unless_they_still_hold_a_run(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    holding = break_off(run.id, "attempt.before@cast.write")
    gone = process.inline().id
    long_ago = workflow_env.now - timedelta(hours=2)
    Process.objects.filter(pk__in=[holding, gone]).update(expires_at=long_ago)

    assert recovery.forget_dead_processes() == 1

    assert Process.objects.filter(pk=holding).exists()
    assert not Process.objects.filter(pk=gone).exists()


@pytest.mark.parametrize("times", [1, 2])
def test_a_doubled_hint_drives_nothing_twice(workflow_env: WorkflowEnvironment, times: int) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])

    answers = [advance.advance(run.id) for _ in range(times)]

    assert answers == [True, False][:times]
    assert effects.labels() == ["a"]

"""SEMANTICS B9: while a run is held no attempt begins; those that are out settle, and are delivered when it goes on."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, begin, close, codes, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    TIMEOUT,
    Disturbed,
    Refused,
    SentOutCleanUpWorkflow,
    SentOutSideBySideWorkflow,
    SentOutTimedWorkflow,
    SentOutWorkflow,
    inside,
    pay,
    raising,
    write,
)
from tests.workflows.views import entries, kinds, sound
from workflows import Workflow, operations, queries
from workflows.models import HistoryEvent, Run, Step
from workflows.runtime import recovery, settling
from workflows.runtime.session import Session
from workflows.testing import WorkflowEnvironment


def pause(run_id: uuid.UUID) -> None:
    operations.pause_run(run_id, reason="look")


def resume(run_id: uuid.UUID) -> None:
    operations.resume_run(run_id, reason="go on")


def delivered(run_id: uuid.UUID) -> list[object]:
    """Numbers of the steps whose results the code met, in order."""
    return [data["seq"] for data in entries(run_id, "StepCompleted")]


# --- Paused ----------------------------------------------------------------------------------------------------------


def test_while_a_run_is_paused_no_attempt_begins(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    pause(run_id)

    work(run_id)
    workflow_env.skip(timedelta(hours=1))
    assert effects.labels() == []

    resume(run_id)
    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_while_a_run_is_paused_a_retry_that_is_due_waits(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    with inside(raising(Disturbed())):
        work(run_id)
    pause(run_id)

    workflow_env.skip(BACK_OFF * 2)
    assert effects.count("a") == 1

    resume(run_id)
    workflow_env.skip(NOW)
    assert effects.count("a") == 2
    assert state(run_id) == ("completed", None)


def test_what_waits_behind_a_pause_is_sent_within_a_second_of_its_end_however_long_it_was(
    workflow_env: WorkflowEnvironment,
) -> None:
    """Messages that a held run cannot use are not sent later and later."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    pause(run_id)
    for _ in range(100):
        workflow_env.now += timedelta(minutes=5)
        assert recovery.send_due() == []

    resume(run_id)
    workflow_env.now += timedelta(seconds=1)

    assert recovery.send_due() == [(run_id, 1, "writers")]


def test_an_attempt_that_was_out_when_the_run_was_paused_settles_and_is_delivered_afterwards(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    with inside(lambda: pause(run_id)):
        work(run_id)
    workflow_env.skip(timedelta(hours=1))
    assert row(run_id).status == "completed"
    assert "StepCompleted" not in kinds(run_id)

    resume(run_id)
    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_after_a_pause_outcomes_are_delivered_in_the_order_in_which_they_settled(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b", "write:c"])

    def pause_and_settle_the_others_first() -> None:
        pause(run_id)

    def then_the_third() -> None:
        work(run_id, 1)
        workflow_env.now += timedelta(seconds=1)

    with inside(then_the_third, pause_and_settle_the_others_first):
        work(run_id, 3)
    assert [row(run_id, seq).status for seq in (1, 2, 3)] == ["completed", "scheduled", "completed"]
    resume(run_id)
    workflow_env.now += timedelta(seconds=1)
    work(run_id, 2)
    drive(run_id)

    assert delivered(run_id) == [1, 3, 2]
    assert queries.get_run(run_id).result == ["did a", "did b", "did c"]
    sound(run_id)


def test_an_attempt_that_is_out_in_a_pause_may_be_overdue_and_its_failure_is_met_afterwards(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    begin(run_id)
    pause(run_id)

    workflow_env.now += TIMEOUT + timedelta(seconds=1)
    sweep()
    assert codes(run_id) == ["timed_out"]
    assert effects.labels() == []

    resume(run_id)
    workflow_env.skip(BACK_OFF)
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_a_failure_of_an_attempt_in_a_pause_cancels_nothing_before_the_run_goes_on(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])

    def refuse() -> None:
        pause(run_id)
        raise Refused

    with inside(refuse):
        work(run_id, 1)
    workflow_env.skip(NOW)
    assert [row(run_id, seq).status for seq in (1, 2)] == ["failed", "scheduled"]

    resume(run_id)
    workflow_env.skip(NOW)
    assert [row(run_id, seq).status for seq in (1, 2)] == ["failed", "cancelled"]
    assert effects.labels() == ["a"]
    sound(run_id)


def test_a_pause_that_comes_while_a_member_settles_holds_the_run(workflow_env: WorkflowEnvironment) -> None:
    """The member drives the run on inline; the pause was there first."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a", "write:b"])

    with inside(lambda: pause(run_id)):
        work(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("held", "paused")
    assert Step.objects.filter(run_id=run_id).count() == 1


# --- Cancelled, timed out --------------------------------------------------------------------------------------------


def test_a_cancel_gives_up_what_no_worker_has_begun(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])

    operations.cancel_run(run_id, reason="no longer")
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert row(run_id).status == "cancelled"
    assert effects.labels() == []
    sound(run_id)


def test_a_cancel_waits_for_what_has_begun_and_undoes_it(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])

    def cancel() -> None:
        operations.cancel_run(run_id, reason="no longer")
        drive(run_id)
        assert state(run_id)[0] in ("running", "waiting")

    with inside(cancel):
        work(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert effects.labels() == ["a", "undo a", f"undone key {run_id}:1"]
    sound(run_id)


def test_an_attempt_that_begins_in_the_instant_of_the_cancel_is_awaited(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B7: the driver decided to cancel it as not started; the worker was quicker."""
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    operations.cancel_run(run_id, reason="no longer")
    commit = Session._commit_unstarted

    def slip_in(self: Session, checkpoint: object) -> object:
        monkeypatch.setattr(Session, "_commit_unstarted", commit)
        begin(run_id)
        return commit(self, checkpoint)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "_commit_unstarted", slip_in)
    drive(run_id)
    assert row(run_id).status == "running"
    assert "StepCancelled" not in kinds(run_id)

    workflow_env.now += TIMEOUT + timedelta(seconds=1)
    sweep()
    workflow_env.skip(BACK_OFF)
    assert state(run_id) == ("cancelled", None)
    assert effects.count("undo a") == 1
    sound(run_id)


def test_a_cancel_gives_up_a_step_in_its_back_off(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    with inside(raising(Disturbed())):
        work(run_id)

    operations.cancel_run(run_id, reason="no longer")
    drive(run_id)

    assert state(run_id) == ("cancelled", None)
    assert row(run_id).status == "cancelled"
    workflow_env.skip(BACK_OFF)
    assert effects.count("a") == 1
    sound(run_id)


def test_a_cancel_gives_up_a_step_in_its_back_off_though_its_start_was_told_early(
    workflow_env: WorkflowEnvironment,
) -> None:
    """The driver came by for another member while the first ran, and told that it had started."""
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b", "write:c"])

    def meanwhile() -> None:
        work(run_id, 2)
        Run.objects.filter(pk=run_id).update(wake_at=workflow_env.now)
        drive(run_id)
        raise Disturbed

    with inside(meanwhile):
        work(run_id, 1)
    assert len(entries(run_id, "StepStarted")) == 2

    operations.cancel_run(run_id, reason="no longer")
    drive(run_id)

    assert state(run_id) == ("cancelled", None)
    assert [row(run_id, seq).status for seq in (1, 2, 3)] == ["cancelled", "completed", "cancelled"]
    sound(run_id)


def test_a_lost_attempt_that_is_cancelled_while_it_waits_for_another_worker_is_undone(
    workflow_env: WorkflowEnvironment,
) -> None:
    """A2: nobody knows what it did."""
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    begin(run_id, where="attempt.inside")
    workflow_env.now += TIMEOUT + timedelta(seconds=1)
    sweep()

    operations.cancel_run(run_id, reason="no longer")
    drive(run_id)

    assert state(run_id) == ("cancelled", None)
    assert row(run_id).status == "cancelled"
    assert effects.count("undo a") == effects.count("a") == 1
    sound(run_id)


def test_clean_up_after_a_cancel_runs_when_nothing_of_the_step_is_out(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutCleanUpWorkflow, "pay:a")

    operations.cancel_run(run_id, reason="no longer")
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert effects.count("undo clean-up") == 1


def test_a_run_that_times_out_waits_for_what_is_out_and_then_undoes_it(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutTimedWorkflow, ["make:a"])

    def too_late() -> None:
        workflow_env.now += timedelta(hours=1)
        drive(run_id)
        assert state(run_id)[0] == "waiting"

    with inside(too_late):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("timed_out", None)
    assert effects.count("undo a") == 1
    sound(run_id)


# --- Closed over its head --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["write:a", "wire:a"])
def test_an_outcome_that_comes_after_its_run_was_closed_leaves_no_trace(
    workflow_env: WorkflowEnvironment, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line])
    told: list[int] = []
    settle = settling.settle

    def closed_meanwhile(*args: object) -> bool:
        monkeypatch.setattr(settling, "settle", settle)
        close(run_id)
        told.append(HistoryEvent.objects.filter(run_id=run_id).count())
        return settle(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(settling, "settle", closed_meanwhile)
    work(run_id)
    workflow_env.skip(timedelta(hours=1))

    assert state(run_id) == ("terminated", None)
    assert row(run_id).status == "cancelled"
    assert row(run_id).evidence is None
    assert HistoryEvent.objects.filter(run_id=run_id).count() == told[0]
    sound(run_id)


class SentOutLeftOverWorkflow(Workflow[str]):
    """Ends without waiting for what it started."""

    async def execute(self) -> str:
        self.start(pay, label="a")
        await self.activity(write, label="b")
        return "done"


def test_a_run_does_not_close_before_what_it_started_has_settled(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutLeftOverWorkflow)
    begin(run_id, 1)

    work(run_id, 2)
    drive(run_id)
    assert state(run_id)[0] == "waiting"

    workflow_env.now += TIMEOUT + timedelta(seconds=1)
    sweep()
    workflow_env.skip(BACK_OFF)
    assert state(run_id) == ("completed", None)
    sound(run_id)

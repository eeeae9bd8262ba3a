"""SEMANTICS B9, C15: a message names steps and may come twice, late or never; a step's own row says who runs it."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, begin, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    Disturbed,
    Refused,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds, sound
from workflows import operations, queries
from workflows.core.definitions import registry
from workflows.models import Attempt, HistoryEvent, Run, Step
from workflows.runtime import members, process, recovery
from workflows.testing import WorkflowEnvironment

# --- Messages --------------------------------------------------------------------------------------------------------


def test_what_is_sent_out_runs_and_its_result_reaches_the_code(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(SentOutWorkflow, ["write:a", "pay:b"]) == ["did a", "did b"]
    assert effects.labels() == ["a", "b"]


def test_the_run_is_not_leased_while_its_step_is_out(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    run = Run.objects.get(pk=run_id)
    assert (run.driver, run.status, run.wake_at) == (None, "waiting", None)


def test_a_doubled_message_runs_the_step_once(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    work(run_id)
    work(run_id)
    work(run_id, 1, 1)

    assert effects.labels() == ["a"]
    drive(run_id)
    assert len(entries(run_id, "StepCompleted")) == 1
    sound(run_id)


def test_a_message_that_comes_while_the_step_runs_does_nothing(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    with inside(lambda: work(run_id)):
        work(run_id)

    assert effects.labels() == ["a"]


def test_of_two_workers_that_read_the_step_at_once_one_runs_it(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read the row as scheduled; the ticket decides."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    begin_ = members._begin

    def the_other_first(*args: object) -> object:
        monkeypatch.setattr(members, "_begin", begin_)
        work(run_id)
        return begin_(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(members, "_begin", the_other_first)
    work(run_id)

    assert effects.labels() == ["a"]
    assert row(run_id).attempt == 1


def test_a_worker_that_read_the_step_before_another_tried_it_does_not_begin_its_next_attempt(
    workflow_env: WorkflowEnvironment,
) -> None:
    """It would count, and run, as the first."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    read_early = row(run_id)
    with inside(raising(Disturbed())):
        work(run_id)
    workflow_env.now += BACK_OFF

    assert members._begin(run_id, read_early, process.current()) is None

    assert (row(run_id).status, row(run_id).attempt) == ("scheduled", 1)


def test_a_message_of_an_attempt_that_is_over_does_not_begin_the_next_one_early(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    with inside(raising(Disturbed())):
        work(run_id)

    work(run_id)
    assert effects.count("a") == 1

    workflow_env.now += BACK_OFF
    work(run_id)
    assert effects.count("a") == 2


def test_a_message_of_a_closed_run_does_nothing(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    operations.cancel_run(run_id, reason="no longer")
    drive(run_id)

    work(run_id)

    assert effects.labels() == []
    assert state(run_id) == ("cancelled", None)
    sound(run_id)


def test_a_message_for_an_activity_that_this_build_does_not_have_leaves_the_step_waiting(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    with monkeypatch.context() as patch:
        patch.delitem(registry.activities, "sent.write")
        work(run_id)
        assert row(run_id).status == "scheduled"

    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)


def test_a_worker_that_is_shutting_down_begins_nothing_and_the_step_is_sent_again_at_once(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    process.leave()
    try:
        work(run_id)
    finally:
        process._state.leaving = False

    assert effects.labels() == []
    assert recovery.send_due() == [(run_id, 1, "writers")]


# --- Lost messages ---------------------------------------------------------------------------------------------------


def test_a_step_whose_message_was_lost_is_sent_again_later_and_later(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    assert recovery.send_due() == []

    waits = []
    for _ in range(4):
        send_at = row(run_id).send_at
        assert send_at is not None
        waits.append((send_at - workflow_env.now).total_seconds())
        workflow_env.now = send_at
        assert recovery.send_due() == [(run_id, 1, "writers")]
        assert recovery.send_due() == []

    assert waits == [10, 10, 20, 40]


def test_a_step_that_runs_or_has_settled_is_not_sent_again(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    begin(run_id, 1)
    work(run_id, 2)

    workflow_env.now += timedelta(hours=1)

    assert recovery.send_due() == []


def test_a_cancelled_step_is_not_sent_again(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    operations.cancel_run(run_id, reason="no longer")
    drive(run_id)

    workflow_env.now += timedelta(hours=1)

    assert recovery.send_due() == []


def test_a_retry_is_a_due_time_on_the_steps_row(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    with inside(raising(Disturbed())):
        work(run_id)

    step = row(run_id)
    assert (step.status, step.due_at, step.send_at) == ("scheduled", workflow_env.now + BACK_OFF, step.due_at)
    assert recovery.send_due() == []
    assert recovery.wake_due() == []

    workflow_env.now += BACK_OFF
    assert recovery.send_due() == [(run_id, 1, "writers")]
    work(run_id)
    drive(run_id)
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_an_outcome_whose_hint_was_lost_is_found(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    work(run_id)
    Run.objects.filter(pk=run_id).update(wake_at=None)
    assert recovery.find_unread() == []

    workflow_env.now += timedelta(seconds=1)

    assert recovery.find_unread() == [run_id]
    drive(run_id)
    assert recovery.find_unread() == []


# --- One failed try, one line in the history -------------------------------------------------------------------------


def told(run_id: uuid.UUID) -> list[tuple[str, object]]:
    """Kind and attempt of what the history tells of tries, in order."""
    wanted = ("StepStarted", "AttemptFailed", "StepCompleted", "StepFailed", "StepTimedOut")
    history = queries.get_history(run_id)
    return [(entry.kind, entry.data.get("attempt")) for entry in history if entry.kind in wanted]


def test_the_history_tells_of_each_try_once(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    with inside(raising(Disturbed("first")), raising(Disturbed("second"))):
        work(run_id)
        workflow_env.now += BACK_OFF
        work(run_id)
    drive(run_id)

    assert told(run_id) == [
        ("StepStarted", 1), ("AttemptFailed", 1), ("StepStarted", 2), ("AttemptFailed", 2), ("StepFailed", None),
    ]  # fmt: skip
    assert [entry["error"]["message"] for entry in entries(run_id, "AttemptFailed")] == ["first", "second"]  # type: ignore[index]
    sound(run_id)


@pytest.mark.parametrize("when", ["begun", "failed", "between", "always"])
def test_the_history_tells_of_each_try_once_whatever_the_driver_told_early(
    workflow_env: WorkflowEnvironment, when: str
) -> None:
    """The driver comes by for another member of the gather, and tells what it sees of the first."""
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b", "write:c"])

    def meanwhile(now: str, seq: int) -> None:
        if when in (now, "always"):
            work(run_id, seq)
            Run.objects.filter(pk=run_id).update(wake_at=workflow_env.now)
            drive(run_id)

    def fail_late() -> None:
        meanwhile("begun", 2)
        raise Disturbed

    with inside(fail_late):
        work(run_id, 1)
    meanwhile("failed", 3)
    workflow_env.now += BACK_OFF
    if when == "between":
        drive(run_id)
    for seq in (1, 2, 3):
        work(run_id, seq)
    drive(run_id)

    assert state(run_id) == ("completed", None)
    of_first = [data["attempt"] for data in entries(run_id, "StepStarted") if data["seq"] == 1]
    assert of_first == [1, 2]
    assert [data["attempt"] for data in entries(run_id, "AttemptFailed")] == [1]
    assert len(entries(run_id, "StepCompleted")) == 3
    sound(run_id)


def test_before_the_driver_comes_by_an_outcome_stands_on_the_steps_row_alone(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    before = HistoryEvent.objects.filter(run_id=run_id).count()

    with inside(raising(Refused("no"))):
        work(run_id)

    assert HistoryEvent.objects.filter(run_id=run_id).count() == before
    assert (row(run_id).status, row(run_id).delivered) == ("failed", False)
    sound(run_id)


def test_a_step_out_at_work_is_sound_at_every_stage(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    sound(run_id)
    with inside(lambda: sound(run_id), raising(Disturbed())):
        die(workflow_env, run_id, where="attempt.inside")
        sound(run_id)
        sweep()
        sound(run_id)
        work(run_id)
    sound(run_id)
    workflow_env.now += BACK_OFF
    work(run_id)
    sound(run_id)
    drive(run_id)

    assert codes(run_id) == ["worker_lost", "disturbed", None]
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_a_failed_try_is_visible_while_the_next_one_waits(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    with inside(raising(Disturbed("not now"))):
        work(run_id)

    (step,) = queries.list_steps(run_id)
    assert (step.status, step.attempts) == ("scheduled", 1)
    assert step.error is not None
    assert step.error["message"] == "not now"
    assert codes(run_id) == ["disturbed"]


def test_a_refusal_is_not_tried_again(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    with inside(raising(Refused())):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("failed", None)
    assert kinds(run_id).count("StepFailed") == 1


@pytest.mark.parametrize("code", ["timed_out", "worker_lost", "heartbeat_lost", "schedule_to_start"])
def test_an_activitys_own_error_with_a_code_of_the_engines_is_a_failure_like_any_other(
    workflow_env: WorkflowEnvironment, code: str
) -> None:
    """A bank that says `timed_out` has answered: the step failed, it did not time out, and nothing is undone."""
    run_id = ask(workflow_env, SentOutWorkflow, ["make:a"])

    with inside(raising(Refused("the bank's own word", code=code))):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("failed", None)
    assert row(run_id).status == "failed"
    assert effects.labels() == ["a"]


def test_a_wrong_result_is_not_tried_again_and_its_undo_is_in_the_plan(workflow_env: WorkflowEnvironment) -> None:
    """It may have had its effect (SEMANTICS A2)."""
    run_id = ask(workflow_env, SentOutWorkflow, ["make:a"])
    workflow_env.mock(registry.activities["sent.make"]).returns({"not": "a text"})

    workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert effects.count("undo a") == 1
    sound(run_id)


@pytest.mark.parametrize("outcome", [raising(Disturbed()), raising(Refused()), raising(SystemExit(3)), lambda: "well"])
def test_a_worker_never_raises_to_celery(workflow_env: WorkflowEnvironment, outcome: object) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    with inside(outcome):  # type: ignore[arg-type]
        work(run_id)

    assert row(run_id).status != "running"


def test_rows_of_failed_tries_are_as_many_as_tries_that_failed(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    with inside(raising(Disturbed())):
        work(run_id)
    workflow_env.now += BACK_OFF
    work(run_id)
    drive(run_id)

    assert list(Attempt.objects.filter(run_id=run_id).values_list("seq", "number")) == [(1, 1)]
    assert Step.objects.get(run_id=run_id).failures == 1

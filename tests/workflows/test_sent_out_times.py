"""Bounds of attempts that are sent out: from start to end, and the wait for a worker."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import expire
from tests.workflows.sent_out_acts import ask, begin, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    START_WITHIN,
    TIMEOUT,
    Disturbed,
    SentOutHoldsWorkflow,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds, sound
from workflows import operations, queries
from workflows.core.errors import RetryRefused
from workflows.runtime import members, process, verdicts
from workflows.testing import WorkflowEnvironment

INSTANT = timedelta(microseconds=1)


# --- From an attempt's start to its end ------------------------------------------------------------------------------


def test_an_overdue_attempt_is_tried_again(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    begin(run_id)

    workflow_env.now += TIMEOUT
    assert sweep() == 0
    workflow_env.now += INSTANT
    assert sweep() == 1

    step = row(run_id)
    assert (step.status, step.due_at) == ("scheduled", workflow_env.now + BACK_OFF)
    workflow_env.skip(BACK_OFF)
    assert state(run_id) == ("completed", None)
    assert codes(run_id) == ["timed_out", None]
    sound(run_id)


def test_the_last_overdue_attempt_times_the_step_out_and_its_undo_runs(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    for _ in range(2):
        begin(run_id)
        workflow_env.now += TIMEOUT + INSTANT
        sweep()
        workflow_env.now += BACK_OFF
    drive(run_id)

    assert state(run_id) == ("compensated", None)
    assert row(run_id).status == "timed_out"
    assert codes(run_id) == ["timed_out", "timed_out"]
    assert effects.labels() == ["undo a", f"undone key {run_id}:1"]
    assert kinds(run_id).count("StepTimedOut") == 1
    assert "StepFailed" not in kinds(run_id)
    sound(run_id)


def test_an_overdue_attempt_that_ends_before_the_next_begins_settles_nothing(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])

    def too_long() -> None:
        workflow_env.now += TIMEOUT + INSTANT
        sweep()

    with inside(too_long):
        work(run_id)

    assert row(run_id).status == "scheduled"
    workflow_env.skip(BACK_OFF)
    assert effects.count("a") == 2
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_an_attempt_that_nobody_gave_up_counts_though_it_ends_late(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])

    def too_long() -> None:
        workflow_env.now += TIMEOUT + INSTANT

    with inside(too_long):
        work(run_id)
    sweep()
    drive(run_id)

    assert state(run_id) == ("completed", None)


def test_a_step_that_timed_out_is_retried_with_the_same_input_only(workflow_env: WorkflowEnvironment) -> None:
    """D20: another input could double an effect."""
    run_id = ask(workflow_env, SentOutHoldsWorkflow, ["pay:a"])
    for _ in range(2):
        begin(run_id)
        workflow_env.now += TIMEOUT + INSTANT
        sweep()
        workflow_env.now += BACK_OFF
    drive(run_id)
    assert state(run_id) == ("held", "failure")

    with pytest.raises(RetryRefused):
        operations.retry_run(run_id, reason="less", input={"label": "b"})
    operations.retry_run(run_id, reason="again")
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a"]
    sound(run_id)


def test_a_transactional_attempt_that_is_overdue_did_nothing_and_is_not_undone(
    workflow_env: WorkflowEnvironment,
) -> None:
    """A2. Its undo needs the result: run without one it could only fail."""
    run_id = ask(workflow_env, SentOutWorkflow, ["make:first", "book_in_time:a"])
    work(run_id, 1)
    drive(run_id)
    begin(run_id, 2)
    workflow_env.now += TIMEOUT + INSTANT
    sweep()

    drive(run_id)

    assert state(run_id) == ("compensated", None)
    assert row(run_id, 2).status == "timed_out"
    assert [item.undoes for item in queries.get_compensation_plan(run_id)] == [1]
    sound(run_id)


# --- The wait for a worker -------------------------------------------------------------------------------------------


def test_a_step_that_no_worker_begins_in_time_times_out(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["prompt:a"])

    workflow_env.now += START_WITHIN
    assert sweep() == 0
    workflow_env.now += INSTANT
    assert sweep() == 1
    drive(run_id)

    assert row(run_id).status == "timed_out"
    assert queries.get_run(run_id).error["code"] == "schedule_to_start"  # type: ignore[index]
    assert "StepStarted" not in kinds(run_id)
    assert effects.count("a") == 0
    sound(run_id)


def test_a_step_that_no_worker_began_has_nothing_to_undo(workflow_env: WorkflowEnvironment) -> None:
    """A2 speaks of outcomes that may stand; nothing was called here."""
    run_id = ask(workflow_env, SentOutWorkflow, ["prompt:a"])
    workflow_env.now += START_WITHIN + INSTANT
    sweep()

    drive(run_id)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == []


def test_a_message_that_comes_too_late_begins_nothing_though_no_sweep_has_run(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["prompt:a"])

    workflow_env.now += START_WITHIN + INSTANT
    work(run_id)
    drive(run_id)

    assert effects.count("a") == 0
    assert row(run_id).status == "timed_out"


def test_a_worker_that_begins_in_time_may_take_longer(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["prompt:a"])
    workflow_env.now += START_WITHIN

    def take_time() -> None:
        workflow_env.now += START_WITHIN
        assert sweep() == 0

    with inside(take_time):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("completed", None)


def test_the_next_attempts_wait_for_a_worker_is_bounded_too_from_its_due_time_on(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["prompt:a"])
    with inside(raising(Disturbed())):
        work(run_id)

    workflow_env.now += BACK_OFF + START_WITHIN
    assert sweep() == 0
    workflow_env.now += INSTANT
    assert sweep() == 1

    drive(run_id)
    assert row(run_id).status == "timed_out"
    assert codes(run_id) == ["disturbed"]
    sound(run_id)


def test_a_lost_attempts_wait_for_another_worker_is_bounded_too(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["prompt:a"])
    die(workflow_env, run_id)
    sweep()

    workflow_env.now += START_WITHIN + INSTANT
    sweep()

    drive(run_id)
    assert row(run_id).status == "timed_out"
    assert effects.count("undo a") == 1  # the lost one may have had its effect
    sound(run_id)


def test_after_an_operators_retry_the_wait_for_a_worker_is_bounded_too(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutHoldsWorkflow, ["prompt:a"])
    workflow_env.now += START_WITHIN + INSTANT
    sweep()
    drive(run_id)
    operations.retry_run(run_id, reason="there are workers now")
    drive(run_id)

    workflow_env.now += START_WITHIN + INSTANT

    assert sweep() == 1
    drive(run_id)
    assert state(run_id) == ("held", "failure")
    sound(run_id)


def test_the_wait_for_a_worker_does_not_run_out_while_the_run_is_held(workflow_env: WorkflowEnvironment) -> None:
    """Nobody may begin it then: that no worker does says nothing of the workers."""
    run_id = ask(workflow_env, SentOutWorkflow, ["prompt:a"])
    operations.pause_run(run_id, reason="look")
    for _ in range(6):
        workflow_env.now += timedelta(minutes=1)
        sweep()

    operations.resume_run(run_id, reason="go on")
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)


def test_in_a_gather_a_step_that_no_worker_begins_cancels_the_others(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["prompt:a", "write:b"])

    workflow_env.now += START_WITHIN + INSTANT
    sweep()
    drive(run_id)

    assert [row(run_id, seq).status for seq in (1, 2)] == ["timed_out", "cancelled"]
    sound(run_id)


# --- The wake and the sweep run twice, or late -----------------------------------------------------------------------


def test_two_sweeps_at_once_give_an_attempt_up_once(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    begin(run_id)
    workflow_env.now += TIMEOUT + INSTANT

    sweep()
    sweep()

    assert row(run_id).failures == 1
    assert codes(run_id) == ["timed_out"]


def test_an_attempt_that_cannot_be_given_up_now_keeps_the_sweep_from_no_other(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [ask(workflow_env, SentOutWorkflow, [f"pay:{label}"]) for label in "ab"]
    for run_id in runs:
        begin(run_id)
    workflow_env.now += TIMEOUT + INSTANT
    give_up, refusals = members.give_up, [OperationalError("lock time-out")]

    def locked(*args: object) -> None:
        if refusals:
            raise refusals.pop()
        give_up(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(members, "give_up", locked)
    sweep()
    assert sorted(row(run_id).status for run_id in runs) == ["running", "scheduled"]
    sweep()
    assert [row(run_id).status for run_id in runs] == ["scheduled"] * 2


def test_a_sweep_that_read_an_attempt_before_it_ended_does_not_give_it_up(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    ticket = row(run_id).ticket
    work(run_id)

    members.give_up(run_id, 1, ticket + 1, verdicts.OVERDUE)
    members.give_up(run_id, 1, ticket, verdicts.OVERDUE)

    assert row(run_id).status == "completed"


def test_an_attempt_of_a_dead_process_is_given_up_in_the_name_of_the_dead_only(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    begin(run_id, 1)
    alive = process.current().id
    workflow_env.restart()
    expire(begin(run_id, 2))

    assert sweep() == 1

    assert (row(run_id, 1).status, row(run_id, 1).process) == ("running", alive)
    assert row(run_id, 2).status == "scheduled"
    assert [data["seq"] for data in entries(run_id, "StepStarted")] == []

"""SEMANTICS C12, C13 for attempts that are sent out: locks pass, and from COMMIT on only rows decide."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import armed
from tests.workflows.sent_out_acts import ask, codes, drive, row, state, work
from tests.workflows.sent_out_cast import (
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds, sound
from workflows import queries
from workflows.core.definitions import registry
from workflows.runtime import settling
from workflows.runtime.faults import InjectedFault
from workflows.testing import WorkflowEnvironment

committed = pytest.mark.django_db(transaction=True)
LOCKED = "database is locked"


# --- Locks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.runtime.members.time.sleep", lambda seconds: None)


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("line", ["book:a", "write:a"])
def test_c12_a_passing_database_error_is_tried_again_outside_the_retry_policy(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line])

    with inside(raising(OperationalError(LOCKED)), raising(OperationalError(LOCKED)), lambda: "at last"):
        work(run_id)
    drive(run_id)

    assert queries.get_run(run_id).result == ["at last"]
    assert codes(run_id) == [None]
    assert "AttemptFailed" not in kinds(run_id)


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("line", ["book:a", "write:a"])
def test_c12_a_database_that_keeps_refusing_sends_the_step_again_without_counting_a_failure(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line])
    locked = raising(OperationalError(LOCKED))

    with inside(*[locked] * 15, lambda: "at last"):
        for _ in range(4):
            work(run_id)
            workflow_env.now += timedelta(seconds=1)
    drive(run_id)

    assert queries.get_run(run_id).result == ["at last"]
    assert codes(run_id) == ["database_busy"] * 3 + [None]
    assert row(run_id).failures == 0
    sound(run_id)


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("line", ["write:a", "wire:a"])
def test_locks_met_when_the_outcome_is_written_do_not_call_the_activity_again(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line])
    settle, refusals = settling.settle, [OperationalError(LOCKED)] * 3

    def locked(*args: object) -> bool:
        if refusals:
            raise refusals.pop()
        return settle(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(settling, "settle", locked)
    work(run_id)
    drive(run_id)

    assert effects.labels() == ["a"]
    assert state(run_id) == ("completed", None)
    assert codes(run_id) == [None]


@pytest.mark.usefixtures("_no_waiting")
def test_locks_met_when_the_outcome_is_written_again_and_again_do_not_call_what_must_not_be_repeated(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["wire:a"])
    settle, refusals = settling.settle, [OperationalError(LOCKED)] * 5

    def locked(*args: object) -> bool:
        if refusals:
            raise refusals.pop()
        return settle(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(settling, "settle", locked)
    work(run_id)
    workflow_env.skip(NOW)

    assert effects.labels() == ["a"]
    assert state(run_id) == ("held", "in_doubt")


# --- From COMMIT on only rows decide ---------------------------------------------------------------------------------


@committed
def test_c13_an_error_from_a_callback_after_the_commit_is_no_failure(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    with inside(lambda: transaction.on_commit(raising(RuntimeError("after COMMIT")))):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a"]
    assert codes(run_id) == [None]
    assert len(entries(run_id, "StepCompleted")) == 1
    sound(run_id)


@committed
@pytest.mark.usefixtures("_no_waiting")
def test_c13_locks_that_a_callback_met_after_the_commit_do_not_call_the_activity_again(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    with inside(lambda: transaction.on_commit(raising(OperationalError(LOCKED)))):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a"]


@committed
def test_c13_when_the_commits_answer_is_lost_the_rows_decide(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was committed, and the connection broke before anybody said so."""
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a", "write:b"])
    _break_the_next_commit(monkeypatch, after=True)

    work(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a", "b"]
    assert codes(run_id) == [None]
    sound(run_id)


@committed
def test_c13_a_commit_that_was_taken_back_is_sent_again_and_no_failure(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])
    _break_the_next_commit(monkeypatch, after=False)

    work(run_id)
    assert (row(run_id).status, row(run_id).failures) == ("scheduled", 0)
    workflow_env.skip(timedelta(seconds=1))

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a"]
    sound(run_id)


@committed
@pytest.mark.parametrize("line", ["book:a", "write:a"])
def test_c13_a_fault_after_the_commit_does_not_stop_the_run(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line])

    with armed(f"commit.after@{row(run_id).name}", InjectedFault):
        work(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a"]


def _break_the_next_commit(monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """The activity's own commit fails, before or after it was done; those of the claim have gone before."""
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]

    def broken(self: BaseDatabaseWrapper) -> None:
        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit)
        if after:
            commit(self)
        raise OperationalError("server closed the connection unexpectedly")

    function = registry.activities["sent.book"].function

    def from_now_on(*, label: str) -> str:
        monkeypatch.setattr(registry.activities["sent.book"], "_function", function)
        monkeypatch.setattr(BaseDatabaseWrapper, "_commit", broken)
        return str(function(label=label))

    monkeypatch.setattr(registry.activities["sent.book"], "_function", from_now_on)

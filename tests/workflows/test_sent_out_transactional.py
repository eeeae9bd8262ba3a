"""SEMANTICS C12, C13 for attempts that are sent out: business rows and the step's own row are one commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import armed, expire
from tests.workflows.sent_out_acts import ask, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    TIMEOUT,
    Disturbed,
    Refused,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds, sound
from workflows import queries
from workflows.core.definitions import registry
from workflows.runtime import members, process
from workflows.runtime.faults import InjectedFault
from workflows.testing import WorkflowEnvironment

committed = pytest.mark.django_db(transaction=True)
LOCKED = "database is locked"


def swallow() -> str:
    effects.write_parent(1)
    try:
        effects.write_parent(1)
    except IntegrityError:
        return "pretends that all is well"
    return "nothing was refused"


def handle() -> str:
    effects.write_parent(1)
    try:
        with transaction.atomic():
            effects.write_parent(1)
    except IntegrityError:
        return "handled"
    return "nothing was refused"


def test_c12_before_the_commit_neither_rows_nor_outcome_stand(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    die(workflow_env, run_id, where="commit.before")

    assert effects.labels() == []
    assert row(run_id).status == "running"
    sound(run_id)


@pytest.mark.parametrize("where", ["member.begun", "attempt.before", "attempt.inside", "commit.before"])
def test_c12_a_worker_that_dies_before_the_commit_leaves_one_effect_in_the_end(
    workflow_env: WorkflowEnvironment, where: str
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])
    die(workflow_env, run_id, where=where)
    sweep()

    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a"]
    assert codes(run_id) == ["worker_lost", None]
    sound(run_id)


@committed
def test_c12_a_worker_that_dies_after_the_commit_repeats_nothing(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])
    die(workflow_env, run_id, where="commit.after")
    assert (effects.labels(), row(run_id).status) == (["a"], "completed")

    sweep()
    workflow_env.now += timedelta(seconds=1)
    work(run_id)
    drive(run_id)

    assert effects.labels() == ["a"]
    assert state(run_id) == ("completed", None)
    assert codes(run_id) == [None]
    sound(run_id)


@pytest.mark.parametrize("error", [Disturbed(), Refused()])
def test_c12_a_failed_attempt_leaves_no_row(workflow_env: WorkflowEnvironment, error: Exception) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    with inside(raising(error)):
        work(run_id)

    assert effects.labels() == []
    assert codes(run_id) == [error.code]  # type: ignore[attr-defined]


def just_begun(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Call `act` when the next attempt has been claimed and its transaction has not begun."""
    perform = members._perform_transactional

    def slip_in(*args: object) -> bool:
        monkeypatch.setattr(members, "_perform_transactional", perform)
        act()
        return perform(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(members, "_perform_transactional", slip_in)


@pytest.mark.parametrize("why", ["dead", "overdue"])
def test_c12_an_attempt_that_was_given_up_meanwhile_takes_its_rows_with_it(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Also while the next attempt waits and nobody else has done the work."""
    run_id = ask(workflow_env, SentOutWorkflow, ["book_in_time:a"])

    def give_up() -> None:
        if why == "dead":
            expire(process.current().id)
        else:
            workflow_env.now += TIMEOUT + timedelta(seconds=1)
        assert sweep() == 1

    just_begun(monkeypatch, give_up)
    with inside(lambda: None):
        work(run_id)

    assert effects.labels() == []
    assert row(run_id).status == ("scheduled" if why == "dead" else "timed_out")


@pytest.mark.parametrize("outcome", [lambda: "by the first", raising(Disturbed())])
def test_c12_of_two_workers_in_the_same_step_one_leaves_rows(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, outcome: Callable[[], object]
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    def another_worker() -> None:
        expire(process.current().id)
        before = process.use(process.inline())
        sweep()
        work(run_id)
        process.use(before)

    just_begun(monkeypatch, another_worker)
    with inside(lambda: "by the second", outcome):
        work(run_id)
    drive(run_id)

    assert effects.labels() == ["a"]
    assert queries.get_run(run_id).result == ["by the second"]
    assert codes(run_id) == ["worker_lost", None]
    sound(run_id)


@committed
def test_c12_a_broken_deferred_constraint_fails_the_attempt(workflow_env: WorkflowEnvironment) -> None:
    """On Postgres before the commit, on SQLite at it; the rows are gone either way."""
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    with inside(effects.write_orphan):
        work(run_id)

    assert effects.labels() == []
    assert (row(run_id).status, row(run_id).failures) == ("scheduled", 1)
    (only,) = queries.list_steps(run_id)[0].tries
    assert only.error is not None
    assert only.error["type"] == "IntegrityError"
    workflow_env.skip(BACK_OFF)
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_c12_a_database_error_that_the_activity_swallowed_fails_the_attempt(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    with inside(swallow):
        work(run_id)

    assert effects.labels() == []
    assert effects.parents() == []
    assert codes(run_id) == ["database_error_swallowed"]


def test_c12_a_database_error_handled_in_a_savepoint_is_no_failure(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["book:a"])

    with inside(handle):
        work(run_id)
    drive(run_id)

    assert queries.get_run(run_id).result == ["handled"]
    assert effects.parents() == [1]


def test_a2_a_result_that_cannot_be_stored_of_a_transactional_attempt_is_no_unknown_outcome(
    workflow_env: WorkflowEnvironment,
) -> None:
    """Its rows were rolled back: there is nothing to undo."""
    run_id = ask(workflow_env, SentOutWorkflow, ["number:a"])

    work(run_id)
    drive(run_id)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == []
    assert queries.get_compensation_plan(run_id) == []
    sound(run_id)


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
    settle, refusals = members.settle, [OperationalError(LOCKED)] * 3

    def locked(*args: object) -> bool:
        if refusals:
            raise refusals.pop()
        return settle(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(members, "settle", locked)
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
    settle, refusals = members.settle, [OperationalError(LOCKED)] * 5

    def locked(*args: object) -> bool:
        if refusals:
            raise refusals.pop()
        return settle(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(members, "settle", locked)
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


# --- Side by side ----------------------------------------------------------------------------------------------------


def test_of_a_gather_each_member_commits_its_own_rows(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["book:a", "book:b", "book:c"])
    work(run_id, 2)

    assert effects.labels() == ["b"]

    work(run_id, 1, 3)
    drive(run_id)
    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a", "b", "c"]
    sound(run_id)

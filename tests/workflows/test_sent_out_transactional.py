"""SEMANTICS C12, C13 for attempts that are sent out: business rows and the step's own row are one commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import expire
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
from tests.workflows.views import sound
from workflows import queries
from workflows.runtime import members, process
from workflows.testing import WorkflowEnvironment

committed = pytest.mark.django_db(transaction=True)


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

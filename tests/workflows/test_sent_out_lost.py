"""SEMANTICS C16: attempts of dead processes are sent again within two leases, and count as nobody's failure."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import armed, expire
from tests.workflows.sent_out_acts import ask, begin, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import Disturbed, SentOutSideBySideWorkflow, SentOutWorkflow, inside, raising
from tests.workflows.views import entries, kinds, sound
from workflows import conf, queries
from workflows.core.definitions import registry
from workflows.models import Process
from workflows.runtime import process, recovery
from workflows.runtime.faults import InjectedFault
from workflows.testing import WorkflowEnvironment

WHERE = ("member.begun", "attempt.before", "attempt.inside", "commit.before")


@pytest.mark.parametrize("where", WHERE)
def test_an_attempt_of_a_dead_process_is_sent_again(workflow_env: WorkflowEnvironment, where: str) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    die(workflow_env, run_id, where=where)

    assert sweep() == 1
    assert recovery.send_due() == [(run_id, 1, "writers")]

    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)
    assert codes(run_id) == ["worker_lost", None]
    sound(run_id)


@pytest.mark.parametrize("seconds", [-1, 60])
def test_an_attempt_is_told_lost_when_its_process_lapses_or_comes_back_between_two_reads(
    workflow_env: WorkflowEnvironment, seconds: int
) -> None:
    """The rows of processes are read beside those of steps: what changes in between makes no other verdict."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    holder = begin(run_id)
    Process.objects.filter(pk=holder).update(expires_at=datetime.now(UTC) - timedelta(seconds=seconds))
    read: list[str] = []

    def meanwhile(execute: Callable[..., object], sql: str, *more: object) -> object:
        rows = execute(sql, *more)
        if sql.startswith("SELECT") and "workflows_liveness" in sql and not read:
            read.append(sql)
            Process.objects.filter(pk=holder).update(expires_at=datetime.now(UTC) + timedelta(seconds=seconds))
        return rows

    with connection.execute_wrapper(meanwhile):
        given_up = sweep() + sweep()

    assert read
    assert (given_up, codes(run_id)) == (1, ["worker_lost"])


def test_a_process_that_lives_keeps_its_attempt(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    begin(run_id)

    assert sweep() == 0
    work(run_id)

    assert row(run_id).status == "running"
    assert effects.labels() == []


def test_a_silent_process_counts_as_dead_after_one_lease() -> None:
    """With a sweep each second its attempts are sent again within two."""
    process.current()
    try:
        (alive,) = Process.objects.all()
        assert alive.expires_at - datetime.now(UTC) <= conf.engine().lease
        assert conf.engine().lease + timedelta(seconds=1) <= 2 * conf.engine().lease
    finally:
        process.stop()


def test_a_lost_worker_does_not_count_as_a_failed_attempt(workflow_env: WorkflowEnvironment) -> None:
    """The policy allows two tries: three lost workers and one failure leave one."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    for _ in range(3):
        die(workflow_env, run_id)
        sweep()
    with inside(raising(Disturbed())):
        work(run_id)

    workflow_env.skip(timedelta(seconds=10))

    assert state(run_id) == ("completed", None)
    assert codes(run_id) == ["worker_lost", "worker_lost", "worker_lost", "disturbed", None]
    sound(run_id)


def test_a_lost_attempt_that_may_have_had_its_effect_is_undone_in_the_end(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["try_once:a"])
    die(workflow_env, run_id, where="attempt.inside")
    sweep()

    with inside(raising(Disturbed())):
        work(run_id)
    drive(run_id)

    assert state(run_id) == ("compensated", None)
    assert effects.count("undo a") == 1
    sound(run_id)


def test_a_zombie_whose_attempt_was_sent_again_settles_nothing(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    def another_worker() -> None:
        expire(process.current().id)
        before = process.use(process.inline())
        sweep()
        work(run_id)
        process.use(before)

    with inside(another_worker, lambda: "by the second"):
        work(run_id)
    drive(run_id)

    assert queries.get_run(run_id).result == ["by the second"]
    assert effects.labels() == ["a", "a"]
    assert [data["attempt"] for data in entries(run_id, "StepStarted")] == [1, 2]
    assert kinds(run_id).count("StepCompleted") == 1
    sound(run_id)


def test_a_zombie_that_comes_back_while_the_next_attempt_runs_settles_nothing_of_that_either(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    def another_worker_begins() -> None:
        expire(process.current().id)
        before = process.use(process.inline())
        sweep()
        begin(run_id)
        process.use(before)

    with inside(another_worker_begins):
        work(run_id)

    assert (row(run_id).status, row(run_id).attempt) == ("running", 2)
    assert row(run_id).result is None


def test_a_zombie_that_comes_back_before_the_next_attempt_begins_settles_nothing_either(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    def give_up() -> None:
        expire(process.current().id)
        assert sweep() == 1

    with inside(give_up):
        work(run_id)

    assert row(run_id).status == "scheduled"
    workflow_env.restart()
    work(run_id)
    drive(run_id)
    assert state(run_id) == ("completed", None)


def test_a_process_that_was_silent_for_a_lease_calls_nothing_more(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It froze between the claim and the call (SEMANTICS C16), and knows by its own clock."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    identity = process.current()
    monkeypatch.setattr(type(identity), "check", _lapsed_after_claim(run_id, type(identity).check))

    work(run_id)

    assert effects.labels() == []
    expire(identity.id)
    workflow_env.restart()
    sweep()
    monkeypatch.undo()
    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a"]


def _lapsed_after_claim(run_id: uuid.UUID, check):  # type: ignore[no-untyped-def]
    def frozen(self: process.Identity) -> None:
        if row(run_id).status == "running":
            self.lapsed = True
        check(self)

    return frozen


def test_a_process_that_lapses_between_two_steps_of_one_message_claims_the_second_under_its_new_name(
    workflow_env: WorkflowEnvironment,
) -> None:
    """Else the second would be left running in the name of a process that lives, until it is overdue."""
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])

    def lapse() -> None:
        process.current().lapsed = True

    with inside(lapse):
        work(run_id, 1, 2)
    workflow_env.restart()
    sweep()
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert effects.count("b") == 1


def test_a_dead_worker_counts_as_dead_though_its_attempt_is_overdue_by_now(workflow_env: WorkflowEnvironment) -> None:
    """Everything was down for an hour: nobody's attempt failed."""
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    die(workflow_env, run_id)

    workflow_env.now += timedelta(hours=1)
    sweep()

    assert (row(run_id).status, row(run_id).failures) == ("scheduled", 0)
    assert codes(run_id) == ["worker_lost"]


def test_a_process_without_the_code_of_an_activity_judges_none_of_its_attempts(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows neither the policy nor whether the attempt may be repeated."""
    run_id = ask(workflow_env, SentOutWorkflow, ["wire:a"])
    die(workflow_env, run_id)

    with monkeypatch.context() as patch:
        patch.delitem(registry.activities, "sent.wire")
        sweep()
        assert row(run_id).status == "running"

    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")
    assert effects.labels() == []


# --- A worker that lives and cannot write ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("line", ["write:a", "book:a"])
def test_an_outcome_that_cannot_be_written_is_a_lost_attempt_not_one_that_runs_for_ever(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    """The process lives, so nobody would take the attempt from it before it is overdue."""
    run_id = ask(workflow_env, SentOutWorkflow, [line])

    with armed(f"commit.before@{row(run_id).name}", InjectedFault):
        work(run_id)
    workflow_env.skip(timedelta(seconds=10))

    assert state(run_id) == ("completed", None)
    sound(run_id)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("line", ["write:a", "book:a"])
def test_c13_an_error_after_the_commit_leaves_one_effect_and_the_run_goes_on(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line, "write:next"])

    with armed(f"commit.after@{row(run_id).name}", InjectedFault):
        work(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a", "next"]
    assert codes(run_id) == [None]
    sound(run_id)


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_written_and_must_not_be_repeated_is_in_doubt(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["wire:a"])

    with armed("commit.before@sent.wire", InjectedFault):
        work(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("held", "in_doubt")
    assert effects.labels() == ["a"]
    sound(run_id)


@pytest.mark.django_db(transaction=True)
def test_an_error_in_one_step_does_not_keep_a_worker_from_the_others_of_its_message(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])

    with armed("commit.before@sent.write", InjectedFault):
        work(run_id, 1, 2)

    assert row(run_id, 2).status == "completed"

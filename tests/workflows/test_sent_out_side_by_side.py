"""Workers, sweeps and holders of tokens at once, each on a connection of its own: tickets and locks for real."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.workflows import effects
from tests.workflows.sent_out_acts import codes, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    TOKENS,
    Disturbed,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
)
from tests.workflows.test_side_by_side import together
from tests.workflows.views import entries, kinds, sound
from workflows import Workflow, activity, activity_info, operations, queries
from workflows.core.errors import TokenUnknown
from workflows.models import Process, Run
from workflows.runtime import members, process
from workflows.testing import WorkflowEnvironment

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs Postgres: set DATABASE_URL"),
]

RACES = 20


@pytest.fixture(autouse=True)
def _one_process() -> Iterator[None]:
    """One identity for all threads, as in a worker with a pool of them."""
    before = process.use(process.inline())
    TOKENS.clear()
    yield
    process.use(before)


class Meeting:
    """Where a step inside waits for the test."""

    entered = threading.Event()
    opened = threading.Event()

    @classmethod
    def anew(cls) -> None:
        cls.entered, cls.opened = threading.Event(), threading.Event()


@activity(name="side.meet", transactional=True, queue="books")
def meet(*, label: str) -> str:
    effects.write(label)
    if activity_info().attempt == 1:
        Meeting.entered.set()
        assert Meeting.opened.wait(20)
    return f"by attempt {activity_info().attempt}"


class SideMeetWorkflow(Workflow[str]):
    """One booking that takes its time at first."""

    async def execute(self) -> str:
        return await self.activity(meet, label="a")


@activity(name="side.sign", queue="signers")
def sign(*, label: str) -> str:
    """Fails after it has given its token out."""
    TOKENS.append(activity_info().complete_later())
    Meeting.entered.set()
    assert Meeting.opened.wait(20)
    raise Disturbed


class SideSignWorkflow(Workflow[str]):
    """One signature."""

    async def execute(self) -> str:
        return await self.activity(sign, label="a")


def started(workflow: type[Workflow[object]], *args: object) -> uuid.UUID:
    run = operations.start_run(workflow, *args)
    drive(run.id)
    return run.id


def test_doubled_messages_at_once_run_each_step_once() -> None:
    runs = [started(SentOutSideBySideWorkflow, [f"book:{number}", f"write:{number}"]) for number in range(8)]

    for run_id in runs:
        assert together(*[lambda run_id=run_id: work(run_id, 1, 2)] * 4) == []

    for run_id in runs:
        assert state(run_id) == ("completed", None)
        sound(run_id)
    assert effects.labels() == sorted([str(number) for number in range(8)] * 2)


def test_c15_of_two_members_that_settle_at_once_somebody_is_the_last() -> None:
    """Nobody wakes the run afterwards: who asked before its commit would leave it waiting."""
    for number in range(RACES):
        run_id = started(SentOutSideBySideWorkflow, [f"write:{number}a", f"write:{number}b", f"write:{number}c"])

        assert together(*[lambda seq=seq, run_id=run_id: work(run_id, seq) for seq in (1, 2, 3)]) == []

        assert state(run_id) == ("completed", None)
        assert kinds(run_id).count("StepCompleted") == 3


def test_c12_a_booking_that_was_given_up_while_it_was_open_takes_its_rows_with_it() -> None:
    """Another worker has done it meanwhile."""
    Meeting.anew()
    run_id = started(SideMeetWorkflow)

    def others() -> None:
        assert Meeting.entered.wait(20)
        ticket = row(run_id).ticket
        members.give_up(run_id, 1, ticket, members.verdicts.LOST)
        work(run_id)
        Meeting.opened.set()

    assert together(lambda: work(run_id), others) == []

    assert queries.get_run(run_id).result == "by attempt 2"
    assert effects.labels() == ["a"]
    assert codes(run_id) == ["worker_lost", None]
    sound(run_id)


def test_an_attempt_that_ends_in_the_instant_it_is_given_up_ends_once() -> None:
    """Either it counts, or the next one does; never both, never none."""
    for number in range(RACES):
        run_id = started(SentOutWorkflow, [f"book:{number}"])
        worker = process.current().id

        def give_up(run_id: uuid.UUID = run_id, looks: int = number % 8) -> None:
            for _ in range(looks):
                row(run_id)
            ticket = row(run_id).ticket
            members.give_up(run_id, 1, ticket, members.verdicts.LOST)

        assert together(lambda run_id=run_id: work(run_id), give_up) == []
        work(run_id)
        drive(run_id)

        assert state(run_id) == ("completed", None)
        assert effects.count(str(number)) == 1
        assert kinds(run_id).count("StepCompleted") == 1
        assert Process.objects.filter(pk=worker).exists()
        sound(run_id)


def test_two_sweeps_at_once_give_an_attempt_up_once() -> None:
    for number in range(10):
        run_id = started(SentOutWorkflow, [f"write:{number}"])
        members._begin(run_id, row(run_id), process.current())
        process.use(_expired())

        assert together(sweep, sweep, sweep) == []

        assert codes(run_id) == ["worker_lost"]
        assert row(run_id).losses == 1


def _expired() -> process.Identity:
    """The process in use dies; another takes its place."""
    Process.objects.filter(pk=process.current().id).update(expires_at="2000-01-01T00:00:00Z")
    return process.inline()


def test_b7_an_attempt_that_begins_in_the_instant_of_the_cancel_is_cancelled_or_undone() -> None:
    for number in range(RACES):
        run_id = started(SentOutWorkflow, [f"make:{number}"])

        def cancel(run_id: uuid.UUID = run_id) -> None:
            operations.cancel_run(run_id, reason="in that instant")
            drive(run_id)

        assert together(lambda run_id=run_id: work(run_id), cancel) == []
        drive(run_id)

        done = effects.count(str(number))
        after = queries.get_run(run_id)
        if after.status == "completed":
            told = [*entries(run_id, "CancelRequested"), *entries(run_id, "FactDelivered")]
            assert any(data.get("too_late") for data in told)
            continue
        assert after.status == "cancelled"
        assert effects.count(f"undo {number}") == done
        assert row(run_id).status == ("completed" if done else "cancelled")
        sound(run_id)


def test_a_token_that_two_use_at_once_is_used_once() -> None:
    for number in range(10):
        run_id = started(SentOutWorkflow, [f"sign:{number}"])
        work(run_id)
        token = TOKENS[-1]

        refused = together(*[lambda who=who, token=token: operations.complete_step(token, result=who) for who in "abc"])

        assert [type(error) for error in refused] == [TokenUnknown] * 2
        drive(run_id)
        assert state(run_id) == ("completed", None)
        sound(run_id)


def test_a_function_that_raises_in_the_instant_its_token_is_used_ends_with_one_of_both() -> None:
    for number in range(RACES):
        Meeting.anew()
        run_id = started(SideSignWorkflow)

        def complete(looks: int = number % 6, run_id: uuid.UUID = run_id) -> None:
            assert Meeting.entered.wait(20)
            Meeting.opened.set()
            for _ in range(looks):
                row(run_id)
            operations.complete_step(TOKENS[-1], result="signed")

        refused = together(lambda run_id=run_id: work(run_id), complete)
        drive(run_id)

        if refused:
            assert [type(error) for error in refused] == [TokenUnknown]
            assert row(run_id).status == "scheduled"
            assert codes(run_id) == ["disturbed"]
        else:
            assert queries.get_run(run_id).result == "signed"
            assert codes(run_id) == [None]
        sound(run_id)
    assert Run.objects.filter(driver__isnull=False).count() == 0


def test_a_run_that_is_paused_in_the_instant_a_member_settles_keeps_its_outcome(
    workflow_env: WorkflowEnvironment,
) -> None:
    for number in range(RACES):
        run_id = started(SentOutWorkflow, [f"write:{number}", f"write:{number}b"])

        def pause(run_id: uuid.UUID = run_id) -> None:
            operations.pause_run(run_id, reason="look")

        together(lambda run_id=run_id: work(run_id), pause)
        drive(run_id)
        if state(run_id) == ("held", "paused"):
            operations.resume_run(run_id, reason="go on")
        drive(run_id)
        for seq in (1, 2):
            work(run_id, seq)
            drive(run_id)

        assert queries.get_run(run_id).result == [f"did {number}", f"did {number}b"]
        assert effects.count(str(number)) == 1
        sound(run_id)

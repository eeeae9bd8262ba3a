"""Drivers and operators at the same time, each on a connection of its own: locks, fences and marks for real."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from tests.workflows import effects
from tests.workflows.cast import CastWorkflow
from tests.workflows.views import entries, sound
from workflows import Workflow, activity, operations, queries
from workflows.core.errors import NotAllowedInState
from workflows.models import InboxItem, Run
from workflows.runtime import advance, process

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs Postgres: set DATABASE_URL"),
]

RACES = 60


class Gate:
    """A step waits inside until the test opens it."""

    entered = threading.Event()
    opened = threading.Event()


@activity(name="side_by_side.gated", transactional=True)
def gated(*, label: str) -> str:
    effects.write(label)
    Gate.entered.set()
    assert Gate.opened.wait(20)
    return label


class GatedWorkflow(Workflow[list[str]]):
    """A booking that takes its time, and one after it."""

    async def execute(self) -> list[str]:
        return [await self.activity(gated, label=label) for label in "ab"]


@pytest.fixture(autouse=True)
def _one_process() -> Iterator[None]:
    Gate.entered.clear()
    Gate.opened.clear()
    before = process.use(process.inline())
    yield
    Gate.opened.set()
    process.use(before)


def together(*acts: Callable[[], object], patience: float = 30) -> list[BaseException]:
    """Run each act in a thread of its own, all begun at once; what they raised. `patience` in seconds."""
    start = threading.Barrier(len(acts))
    raised: list[BaseException] = []

    def play(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=play, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=patience)
    assert not any(thread.is_alive() for thread in threads)
    return raised


def test_c11_an_act_is_not_kept_waiting_by_the_transaction_of_the_step_in_hand() -> None:
    """The run's row is touched last, so an operator's act commits while the booking is still open."""
    run = operations.start_run(GatedWorkflow)
    requested: list[str | None] = []

    def cancel_meanwhile() -> None:
        assert Gate.entered.wait(20)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        requested.append(operations.cancel_run(run.id, reason="while it books").requested)
        Gate.opened.set()

    assert together(lambda: advance.advance(run.id), cancel_meanwhile) == []

    assert requested == ["cancel"]
    after = queries.get_run(run.id)
    assert (after.status, after.requested) == ("cancelled", None)
    assert effects.labels() == ["a"]
    sound(run.id)


def test_two_drivers_given_the_same_run_do_each_step_once() -> None:
    runs = [operations.start_run(CastWorkflow, ["book:a", "write:b", "make:c", "refuse:d"]).id for _ in range(10)]

    for run_id in runs:
        assert together(*[lambda run_id=run_id: advance.advance(run_id)] * 3) == []

    for run_id in runs:
        assert queries.get_run(run_id).status == "compensated"
        sound(run_id)
    assert effects.labels().count("a") == effects.labels().count("b") == len(runs)
    assert effects.count("undo c") == len(runs)


def test_c14_no_cancel_that_races_with_a_driver_is_stranded() -> None:
    """Whatever the instant: carried out, or recorded as too late, or refused because the run was closed."""
    for number in range(RACES):
        run = operations.start_run(CastWorkflow, ["make:a", "write:b", "write:c"])
        looks = number % 20
        refused = together(
            lambda run=run: advance.advance(run.id), lambda run=run, looks=looks: _cancel_after(run.id, looks)
        )
        if Run.objects.filter(pk=run.id, wake_at__isnull=False).exists():
            advance.advance(run.id)  # the act took the fence and made the run due: the hint it sent

        after = queries.get_run(run.id)
        told = entries(run.id, "CancelRequested")
        if refused:
            assert [type(error) for error in refused] == [NotAllowedInState]
            assert (after.status, told) == ("completed", [])
        elif after.status == "completed":
            assert [bool(event.get("too_late")) for event in told] == [True]
        else:
            assert after.status == "cancelled"
            assert len(told) == 1
        assert after.requested is None
        sound(run.id)
    assert not InboxItem.objects.filter(taken_at=None).exists()


def _cancel_after(run_id: uuid.UUID, looks: int) -> None:
    """Cancel at another instant each time: after so many looks at the run."""
    for _ in range(looks):
        queries.get_status(run_id)
    operations.cancel_run(run_id, reason="in that instant")


def test_acts_on_one_run_at_the_same_time_are_done_one_after_the_other() -> None:
    run = operations.start_run(CastWorkflow, ["refuse:x"])
    advance.advance(run.id)

    raised = together(*[lambda: operations.rerun(run.id, reason="again")] * 2, *[lambda: _retry(run.id)] * 3)

    assert [type(error) for error in raised] == [NotAllowedInState] * 2
    assert len(entries(run.id, "RetryRequested")) == 1
    sound(run.id)


def _retry(run_id: uuid.UUID) -> None:
    operations.retry_run(run_id, reason="again")

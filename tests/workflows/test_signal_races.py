"""SEMANTICS C14: a signal that commits in the instant a run lets go or closes is never stranded, with the sweep off.

Two threads of one process; `RACES` sets how often each race is run.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.workflows.cast import write
from tests.workflows.improvised import ImprovisedWorkflow, improvise
from tests.workflows.test_side_by_side import _one_process, together
from tests.workflows.views import entries, sound
from workflows import operations, queries
from workflows.core.errors import NotAllowedInState
from workflows.models import InboxItem, Run
from workflows.runtime import advance

__all__ = ["_one_process"]

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs Postgres: set DATABASE_URL"),
]

RACES = int(os.environ.get("RACES", "100"))


async def waits_for_a_word(workflow: ImprovisedWorkflow) -> list[str]:
    await workflow.activity(write, label="a")
    await workflow.wait_for(lambda: workflow.heard)
    return list(workflow.heard)


async def closes(workflow: ImprovisedWorkflow) -> list[str]:
    await workflow.activity(write, label="a")
    return list(workflow.heard)


def say_after(run_id: uuid.UUID, looks: int) -> None:
    """Another instant each time: after so many looks at the run."""
    for _ in range(looks):
        queries.get_status(run_id)
    operations.signal_run(run_id, "say", "go")


def hinted(run_id: uuid.UUID) -> None:
    """What the hints that were sent lead to: whoever finds the run due drives it. There is no sweep."""
    while Run.objects.filter(pk=run_id, wake_at__isnull=False, driver__isnull=True).exists():
        advance.advance(run_id)


def raced(code: str) -> Iterator[tuple[uuid.UUID, list[BaseException]]]:
    """Runs that a driver and a signal have raced for, each with what the signal was refused by. Two threads do all."""
    runs = [operations.start_run(ImprovisedWorkflow, code).id for _ in range(RACES)]
    refused: dict[uuid.UUID, list[BaseException]] = {run_id: [] for run_id in runs}
    start = threading.Barrier(2)

    def drive() -> None:
        for run_id in runs:
            start.wait(60)
            advance.advance(run_id)

    def speak() -> None:
        for number, run_id in enumerate(runs):
            start.wait(60)
            try:
                say_after(run_id, number % 15)
            except NotAllowedInState as refusal:
                refused[run_id].append(refusal)

    assert together(drive, speak, patience=30 + RACES / 5) == []
    for run_id in runs:
        hinted(run_id)
        yield run_id, refused[run_id]


def test_no_signal_is_stranded_when_a_run_lets_go() -> None:
    for run_id, refused in raced(improvise(waits_for_a_word)):
        assert refused == []
        assert queries.get_run(run_id).result == ["go"], "stranded"
    sound(run_id)
    assert not InboxItem.objects.filter(taken_at=None).exists()


def test_a_signal_that_meets_the_close_is_heard_recorded_or_refused() -> None:
    outcomes: set[str] = set()
    for run_id, refused in raced(improvise(closes)):
        after = queries.get_run(run_id)
        told = entries(run_id, "SignalReceived")
        assert after.status == "completed"
        if refused:
            assert (told, after.result) == ([], [])
            outcomes.add("refused")
        else:
            assert len(told) == 1, "stranded"
            outcomes.add("heard" if after.result else "recorded")
    sound(run_id)
    assert not InboxItem.objects.filter(taken_at=None).exists()
    assert len(outcomes) > 1, "the races all ended alike: they prove nothing"

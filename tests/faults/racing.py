"""The client's side of races: messages that come in the instants in which runs are let go or end."""

from __future__ import annotations

import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from tests.faults.race_flows import ClosingWorkflow, ListeningWorkflow
from workflows import operations, queries
from workflows.core.errors import NotAllowedInState
from workflows.core.status import CLOSED
from workflows.models import HistoryEvent, InboxItem, Run

_THREADS = 3
#: Seconds within which a driver reads what waits, decides and lets go.
_A_DRIVE = 0.012
#: Runs that stand ready to be raced for at once.
_BATCH = 50


def race_signals(crowd: str, races: int, each: int = 10) -> int:
    """Send so many signals, `each` to a run, the next while its driver is about to let go after the last."""
    runs = max(races // each, 1)

    def ring(number: int) -> None:
        run_id = operations.start_run(ListeningWorkflow, each, key=f"{crowd}-{number}").id
        for count in range(each):
            operations.signal_run(run_id, "ring", count)
            time.sleep(random.uniform(0, _A_DRIVE))

    _side_by_side(ring, range(runs))
    return runs


def race_closings(crowd: str, races: int) -> dict[str, int]:
    """Send each of so many runs the signal it ends with, and another while it ends. Run -> how many were accepted."""
    accepted: dict[str, int] = {}
    for first in range(0, races, _BATCH):
        numbers = range(first, min(first + _BATCH, races))
        runs = [operations.start_run(ClosingWorkflow, key=f"{crowd}-{number}").id for number in numbers]
        while Run.objects.filter(id__in=runs, status="waiting").count() < len(runs):
            time.sleep(0.02)
        for answers in _side_by_side(_end, runs):
            accepted |= answers
    return accepted


def _end(run_id: uuid.UUID) -> dict[str, int]:
    operations.signal_run(run_id, "ring", 1)
    time.sleep(random.uniform(0, _A_DRIVE))
    try:
        operations.signal_run(run_id, "ring", 2)
    except NotAllowedInState:
        return {str(run_id): 1}
    return {str(run_id): 2}


def race_members(crowd: str, workflow: str, runs: int, inputs: dict[str, int]) -> int:
    """Start so many runs whose members settle side by side."""
    for number in range(runs):
        operations.start_run(workflow, key=f"{crowd}-{number}", **inputs)
    return runs


def _side_by_side(act: Callable[[Any], Any], items: Any) -> list[Any]:
    def then_let_go(item: Any) -> Any:
        try:
            return act(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(then_let_go, items))


def closed(crowd: str) -> int:
    """How many runs of a crowd have ended."""
    return Run.objects.filter(key__startswith=f"{crowd}-", status__in=CLOSED).count()


def stranded(crowd: str) -> list[str]:
    """What the open runs of a crowd look like."""
    runs = Run.objects.filter(key__startswith=f"{crowd}-").exclude(status__in=CLOSED)
    unread = Counter(InboxItem.objects.filter(run__in=runs, taken_at=None).values_list("run_id", flat=True))
    return [
        f"{run.key}: {run.status} {run.hold_reason} driver={run.driver} wanted={run.wanted} unread={unread[run.id]}"
        for run in runs
    ]


def signals_received(crowd: str) -> dict[str, int]:
    """Run -> how many signals its code met."""
    runs = Run.objects.filter(key__startswith=f"{crowd}-")
    met = Counter(
        HistoryEvent.objects.filter(run_id__in=runs.values("id"), kind="SignalReceived").values_list(
            "run_id", flat=True
        )
    )
    return {str(run_id): met[run_id] for run_id in runs.values_list("id", flat=True)}


def results(crowd: str) -> list[Any]:
    """What the runs of a crowd gave, each different result once."""
    found = Run.objects.filter(key__startswith=f"{crowd}-").values_list("status", "result").distinct()
    return [list(each) for each in found]


def findings(crowd: str) -> list[str]:
    """What `verify` says of the runs of a crowd."""
    runs = Run.objects.filter(key__startswith=f"{crowd}-").values_list("id", flat=True)
    return [f"{run_id}: {finding.problem}" for run_id in runs for finding in queries.verify_run(run_id)]


HANDLERS: dict[str, Callable[..., Any]] = {
    "race_signals": race_signals,
    "race_closings": race_closings,
    "race_members": race_members,
    "closed": closed,
    "stranded": stranded,
    "signals_received": signals_received,
    "results": results,
    "findings": findings,
}

"""The client's side of races: messages that come in the instants in which runs are let go or end."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from tests.faults.race_flows import A_DRIVE, ClosingWorkflow, ListeningWorkflow
from workflows import operations
from workflows.core.errors import NotAllowedInState
from workflows.models import Run

_THREADS = 3
#: Runs that stand ready to be raced for at once.
_BATCH = 50


def race_signals(crowd: str, races: int, each: int = 10) -> int:
    """Send so many signals, `each` to a run, the next while its driver is about to let go after the last."""
    runs = max(races // each, 1)

    def ring(number: int) -> None:
        run_id = operations.start_run(ListeningWorkflow, each, key=f"{crowd}-{number}").id
        for count in range(each):
            operations.signal_run(run_id, "ring", count)
            time.sleep(random.uniform(0, A_DRIVE))

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
    time.sleep(random.uniform(0, A_DRIVE))
    try:
        operations.signal_run(run_id, "ring", 2)
    except NotAllowedInState:
        return {str(run_id): 1}
    return {str(run_id): 2}


def _side_by_side(act: Callable[[Any], Any], items: Any) -> list[Any]:
    def then_let_go(item: Any) -> Any:
        try:
            return act(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(then_let_go, items))


HANDLERS: dict[str, Callable[..., Any]] = {
    "race_signals": race_signals,
    "race_closings": race_closings,
}

"""W3: 200 runs that each gather 10 members, and one that gathers 1,000, beside bare Celery chords of the same size."""

from __future__ import annotations

import time
from dataclasses import dataclass

from celery import chord

from benchmarks import workers
from benchmarks.flows import FanOutWorkflow
from benchmarks.worker_app import add_up, member
from workflows import operations

RUNS, MEMBERS, MANY = 200, 10, 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """Joins a second of small gathers, and seconds of a large one, ours and a bare chord's (no database)."""

    joins: float
    bare_joins: float
    large_seconds: float
    bare_large_seconds: float


def measure() -> Measured:
    """Workers must be there (`workers.working`)."""
    return Measured(RUNS / _gathers(RUNS, MEMBERS), RUNS / _chords(RUNS, MEMBERS), _gathers(1, MANY), _chords(1, MANY))


def _gathers(runs: int, members: int) -> float:
    before = workers.completed()
    begun = time.perf_counter()
    for _ in range(runs):
        operations.start_run(FanOutWorkflow, members)
    workers.wait_until_completed(before + runs)
    return time.perf_counter() - begun


def _chords(runs: int, members: int) -> float:
    begun = time.perf_counter()
    joined = [chord([member.s(number) for number in range(members)])(add_up.s()) for _ in range(runs)]
    for result in joined:
        result.get(timeout=120)
    return time.perf_counter() - begun

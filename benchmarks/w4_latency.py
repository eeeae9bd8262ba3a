"""W4: how long one run of 3 steps takes through Redis, from its start to its end, with nothing else to do."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from benchmarks import workers
from benchmarks.flows import StepsWorkflow
from workflows import operations
from workflows.core.status import RunStatus
from workflows.models import Run

RUNS = 200
STEPS = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds."""

    median: float
    ninety_fifth: float


def measure() -> Measured:
    """Workers must be there (`workers.working`)."""
    workers.wait_until_completed(workers.completed())
    taken = sorted(_one() * 1000 for _ in range(RUNS))
    return Measured(statistics.median(taken), taken[int(RUNS * 0.95)])


def _one() -> float:
    begun = time.perf_counter()
    run = operations.start_run(StepsWorkflow, STEPS)
    while not Run.objects.filter(pk=run.id, status=RunStatus.COMPLETED).exists():
        time.sleep(0.0005)
    return time.perf_counter() - begun

"""W2: 1,000 runs of 5 steps, two worker processes on Redis."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks import workers
from benchmarks.flows import StepsWorkflow
from workflows import operations

RUNS = 1000
STEPS = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """Runs a second from the first start to the last end, all starts included."""

    runs: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.runs / self.seconds


def measure() -> Measured:
    """Workers must be there (`workers.working`)."""
    before = workers.completed()
    begun = time.perf_counter()
    for _ in range(RUNS):
        operations.start_run(StepsWorkflow, STEPS)
    workers.wait_until_completed(before + RUNS)
    return Measured(RUNS, time.perf_counter() - begun)

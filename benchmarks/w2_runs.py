"""W2: 1,000 runs of 5 steps, two worker processes on Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.flows import StepsWorkflow
from workflows import operations
from workflows.core.status import RunStatus
from workflows.models import Run

RUNS = 1000
STEPS = 5
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """Runs a second from the first start to the last end, all starts included."""

    runs: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.runs / self.seconds


def measure() -> Measured:
    before = Run.objects.filter(status=RunStatus.COMPLETED).count()
    workers = [_worker(number) for number in range(WORKERS)]
    try:
        _warm(before)
        before = Run.objects.filter(status=RunStatus.COMPLETED).count()
        begun = time.perf_counter()
        for _ in range(RUNS):
            operations.start_run(StepsWorkflow, STEPS)
        while Run.objects.filter(status=RunStatus.COMPLETED).count() < before + RUNS:
            time.sleep(0.05)
        return Measured(RUNS, time.perf_counter() - begun)
    finally:
        for worker in workers:
            os.killpg(worker.pid, signal.SIGTERM)
        for worker in workers:
            worker.wait(timeout=30)


def _warm(before: int) -> None:
    """Both workers have connected and driven something."""
    for _ in range(20):
        operations.start_run(StepsWorkflow, STEPS)
    while Run.objects.filter(status=RunStatus.COMPLETED).count() < before + 20:
        time.sleep(0.05)


def _worker(number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "benchmarks.worker_app", "worker", "-c", "1", "-l", "ERROR",
            "-n", f"bench{number}@localhost", "--without-gossip", "--without-mingle", "--without-heartbeat",
        ],
        start_new_session=True,
    )  # fmt: skip

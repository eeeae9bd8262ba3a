"""Two worker processes on Redis for the workloads that need them, warm before anything is timed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.flows import StepsWorkflow
from workflows import operations
from workflows.core.status import RunStatus
from workflows.models import Run

WORKERS = 2


def completed() -> int:
    """How many runs have completed."""
    return Run.objects.filter(status=RunStatus.COMPLETED).count()


def wait_until_completed(number: int) -> None:
    """Wait for that many completed runs in all."""
    while completed() < number:
        time.sleep(0.02)


@contextmanager
def working() -> Iterator[None]:
    """Workers for the length of the block; both have connected and driven something."""
    processes = [_worker(number) for number in range(WORKERS)]
    try:
        before = completed()
        for _ in range(20):
            operations.start_run(StepsWorkflow, 5)
        wait_until_completed(before + 20)
        yield
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in processes:
            process.wait(timeout=30)


def _worker(number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "benchmarks.worker_app", "worker", "-c", "1", "-l", "ERROR",
            "-n", f"bench{number}@localhost", "--without-gossip", "--without-mingle", "--without-heartbeat",
        ],
        start_new_session=True,
    )  # fmt: skip

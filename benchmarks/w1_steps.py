"""W1: milliseconds per sequential step for runs of 100, 1,000 and 5,000 steps, in one process on Postgres.

The yardstick is a bare one-row INSERT commit in the same process and the same run of the benchmark, in two ways: in a
tight loop around each run, and one at a time between the steps, where the commit meets the same machine as a step does
(caches and sleeping cores included). The time of the commits between steps is taken off the run's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import bare
from benchmarks.flows import StepsWorkflow, interleaved
from workflows import operations, store
from workflows.runtime import advance

SIZES = (100, 1000, 5000)
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """One size, medians over the rounds; ratios are taken round by round."""

    steps: int
    step_ms: float
    between_ms: float
    tight_ms: float
    ratio_between: float
    ratio_tight: float
    statements_per_step: float


def measure(url: str) -> Iterator[Measured]:
    _one_run(100, url)  # warm: connections, prepared statements, caches
    for steps in SIZES:
        rounds = [_one_run(steps, url) for _ in range(ROUNDS)]
        yield Measured(
            steps,
            statistics.median(step for step, _, _, _ in rounds),
            statistics.median(between for _, between, _, _ in rounds),
            statistics.median(tight for _, _, tight, _ in rounds),
            statistics.median(step / between for step, between, _, _ in rounds),
            statistics.median(step / tight for step, _, tight, _ in rounds),
            statistics.median(sent for *_, sent in rounds),
        )


def _one_run(steps: int, url: str) -> tuple[float, float, float, float]:
    before = bare.milliseconds_per_commit(url)
    with bare.Committer(url) as committer:
        interleaved.commit = committer.commit
        run = operations.start_run(StepsWorkflow, steps)
        sent = store.statements.sent
        begun = time.perf_counter()
        advance.advance(run.id)
        took = time.perf_counter() - begun
        per_step = (store.statements.sent - sent) / steps
        interleaved.commit = None
    tight = (before + bare.milliseconds_per_commit(url)) / 2
    step_ms = (took - sum(committer.times)) / steps * 1000
    return step_ms, statistics.median(committer.times) * 1000, tight, per_step

"""W1: milliseconds per sequential step for runs of 100, 1,000 and 5,000 steps, in one process on Postgres.

The yardstick is a bare one-row INSERT commit in the same process and the same run of the benchmark, in two ways: in a
tight loop before and after a run, and, for a second run, one at a time between its steps, where the commit meets the
same machine as a step does (caches and sleeping cores included). The time of those commits is taken off that run's.
Steps and commits are told by their mean: whole run by its steps, whole loop by its commits.
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

#: Steps of a run, and how many runs of that length are measured.
SIZES = {100: 15, 1000: 5, 5000: 3}
#: Steps of a run that is not measured, after a loop of commits: the first steps after one are slower by a fifth.
WARM = 200


@dataclass(frozen=True, slots=True)
class Round:
    """Two runs of one length and the bare commits beside them, in milliseconds."""

    step: float
    tight: float
    step_beside: float
    between: float
    statements: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One length, medians over its rounds; ratios are taken round by round."""

    steps: int
    step_ms: float
    tight_ms: float
    ratio: float
    step_beside_ms: float
    between_ms: float
    ratio_beside: float
    statements_per_step: float


def measure(url: str) -> Iterator[Measured]:
    _one_round(100, url)  # warm: connections, prepared statements, caches
    for steps, times in SIZES.items():
        rounds = [_one_round(steps, url) for _ in range(times)]
        yield Measured(
            steps,
            statistics.median(done.step for done in rounds),
            statistics.median(done.tight for done in rounds),
            statistics.median(done.step / done.tight for done in rounds),
            statistics.median(done.step_beside for done in rounds),
            statistics.median(done.between for done in rounds),
            statistics.median(done.step_beside / done.between for done in rounds),
            statistics.median(done.statements for done in rounds),
        )


def _one_round(steps: int, url: str) -> Round:
    before = bare.milliseconds_per_commit(url)
    _drive(WARM)
    sent = store.statements.sent
    alone = _drive(steps)
    per_step = (store.statements.sent - sent) / steps
    tight = (before + bare.milliseconds_per_commit(url)) / 2
    with bare.Committer(url) as committer:
        interleaved.commit = committer.commit
        shared = _drive(steps) - sum(committer.times) / steps * 1000
        interleaved.commit = None
    between = statistics.mean(committer.times) * 1000
    return Round(alone, tight, shared, between, per_step)


def _drive(steps: int) -> float:
    """Milliseconds per step of one run."""
    run = operations.start_run(StepsWorkflow, steps)
    begun = time.perf_counter()
    advance.advance(run.id)
    return (time.perf_counter() - begun) / steps * 1000

"""Many runs of all kinds on two workers while everything around them is disturbed: each ends as an undisturbed one.

Every message is doubled, so both workers are given each run at once; some are lost. Redis is flushed in the middle,
beat is away for ten seconds, then two of them run.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults import services
from tests.faults.mixed_flows import KINDS, TornWorkflow
from tests.faults.system import System

pytestmark = pytest.mark.workers

RUNS = 500
RUNS_WITH_A_KILL = 120
#: Longest time between two runs that end; a lost message costs a run ten seconds, and twice that at the second time.
PATIENCE = 60.0
#: No worker of a loaded machine is silent that long: whatever is tried again was not lost with its process.
LONG_LEASE = 30.0

Outcome = dict[str, Any]
MakeSystem = Callable[..., System]


@pytest.fixture(scope="module")
def undisturbed(system: System) -> dict[str, Outcome]:
    """How a run of each kind ends while nobody disturbs it."""
    system.ask("crowd_begin", crowd="calm", count=len(KINDS))
    _wait_for_crowd(system, "calm", len(KINDS))
    outcomes: dict[str, Outcome] = system.ask("crowd_outcomes", crowd="calm")
    assert all(outcome["findings"] == [] for outcome in outcomes.values())
    return {outcome["kind"]: outcome for outcome in outcomes.values()}


def _wait_for_crowd(system: System, crowd: str, number: int) -> None:
    """Wait until so many runs are closed; fails at the first trouble, and when none ends for a while."""
    closed, since = -1, time.monotonic()
    while closed < number:
        progress = system.ask("crowd_progress", crowd=crowd)
        assert progress["troubles"] == [], system.logs()
        if progress["closed"] > closed:
            closed, since = progress["closed"], time.monotonic()
        left = system.ask("left_open", crowd=crowd) if time.monotonic() - since > PATIENCE else []
        assert not left, f"no run ended for {PATIENCE} s, {len(left)} are open:\n{left}\n{system.logs()}"
        time.sleep(0.1)


def _assert_torn(outcome: Outcome, calm: Outcome) -> None:
    """Which members had begun when one failed is chance: every booking is there once and was undone once."""
    assert (outcome["status"], outcome["error"]) == (calm["status"], calm["error"])
    booked = {part for part in outcome["effects"] if not part.endswith(":undone")}
    assert outcome["effects"] == Counter(booked) + Counter(f"{part}:undone" for part in booked)
    assert "before" in booked


def _assert_as_undisturbed(outcomes: dict[str, Outcome], undisturbed: dict[str, Outcome]) -> None:
    differing = []
    for label, outcome in outcomes.items():
        calm = undisturbed[outcome["kind"]]
        if outcome["kind"] == TornWorkflow.name:
            _assert_torn(outcome, calm)
        elif outcome != calm:
            differing.append((label, outcome, calm))
    assert differing == []


def test_the_undisturbed_runs_end_as_their_authors_meant(undisturbed: dict[str, Outcome]) -> None:
    """What the others are compared with."""
    ends = {kind: (calm["status"], calm["result"] or calm["error"]) for kind, calm in undisturbed.items()}

    assert ends == {
        "mixed.Flat": ("completed", "b0+b1+b2+t0+t1"),
        "mixed.Chunks": ("completed", 11),
        "mixed.Torn": ("compensated", "refused"),
        "mixed.Branches": ("completed", "l1+l2/r1+r2"),
        "mixed.Signals": ("completed", "x+y+z"),
        "mixed.Update": ("completed", "yes"),
        "mixed.Patient": ("completed", "late"),
        "mixed.Undone": ("compensated", "refused"),
        "mixed.SentOut": ("completed", "report+booked"),
        "mixed.Overdue": ("completed", "timed_out+heartbeat_lost"),
        "mixed.Outside": ("completed", "told"),
        "mixed.Cancelled": ("cancelled", "cancelled"),
    }
    assert all(number == 1 for calm in undisturbed.values() for number in calm["effects"].values())
    assert undisturbed["mixed.Undone"]["effects"].keys() == {
        "one", "two", "three", "one:undone", "two:undone", "three:undone",
    }  # fmt: skip
    assert undisturbed["mixed.SentOut"]["effects"] == {"report:half": 1, "booked": 1}


@pytest.fixture(scope="module")
def disturbed(make_system: MakeSystem, flushable_redis: str) -> System:
    """Every message is doubled, some are lost; its Redis may be flushed."""
    system = make_system(
        "disturbed", broker=flushable_redis, results=flushable_redis, lease=LONG_LEASE, doubled=100, lost=2
    )
    system.start(workers=2)
    return system


def test_a_run_whose_members_replies_are_lost_is_not_stranded(disturbed: System, flushable_redis: str) -> None:
    """The results of a chord's members, and their count, go with a flush: its body is never called."""
    gate = disturbed.gate("flushed")
    run_id = disturbed.ask("start", workflow="scenario.Join", key="flushed", label="flushed", gate=gate)
    disturbed.wait_entered(gate)

    services.flush(flushable_redis)
    disturbed.open(gate)
    run = disturbed.wait_closed(run_id)

    assert (run["status"], run["result"]) == ("completed", "a+b")
    assert disturbed.ask("effect_counts", label="flushed:%") == {"flushed:a": 1, "flushed:b": 1}
    assert disturbed.ask("verify", run_id=run_id) == []


def test_disturbed_runs_end_as_undisturbed_ones(
    disturbed: System, flushable_redis: str, undisturbed: dict[str, Outcome]
) -> None:
    disturbed.ask("crowd_begin", crowd="crowd", count=RUNS)

    _wait_for_crowd(disturbed, "crowd", RUNS // 10)
    disturbed.end(disturbed.beats[0])
    services.flush(flushable_redis)
    time.sleep(10)
    for number in (1, 2):
        disturbed.start_beat(number)
    _wait_for_crowd(disturbed, "crowd", RUNS // 2)
    services.flush(flushable_redis)
    _wait_for_crowd(disturbed, "crowd", RUNS)

    outcomes = disturbed.ask("crowd_outcomes", crowd="crowd")
    assert len(outcomes) == RUNS
    _assert_as_undisturbed(outcomes, undisturbed)
    assert disturbed.ask("overdue") == 0


def test_runs_whose_worker_is_killed_lose_nothing_and_double_no_transaction(
    make_system: MakeSystem, flushable_redis: str, undisturbed: dict[str, Outcome]
) -> None:
    """A plain activity may be called again by another worker; what is in one transaction with its record is not."""
    killed = make_system("killed", broker=flushable_redis, results=flushable_redis, lease=3.0, doubled=50, lost=2)
    killed.start(workers=1)
    victim = killed.start_worker(1)
    killed.ask("crowd_begin", crowd="crowd", count=RUNS_WITH_A_KILL)

    for number in (2, 3):
        _wait_for_crowd(killed, "crowd", RUNS_WITH_A_KILL * (number - 1) // 4)
        killed.end(victim, signal.SIGKILL)
        victim = killed.start_worker(number)
    _wait_for_crowd(killed, "crowd", RUNS_WITH_A_KILL)

    outcomes = killed.ask("crowd_outcomes", crowd="crowd")
    assert len(outcomes) == RUNS_WITH_A_KILL
    for outcome in outcomes.values():
        told = {part for part in outcome["effects"] if part in PLAIN[outcome["kind"]]}
        outcome["effects"] |= dict.fromkeys(told, 1)
    _assert_as_undisturbed(outcomes, undisturbed)


#: Effects of activities that are not transactional: at least once.
PLAIN: dict[str, frozenset[str]] = {kind.name: frozenset() for kind in KINDS} | {
    "mixed.Flat": frozenset({"t0", "t1"}),
    "mixed.Branches": frozenset({"l2", "r3"}),
    "mixed.Update": frozenset({"yes"}),
    "mixed.Patient": frozenset({"late"}),
    "mixed.Undone": frozenset({"two"}),
    "mixed.SentOut": frozenset({"report:half"}),
}

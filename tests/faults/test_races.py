"""Facts that come in the instant in which a run is let go or ends, on two workers without beat: none is stranded.

Nothing would find a run whose hint came to nothing: there is no wake and no sweep, and no chord wakes anybody. 500
races of each kind, or as many as `RACES` says (`make races`).

Seen to fail: without the `wanted` mark in a release (`unless_wanted=False` in `Session.checkpoint`) signals and
members are stranded; with `members._is_awaited` asked inside the member's transaction, pairs are.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers

RACES = int(os.environ.get("RACES", "500"))
#: So long after the last event of any of them, runs that are open are stranded.
PATIENCE = 20.0


@pytest.fixture(scope="module")
def racing(make_system: Callable[..., System]) -> System:
    """Two workers without beat and without results of tasks: no chord, so that members alone wake their run."""
    system = make_system("racing", results=None, lease=30.0)
    system.start(workers=2, beat=False)
    return system


def _assert_all_close(system: System, crowd: str, runs: int) -> None:
    seen, since = -1, time.monotonic()
    while system.ask("closed", crowd=crowd) < runs:
        before, seen = seen, system.ask("events_so_far", crowd=crowd)
        since = time.monotonic() if seen > before else since
        if time.monotonic() - since > PATIENCE:
            stranded = system.ask("left_open", crowd=crowd)
            pytest.fail(f"{len(stranded)} of {runs} runs are stranded:\n" + "\n".join(stranded[:20]) + system.logs())
        time.sleep(0.2)
    assert system.ask("findings", crowd=crowd) == []


def test_a_signal_in_the_instant_a_run_is_let_go_reaches_it(racing: System) -> None:
    crowd = f"signals-{uuid.uuid4()}"

    runs = racing.ask("race_signals", crowd=crowd, races=RACES, each=10)

    _assert_all_close(racing, crowd, runs)
    assert racing.ask("results", crowd=crowd) == [["completed", "10"]]


def test_a_signal_in_the_instant_a_run_ends_reaches_it_or_is_refused(racing: System) -> None:
    """What was accepted stands in the history; nothing is taken and then forgotten."""
    crowd = f"closings-{uuid.uuid4()}"

    accepted = racing.ask("race_closings", crowd=crowd, races=RACES)

    _assert_all_close(racing, crowd, RACES)
    assert racing.ask("events_of", crowd=crowd, kind="SignalReceived") == accepted
    assert len(set(accepted.values())) == 2, "no race was met: all signals were accepted, or all refused"


@pytest.mark.parametrize("workflow", ["race.Settling", "race.Pair"])
def test_members_that_settle_in_the_instant_the_run_is_let_go_reach_it(racing: System, workflow: str) -> None:
    """Of branches, each of which is delivered alone; of flat gathers, where the last of two wakes the run."""
    crowd, rounds = f"members-{uuid.uuid4()}", 10
    runs = max(RACES // rounds, 1)
    racing.ask("start_many", workflow=workflow, crowd=crowd, count=runs, inputs={"rounds": rounds})

    _assert_all_close(racing, crowd, runs)
    assert racing.ask("results", crowd=crowd) == [["completed", str(2 * rounds)]]

"""Deploys: an old and a new build side by side, and a new one instead of the old one.

Seen to fail: when a claim does not ask for the run's (name, version), the old build holds what it cannot replay; with
`patched` that is True for runs begun before the change, those are held.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers

RUNS = 100
OLD, NEW = "tests.faults.builds.old", "tests.faults.builds.new"
PATIENCE = 45.0

MakeSystem = Callable[..., System]


def _wait_closed(system: System, *crowds: str) -> None:
    """Wait until every run of the crowds is closed; fails at the first that is held, and when none ends any more."""
    closed, since = -1, time.monotonic()
    while closed < RUNS * len(crowds):
        statuses = [system.ask("statuses", crowd=crowd) for crowd in crowds]
        ended = sum(each.get("completed", 0) for each in statuses)
        since = time.monotonic() if ended > closed else since
        closed = ended
        assert all(set(each) <= {"pending", "running", "waiting", "completed"} for each in statuses), statuses
        assert time.monotonic() - since < PATIENCE, f"{statuses}\n{system.logs()}"
        time.sleep(0.1)


def _marks(system: System, crowd: str) -> tuple[set[str], set[str]]:
    """The parts that a crowd's runs marked, each once in each run, and the workers that did it."""
    counts = system.ask("effect_counts", label=f"{crowd}-%")
    assert set(counts.values()) == {1}, "a step was repeated"
    split = [effect.rsplit(":", 2) for effect in counts]
    parts, workers = {part for _, part, _ in split}, {worker for *_, worker in split}
    assert len(split) == RUNS * len(parts)
    return parts, workers


def test_runs_of_both_versions_go_on_while_old_and_new_workers_stand_side_by_side(make_system: MakeSystem) -> None:
    system = make_system("side", lease=30.0)
    system.start(workers=0)
    old, new = system.start_worker(0, app=OLD), system.start_worker(1, app=NEW)
    system.wait_ready(0, 1)
    first, second = f"first-{uuid.uuid4()}", f"second-{uuid.uuid4()}"

    for crowd, version in ((first, 1), (second, 2)):
        inputs = {"version": version}
        system.ask("start_many", workflow="hop.Hop", crowd=crowd, count=RUNS, inputs=inputs, labelled=True)
    _wait_closed(system, first, second)

    assert system.ask("results", crowd=first) == [["completed", '"one+two+three+four"']]
    assert system.ask("results", crowd=second) == [["completed", '"new one+new two+new three"']]
    assert _marks(system, first) == ({"one", "two", "three", "four"}, {str(old.pid), str(new.pid)})
    parts, _ = _marks(system, second)
    assert parts == {"new one", "new two", "new three"}
    assert system.ask("findings", crowd=first) + system.ask("findings", crowd=second) == []


def test_runs_begun_before_a_change_end_the_old_way_in_the_new_build(make_system: MakeSystem) -> None:
    system = make_system("changed", lease=30.0)
    system.start(workers=0)
    old = system.start_worker(0, app=OLD)
    before, after = f"before-{uuid.uuid4()}", f"after-{uuid.uuid4()}"
    system.ask("start_many", workflow="hop.Changed", crowd=before, count=RUNS, inputs={}, labelled=True)
    everybody_waits = {"waiting": RUNS}
    system.wait_for(lambda: system.ask("statuses", crowd=before) == everybody_waits, seconds=60, what="all wait")

    new = system.start_worker(1, app=NEW)
    system.wait_ready(1)
    system.end(old)
    system.ask("start_many", workflow="hop.Changed", crowd=after, count=RUNS, inputs={}, labelled=True)
    for crowd in (before, after):
        system.ask("signal_many", crowd=crowd, name="go_on")
    _wait_closed(system, before, after)

    assert _marks(system, before) == ({"before", "old way"}, {str(old.pid), str(new.pid)})
    assert _marks(system, after) == ({"before", "between", "new way"}, {str(new.pid)})
    assert system.ask("findings", crowd=before) + system.ask("findings", crowd=after) == []

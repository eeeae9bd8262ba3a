"""A worker that is shut down (SIGTERM, as at a deploy) while it holds runs: it ends what it has in hand, claims nothing
new, and all else goes on elsewhere at once, long before anybody could think that it has died.

Seen to fail: when only the worker's main process hears of the shutdown (`process.leave_all` without the shared byte)
its child drives the run, and its chunk, to the end.
"""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Callable

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers

#: Nobody takes over from a silent process within the time of these tests.
LONG_LEASE = 120.0
STEPS, MEMBERS, RUNS = 30, 32, 12
A_STEP = 0.25
#: Effects of a worker after it was told to leave: the one in hand, and one that came while it was told.
IN_HAND = 2


@pytest.fixture(scope="module")
def deployed(make_system: Callable[..., System]) -> System:
    system = make_system("deployed", lease=LONG_LEASE)
    system.start(workers=0)
    return system


@pytest.fixture
def two_workers(deployed: System) -> System:
    """The system with two workers that take messages."""
    live = [process for process in deployed.processes if process not in deployed.beats and process.poll() is None]
    numbers = range(len(deployed.processes), len(deployed.processes) + 2 - len(live))
    for number in numbers:
        deployed.start_worker(number)
    deployed.wait_ready(*numbers)
    return deployed


def _effects(system: System, label: str) -> dict[int, int]:
    """How many effects each worker had, by the number of its main process; each effect happened once."""
    counts = system.ask("effect_counts", label=f"{label}%")
    assert set(counts.values()) <= {1}
    found: dict[int, int] = {}
    for effect in counts:
        worker = int(effect.rsplit(":", 1)[1])
        found[worker] = found.get(worker, 0) + 1
    return found


def _shut_down_who_began(system: System, label: str) -> subprocess.Popen[bytes]:
    """Shut the worker down that had the first effect; it ends when it has laid down what it had in hand."""
    first = system.wait_for(lambda: _effects(system, label), what="something is under way")
    (leaving,) = [process for process in system.processes if process.pid == next(iter(first))]
    before = _effects(system, label)[leaving.pid]
    leaving.send_signal(signal.SIGTERM)
    leaving.wait(timeout=60)
    assert _effects(system, label)[leaving.pid] <= before + IN_HAND
    return leaving


def test_a_worker_that_is_shut_down_lets_its_run_go_after_the_step_in_hand(two_workers: System) -> None:
    label = f"long-{uuid.uuid4()}"
    run_id = two_workers.ask("start", workflow="scenario.Long", key=label, label=label, steps=STEPS, seconds=A_STEP)

    leaving = _shut_down_who_began(two_workers, label)
    run = two_workers.wait_closed(run_id, seconds=60)

    assert (run["status"], run["result"]) == ("completed", STEPS)
    assert sum(_effects(two_workers, label).values()) == STEPS
    assert len(_effects(two_workers, label)) == 2
    assert leaving.returncode == 0
    assert not [entry for entry in two_workers.ask("history", run_id=run_id) if entry["kind"] == "AttemptFailed"]
    assert two_workers.ask("verify", run_id=run_id) == []


def test_a_worker_that_is_shut_down_leaves_the_rest_of_its_chunk_to_others(two_workers: System) -> None:
    label = f"wide-{uuid.uuid4()}"
    wide = {"members": MEMBERS, "seconds": A_STEP}
    run_id = two_workers.ask("start", workflow="scenario.Wide", key=label, label=label, **wide)

    _shut_down_who_began(two_workers, label)
    run = two_workers.wait_closed(run_id, seconds=60)

    assert (run["status"], run["result"]) == ("completed", MEMBERS)
    assert sum(_effects(two_workers, label).values()) == MEMBERS
    assert [step["attempts"] for step in two_workers.ask("steps", run_id=run_id)] == [1] * MEMBERS
    assert two_workers.ask("verify", run_id=run_id) == []


def test_a_worker_that_is_shut_down_gives_back_the_runs_whose_messages_it_had_fetched(two_workers: System) -> None:
    crowd = f"fetched-{uuid.uuid4()}"
    inputs = {"steps": 2, "seconds": A_STEP}
    two_workers.ask("start_many", workflow="scenario.Long", crowd=crowd, count=RUNS, inputs=inputs, labelled=True)

    _shut_down_who_began(two_workers, crowd)
    two_workers.wait_for(lambda: two_workers.ask("closed", crowd=crowd) == RUNS, seconds=60, what="all runs closed")

    assert two_workers.ask("results", crowd=crowd) == [["completed", "2"]]
    assert sum(_effects(two_workers, crowd).values()) == 2 * RUNS
    assert two_workers.ask("findings", crowd=crowd) == []

"""A worker that is shut down (SIGTERM, as at a deploy) while it holds runs: it ends what it has in hand, claims nothing
new, and all else goes on elsewhere at once, long before anybody could think that it has died.

Seen to fail: when only the worker's main process hears of the shutdown (`process.leave_all` without the shared byte)
its child drives the run, and its chunk, to the end.
"""

from __future__ import annotations

import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers

#: Nobody takes over from a silent process within the time of these tests.
LONG_LEASE = 60.0
STEPS, MEMBERS, A_STEP = 40, 24, 0.25
#: Effects of a worker after it was told to leave: the one in hand, and one that came while it was told.
IN_HAND = 2


@pytest.fixture(scope="module")
def deployed(make_system: Callable[..., System]) -> System:
    system = make_system("deployed", lease=LONG_LEASE)
    system.start(workers=0)
    return system


@pytest.fixture
def leaving(deployed: System) -> Iterator[subprocess.Popen[bytes]]:
    """The only worker there is, for now."""
    number = len(deployed.processes)
    worker = deployed.start_worker(number)
    deployed.wait_ready(number)
    yield worker
    for process in deployed.processes[number:]:
        deployed.end(process)


def _workers(system: System, label: str) -> dict[str, int]:
    """How many effects each worker had, by the number of its main process; each effect happened once."""
    counts = system.ask("effect_counts", label=f"{label}%")
    assert set(counts.values()) <= {1}
    found: dict[str, int] = {}
    for effect in counts:
        worker = effect.rsplit(":", 1)[1]
        found[worker] = found.get(worker, 0) + 1
    return found


def _take_over(system: System, leaving: subprocess.Popen[bytes], label: str) -> subprocess.Popen[bytes]:
    """Start another worker and shut this one down; it ends when it has laid down what it had in hand."""
    number = len(system.processes)
    successor = system.start_worker(number)
    system.wait_ready(number)
    before = _workers(system, label).get(str(leaving.pid), 0)
    leaving.send_signal(signal.SIGTERM)
    leaving.wait(timeout=30)
    assert _workers(system, label).get(str(leaving.pid), 0) <= before + IN_HAND
    return successor


def test_a_worker_that_is_shut_down_lets_its_run_go_after_the_step_in_hand(
    deployed: System, leaving: subprocess.Popen[bytes]
) -> None:
    label = f"long-{uuid.uuid4()}"
    run_id = deployed.ask("start", workflow="scenario.Long", key=label, label=label, steps=STEPS, seconds=A_STEP)
    deployed.wait_for(lambda: deployed.ask("effect_count", label=f"{label}:%"), what="the run is under way")

    successor = _take_over(deployed, leaving, label)
    before = _workers(deployed, label)
    run = deployed.wait_closed(run_id, seconds=60)

    assert (run["status"], run["result"]) == ("completed", STEPS)
    after = _workers(deployed, label)
    assert before.keys() <= {str(leaving.pid), str(successor.pid)}
    assert after[str(leaving.pid)] == before[str(leaving.pid)] < STEPS
    assert after[str(leaving.pid)] + after[str(successor.pid)] == STEPS
    assert not [e for e in deployed.ask("history", run_id=run_id) if e["kind"] == "AttemptFailed"]
    assert deployed.ask("verify", run_id=run_id) == []


def test_a_worker_that_is_shut_down_leaves_the_rest_of_its_chunk_to_others(
    deployed: System, leaving: subprocess.Popen[bytes]
) -> None:
    label = f"wide-{uuid.uuid4()}"
    run_id = deployed.ask("start", workflow="scenario.Wide", key=label, label=label, members=MEMBERS, seconds=A_STEP)
    deployed.wait_for(lambda: deployed.ask("effect_count", label=f"{label}:%"), what="a member has ended")

    successor = _take_over(deployed, leaving, label)
    before = _workers(deployed, label)
    run = deployed.wait_closed(run_id)

    assert (run["status"], run["result"]) == ("completed", MEMBERS)
    after = _workers(deployed, label)
    assert after[str(leaving.pid)] == before[str(leaving.pid)] < MEMBERS
    assert after[str(leaving.pid)] + after[str(successor.pid)] == MEMBERS
    assert [step["attempts"] for step in deployed.ask("steps", run_id=run_id)] == [1] * MEMBERS
    assert deployed.ask("verify", run_id=run_id) == []


def test_a_worker_that_is_shut_down_before_many_runs_keeps_none_of_them(
    deployed: System, leaving: subprocess.Popen[bytes]
) -> None:
    """Those whose messages it had fetched are driven by the other within seconds: no wake has to find them."""
    crowd, runs = f"fetched-{uuid.uuid4()}", 12
    inputs = {"steps": 2, "seconds": A_STEP}
    deployed.ask("start_many", workflow="scenario.Long", crowd=crowd, count=runs, inputs=inputs, labelled=True)

    _take_over(deployed, leaving, crowd)
    since = time.monotonic()
    deployed.wait_for(lambda: deployed.ask("closed", crowd=crowd) == runs, what="all runs closed")

    assert deployed.ask("results", crowd=crowd) == [["completed", "2"]]
    assert set(deployed.ask("effect_counts", label=f"{crowd}-%").values()) == {1}
    assert deployed.ask("findings", crowd=crowd) == []
    assert time.monotonic() - since < LONG_LEASE

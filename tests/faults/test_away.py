"""Beat and workers are away while a confirmation comes and its time passes: what counts is which of them came first.

Seen to fail: with `facts.waiting_facts` in the order of kinds, or with timers first, one of the two comes out wrong.
"""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Callable

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers

#: How long a run waits for its confirmation.
SECONDS = 6.0


def test_after_an_outage_a_confirmation_that_came_in_time_counts_and_a_late_one_does_not(
    make_system: Callable[..., System],
) -> None:
    system = make_system("away", lease=30.0)
    system.start(workers=2)
    runs = {name: _start(system, f"{name}-{uuid.uuid4()}") for name in ("early", "late", "none")}
    for run_id in runs.values():
        system.wait_entries(run_id, "StepScheduled", kind="wait")
        system.wait_for(lambda run_id=run_id: _status(system, run_id) == "waiting", what="it waits")

    for process in system.processes:
        system.end(process, signal.SIGKILL)
    system.ask("signal", run_id=runs["early"], name="confirm")
    time.sleep(SECONDS)
    system.ask("signal", run_id=runs["late"], name="confirm")
    system.start_beat(1)
    for number in (2, 3):
        system.start_worker(number)
    ends = {name: system.wait_closed(run_id, seconds=60) for name, run_id in runs.items()}

    assert {name: run["result"] for name, run in ends.items()} == {
        "early": "confirmed", "late": "timed out", "none": "timed out",
    }  # fmt: skip
    replayed = {name: system.ask("query", run_id=run_id, name="outcome") for name, run_id in runs.items()}
    assert replayed == {"early": True, "late": False, "none": False}
    assert [system.ask("verify", run_id=run_id) for run_id in runs.values()] == [[], [], []]
    assert set(system.ask("effect_counts", label="%").values()) == {1}


def _start(system: System, label: str) -> str:
    run_id: str = system.ask("start", workflow="scenario.Confirmation", key=label, label=label, seconds=SECONDS)
    return run_id


def _status(system: System, run_id: str) -> str:
    status: str = system.ask("show", run_id=run_id)["status"]
    return status

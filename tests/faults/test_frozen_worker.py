"""A worker stopped with SIGSTOP inside a step, its run taken over, then continued: it adds nothing.

Seen to fail: without the fence in the checkpoint (`AND fence = ...` taken out of the run's arm) the continued worker
writes its effect and its events a second time.
"""

from __future__ import annotations

import os
import signal
import uuid

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers


@pytest.mark.parametrize(
    ("step", "point"),
    [
        ("tests.notify", "attempt.inside"),
        ("tests.notify", "commit.before"),
        ("tests.book", "attempt.before"),
        ("tests.book", "attempt.inside"),
        ("tests.book", "commit.before"),
    ],
)
def test_a_frozen_worker_that_wakes_adds_nothing(own_system: System, step: str, point: str) -> None:
    label = f"frozen-{uuid.uuid4()}"
    own_system.arm(f"{point}@{step}", "stop")

    run_id = own_system.ask("start", workflow="faults.Booking", key=label, label=label)
    (frozen,) = own_system.wait_for(lambda: own_system.taken(f"{point}@{step}"), what="a worker froze")
    try:
        own_system.wait_for(lambda: _is_taken_over(own_system, run_id), what="the run was taken over")
        if step == "tests.notify":  # a frozen transaction holds its rows' locks: its run only goes on after it
            own_system.wait_closed(run_id)
    finally:
        os.kill(frozen, signal.SIGCONT)
    run = own_system.wait_closed(run_id)
    before = own_system.ask("history", run_id=run_id)
    own_system.wait_for(lambda: _is_awake(own_system, frozen), what="the frozen worker goes on with other runs")

    assert run["status"] == "completed"
    assert own_system.ask("effect_count", label=f"{label}:booked") == 1
    assert own_system.ask("history", run_id=run_id) == before
    assert [entry["kind"] for entry in before].count("StepCompleted") == 2
    assert own_system.ask("verify", run_id=run_id) == []


def _is_taken_over(system: System, run_id: str) -> bool:
    history = system.ask("history", run_id=run_id)
    return any(
        entry["kind"] == "AttemptFailed" and entry["data"]["error"]["code"] == "worker_lost" for entry in history
    )


def _is_awake(system: System, pid: int) -> bool:
    """Whether the process came back under a new identity and renews it: what it had left undone is over."""
    alive: bool = system.ask("is_alive", pid=pid)
    return alive

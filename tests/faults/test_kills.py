"""A worker killed with SIGKILL before, inside and after each step and each undo: every run ends as the uncrashed one.

Seen to fail: without the sweep (`workflows.sweep` taken from the beat schedule) each run stays `running`; with the
checkpoint of a transactional activity outside its transaction the kills "inside" allocate twice.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.faults.system import LEASE, System

pytestmark = pytest.mark.workers

STEPS = ("treasury.validate_prerequisites", "treasury.allocate_cash", "treasury.optimise_yield")
UNDO = "treasury.reverse_allocation"
POINTS = ("attempt.before", "attempt.inside", "commit.before", "commit.after")
#: Seconds on top of twice the lease for starting a process anew on a loaded machine.
SLACK = 8.0


def _start(system: System, constraints: dict[str, Any]) -> tuple[str, str]:
    account = system.ask("open_account", name=f"acc-{uuid.uuid4()}")
    run_id = system.ask(
        "start",
        workflow="treasury.CashManagement",
        key=f"cash:{account}",
        account_id=account,
        amount={"amount": "100000.00", "currency": "USD"},
        strategy="balanced",
        constraints=constraints,
    )
    return account, run_id


def _assert_whole(system: System, run_id: str) -> list[dict[str, Any]]:
    assert system.ask("verify", run_id=run_id) == []
    assert system.ask("ledger_findings") == []
    history: list[dict[str, Any]] = system.ask("history", run_id=run_id)
    return history


def _assert_taken_over_in_time(history: list[dict[str, Any]]) -> None:
    """From the rows: the killed attempt's successor began within twice the lease, and some seconds of slack."""
    failed = [entry for entry in history if entry["kind"] == "AttemptFailed"]
    lost = [entry for entry in failed if entry["data"]["error"]["code"] == "worker_lost"]
    assert len(lost) == 1
    seq, attempt = lost[0]["data"]["seq"], lost[0]["data"]["attempt"]
    starts = ("StepStarted", "CompensationStarted")
    began = {
        entry["data"]["attempt"]: entry["at"]
        for entry in history
        if entry["kind"] in starts and entry["data"]["seq"] == seq
    }
    assert began[attempt + 1] - began[attempt] < 2 * LEASE + SLACK


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_step_costs_seconds_and_nothing_else(own_system: System, point: str, step: str) -> None:
    own_system.arm(f"{point}@{step}", "kill")

    account, run_id = _start(own_system, {})
    run = own_system.wait_closed(run_id)

    assert own_system.taken(f"{point}@{step}"), "the fault was not met"
    assert run["status"] == "completed"
    assert own_system.ask("balances", account_id=account) == {
        "operating": "900000.00",
        "allocated_cash": "20000.00",
        "allocated_bonds": "40000.00",
        "allocated_equities": "40000.00",
    }
    history = _assert_whole(own_system, run_id)
    completed = [entry["data"]["name"] for entry in history if entry["kind"] == "StepCompleted"]
    assert completed == list(STEPS)
    assert own_system.ask("events", account_id=account, run_id=run_id) == ["CashAllocated", "YieldOptimizationStarted"]
    if not (point == "commit.after" and step == STEPS[-1]):  # then the run was whole when its worker died
        _assert_taken_over_in_time(history)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_an_undo_costs_seconds_and_nothing_else(own_system: System, point: str) -> None:
    own_system.arm(f"{point}@{UNDO}", "kill")

    account, run_id = _start(own_system, {"min_yield": "50.0"})
    run = own_system.wait_closed(run_id)

    assert own_system.taken(f"{point}@{UNDO}"), "the fault was not met"
    assert run["status"] == "compensated"
    balances = own_system.ask("balances", account_id=account)
    assert {kind: amount for kind, amount in balances.items() if amount != "0.00"} == {"operating": "1000000.00"}
    history = _assert_whole(own_system, run_id)
    assert [entry["kind"] for entry in history].count("CompensationCompleted") == 1
    if point != "commit.after":
        _assert_taken_over_in_time(history)

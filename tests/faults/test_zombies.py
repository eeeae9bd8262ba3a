"""Attempts that were given up and go on all the same: they write nothing of the run, and move no money.

Seen to fail: without the void that an undo leaves for a key it never saw (`ledger.operations.keys.void_or_lock`) the
zombie pays; without the ticket in `store.move_attempt` a frozen worker's outcome is written beside that of the other.
"""

from __future__ import annotations

import os
import signal
import uuid

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers


def test_a_transfer_that_wakes_after_its_undo_is_refused_by_the_ledger(own_system: System) -> None:
    label = f"zombie-{uuid.uuid4()}"
    gate = own_system.gate(label)
    payer = own_system.ask("open_ledger_account", owner=f"{label}-payer", may_go_negative=True)
    payee = own_system.ask("open_ledger_account", owner=f"{label}-payee", may_go_negative=False)
    payment = {"payer": payer, "payee": payee, "amount": "100.00", "gate": gate}

    run_id = own_system.ask("start", workflow="scenario.Payment", key=label, label=label, **payment)
    own_system.wait_entered(gate)
    run = own_system.wait_closed(run_id)
    history = own_system.ask("history", run_id=run_id)
    own_system.open(gate)
    refused = f"{label}:refused:key_voided"
    own_system.wait_for(lambda: own_system.ask("effect_count", label=refused), what="the zombie asked the ledger")

    assert (run["status"], run["error"]["code"]) == ("compensated", "timed_out")
    assert own_system.ask("effect_counts", label=f"{label}:%") == {f"{label}:undone:void": 1, refused: 1}
    assert [own_system.ask("ledger_balance", account_id=account) for account in (payer, payee)] == ["0.00", "0.00"]
    assert own_system.ask("history", run_id=run_id) == history
    assert own_system.ask("verify", run_id=run_id) == []
    assert own_system.ask("ledger_findings") == []


@pytest.mark.parametrize(
    ("step", "point"),
    [
        ("scenario.tell_out", "member.begun"),
        ("scenario.tell_out", "attempt.inside"),
        ("scenario.book_out", "attempt.before"),
        ("scenario.book_out", "commit.before"),
    ],
)
def test_a_worker_frozen_in_a_sent_out_attempt_adds_nothing_when_it_wakes(
    own_system: System, step: str, point: str
) -> None:
    label = f"frozen-out-{uuid.uuid4()}"
    own_system.arm(f"{point}@{step}", "stop")

    run_id = own_system.ask("start", workflow="scenario.SentOut", key=label, label=label)
    (frozen,) = own_system.wait_for(lambda: own_system.taken(f"{point}@{step}"), what="a worker froze")
    try:
        run = own_system.wait_closed(run_id)
        history = own_system.ask("history", run_id=run_id)
        effects = own_system.ask("effect_counts", label=f"{label}:%")
    finally:
        os.kill(frozen, signal.SIGCONT)
    own_system.wait_for(lambda: own_system.ask("is_alive", pid=frozen), what="the frozen worker goes on with others")

    assert (run["status"], run["result"]) == ("completed", "in place")
    told = [number for effect, number in effects.items() if effect.startswith(f"{label}:told:")]
    assert sum(told) == (2 if step == "scenario.tell_out" and point != "member.begun" else 1)
    assert (effects[f"{label}:out"], effects[f"{label}:in place"]) == (1, 1)
    assert own_system.ask("effect_counts", label=f"{label}:%") == effects
    assert own_system.ask("history", run_id=run_id) == history
    assert [entry["kind"] for entry in history].count("StepCompleted") == 3
    assert own_system.ask("verify", run_id=run_id) == []


@pytest.mark.parametrize(("step", "booked"), [("scenario.answer", False), ("scenario.answer_booked", True)])
def test_a_frozen_worker_does_not_settle_the_attempt_of_its_successor(
    own_system: System, step: str, booked: bool
) -> None:
    """It wakes while the other is still at it; the answer that counts is the other's."""
    label = f"two-{uuid.uuid4()}"
    gate = own_system.gate(label)
    own_system.arm(f"attempt.inside@{step}", "stop")

    run_id = own_system.ask("start", workflow="scenario.Answer", key=label, label=label, gate=gate, booked=booked)
    (frozen,) = own_system.wait_for(lambda: own_system.taken(f"attempt.inside@{step}"), what="a worker froze")
    try:
        own_system.wait_entered(gate)
    finally:
        os.kill(frozen, signal.SIGCONT)
    own_system.wait_for(lambda: own_system.ask("is_alive", pid=frozen), what="the frozen worker goes on with others")
    (meanwhile,) = own_system.ask("steps", run_id=run_id)
    own_system.open(gate)
    run = own_system.wait_closed(run_id)

    assert (meanwhile["status"], meanwhile["attempts"]) == ("running", 2)
    assert (run["status"], run["result"]) == ("completed", 2)
    effects = {f"{label}:2": 1} if booked else {f"{label}:1": 1, f"{label}:2": 1}
    assert own_system.ask("effect_counts", label=f"{label}:%") == effects
    assert own_system.ask("verify", run_id=run_id) == []

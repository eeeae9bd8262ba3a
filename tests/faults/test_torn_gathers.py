"""SEMANTICS B7: one member fails while another runs; what commits after it is undone once, after it has committed."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.faults.system import LEASE, System

pytestmark = pytest.mark.workers


def test_a_member_that_commits_seconds_after_the_other_failed_is_undone_once_after_it(system: System) -> None:
    """It runs on for longer than any silent worker would be given, and nobody takes it over."""
    label = f"torn-{uuid.uuid4()}"
    slow, failing = system.gate(f"{label}-slow"), system.gate(f"{label}-failing")
    run_id = system.ask("start", workflow="scenario.Torn", key=label, label=label, slow=slow, failing=failing)
    system.wait_entered(slow)
    system.wait_entered(failing)

    system.open(failing)
    (failed,) = system.wait_entries(run_id, "StepFailed", name="scenario.refuse_gated")
    time.sleep(2 * LEASE + 1)
    before = system.ask("effect_counts", label=f"{label}:%")
    system.open(slow)
    run = system.wait_closed(run_id)

    assert before == {}
    assert (run["status"], run["error"]["code"]) == ("compensated", "told_to")
    assert system.ask("effect_counts", label=f"{label}:%") == {f"{label}:a": 1, f"{label}:a:undone": 1}
    (booked,) = system.wait_entries(run_id, "StepCompleted", name="scenario.book_gated")
    (undone,) = system.wait_entries(run_id, "CompensationCompleted")
    assert failed["position"] < booked["position"] < undone["position"]
    assert system.ask("verify", run_id=run_id) == []

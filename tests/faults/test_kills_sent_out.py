"""A worker killed with SIGKILL in an attempt that was sent out, in a chunk of a gather, and before its last hint.

Seen to fail: without `recovery.give_up_attempts` the run waits for the dead process until the attempt's own time is
over; without `recovery.send_due` the members behind it in its chunk are never run; without `recovery.find_unread` a
run whose last member died before its hint stays `waiting`.
"""

from __future__ import annotations

import uuid

import pytest

from tests.faults.system import LEASE, System

pytestmark = pytest.mark.workers

#: Seconds on top of twice the lease for starting a process anew on a loaded machine.
SLACK = 8.0
MEMBERS = 24


def _taken_over_after(system: System, run_id: str) -> float:
    """Seconds from the begin of the killed attempt to that of its successor."""
    (lost,) = system.wait_entries(run_id, "AttemptFailed")
    assert lost["data"]["error"]["code"] == "worker_lost"
    begun = {
        entry["data"]["attempt"]: entry["at"]
        for entry in system.wait_entries(run_id, "StepStarted", seq=lost["data"]["seq"])
    }
    number = lost["data"]["attempt"]
    return float(begun[number + 1] - begun[number])


@pytest.mark.parametrize(
    ("point", "step"),
    [
        ("member.begun", "scenario.tell_out"),
        ("attempt.inside", "scenario.tell_out"),
        ("attempt.inside", "scenario.book_out"),
        ("commit.before", "scenario.book_out"),
    ],
)
def test_a_worker_killed_in_a_sent_out_attempt_costs_seconds(own_system: System, point: str, step: str) -> None:
    label = f"killed-out-{uuid.uuid4()}"
    own_system.arm(f"{point}@{step}", "kill")

    run_id = own_system.ask("start", workflow="scenario.SentOut", key=label, label=label)
    run = own_system.wait_closed(run_id)

    assert own_system.taken(f"{point}@{step}"), "the fault was not met"
    assert (run["status"], run["result"]) == ("completed", "in place")
    assert _taken_over_after(own_system, run_id) < 2 * LEASE + SLACK
    assert own_system.ask("effect_count", label=f"{label}:out") == 1
    told = 2 if step == "scenario.tell_out" and point != "member.begun" else 1
    assert own_system.ask("effect_count", label=f"{label}:told:%") == told
    assert own_system.ask("verify", run_id=run_id) == []


def test_a_worker_killed_in_a_chunk_of_a_gather_loses_no_member(own_system: System) -> None:
    """Those behind it in its chunk had not begun: they are sent again."""
    label = f"chunk-{uuid.uuid4()}"
    own_system.arm("attempt.inside@many.mark", "kill")

    run_id = own_system.ask("start", workflow="many.Members", key=label, label=label, members=MEMBERS)
    run = own_system.wait_closed(run_id)

    assert own_system.taken("attempt.inside@many.mark"), "the fault was not met"
    assert (run["status"], run["result"]) == ("completed", list(range(MEMBERS)))
    assert _taken_over_after(own_system, run_id) < 2 * LEASE + SLACK
    counts = own_system.ask("effect_counts", label=f"{label}:%")
    assert len(counts) == MEMBERS
    assert sorted(counts.values()) == [1] * (MEMBERS - 1) + [2]  # that of the killed attempt stood already
    assert own_system.ask("verify", run_id=run_id) == []


def test_a_worker_killed_between_its_members_commit_and_its_hint_leaves_nobody_waiting(own_system: System) -> None:
    label = f"unhinted-member-{uuid.uuid4()}"
    gate = own_system.gate(label)
    run_id = own_system.ask("start", workflow="scenario.Join", key=label, label=label, gate=gate)
    own_system.wait_entered(gate)
    own_system.wait_for(lambda: _settled(own_system, run_id) == 1, what="the other member has settled")

    own_system.arm("commit.after@scenario.book_gated", "kill")
    own_system.open(gate)
    run = own_system.wait_closed(run_id)

    assert own_system.taken("commit.after@scenario.book_gated"), "the fault was not met"
    assert (run["status"], run["result"]) == ("completed", "a+b")
    assert own_system.ask("effect_counts", label=f"{label}:%") == {f"{label}:a": 1, f"{label}:b": 1}
    assert [step["attempts"] for step in own_system.ask("steps", run_id=run_id)] == [1, 1]
    assert own_system.ask("verify", run_id=run_id) == []


def _settled(system: System, run_id: str) -> int:
    return sum(step["status"] == "completed" for step in system.ask("steps", run_id=run_id))

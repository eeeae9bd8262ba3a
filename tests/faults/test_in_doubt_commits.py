"""From COMMIT on only rows decide: a callback that raises and an answer that is lost leave one effect and one event.

Seen to fail: with `execution._after_commit_error` taking the error for the activity's (calling `settle` with a
failure), the step is attempted again and its effect is there twice.
"""

from __future__ import annotations

import uuid

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers


def _one_completion(system: System, run_id: str, name: str) -> bool:
    history = system.ask("history", run_id=run_id)
    done = [entry for entry in history if entry["kind"] == "StepCompleted" and entry["data"]["name"] == name]
    failed = [entry for entry in history if entry["kind"] == "AttemptFailed" and entry["data"]["name"] == name]
    return len(done) == 1 and not failed


def test_a_callback_that_raises_after_commit_leaves_one_effect(system: System) -> None:
    label = f"callback-{uuid.uuid4()}"

    run_id = system.ask("start", workflow="faults.Callback", key=label, label=label)
    run = system.wait_closed(run_id)

    assert run["status"] == "completed"
    assert system.ask("effect_count", label=f"{label}:booked") == 1
    assert _one_completion(system, run_id, "tests.book_with_failing_callback")
    assert system.ask("verify", run_id=run_id) == []


@pytest.mark.parametrize("step", ["tests.book", "tests.notify"])
def test_a_commit_whose_answer_is_lost_leaves_one_effect(own_system: System, step: str) -> None:
    label = f"lost-{uuid.uuid4()}"
    own_system.arm(f"commit.after@{step}", "raise")

    run_id = own_system.ask("start", workflow="faults.Booking", key=label, label=label)
    run = own_system.wait_closed(run_id)

    assert own_system.taken(f"commit.after@{step}"), "the fault was not met"
    assert run["status"] == "completed"
    assert own_system.ask("effect_count", label=f"{label}:booked") == 1
    assert own_system.ask("effect_count", label=f"{label}:notified:%") == 1
    assert _one_completion(own_system, run_id, step)
    assert own_system.ask("verify", run_id=run_id) == []

"""Two workers given the same run at once, hints doubled and lost: each run ends as in an undisturbed system."""

from __future__ import annotations

import uuid

import pytest

from tests.faults.system import System

pytestmark = pytest.mark.workers


def test_doubled_hints_execute_each_step_once(system: System) -> None:
    labels = [f"double-{uuid.uuid4()}" for _ in range(20)]

    runs = [system.ask("start_hinted", key=label, label=label, hints=6) for label in labels]
    closed = [system.wait_closed(run_id) for run_id in runs]

    assert {run["status"] for run in closed} == {"completed"}
    for label, run_id in zip(labels, runs, strict=True):
        assert system.ask("effect_count", label=f"{label}:booked") == 1
        assert system.ask("effect_count", label=f"{label}:notified:%") == 1
        assert system.ask("verify", run_id=run_id) == []


def test_a_lost_hint_is_found_by_the_wake(system: System) -> None:
    label = f"unhinted-{uuid.uuid4()}"

    run_id = system.ask("start_hinted", key=label, label=label, hints=0)

    assert system.wait_closed(run_id)["status"] == "completed"


def test_a_cancel_of_a_driven_run_is_delivered_with_the_next_commit(system: System) -> None:
    label = f"cancel-{uuid.uuid4()}"
    gate = str(system.folder / label)
    run_id = system.ask("start", workflow="faults.Gated", key=label, label=label, gate=gate)
    system.wait_for(lambda: list(system.folder.glob(f"{label}.entered-*")), what="the step was entered")

    answer = system.ask("act", name="cancel", run_id=run_id)
    (system.folder / label).touch()
    run = system.wait_closed(run_id)

    assert answer["requested"] == "cancel"
    assert run["status"] == "cancelled"
    assert system.ask("effect_count", label=f"{label}:gated") == 1
    assert system.ask("effect_count", label=f"{label}:booked") == 0
    assert system.ask("verify", run_id=run_id) == []


def test_a_pause_of_a_driven_run_holds_after_the_step_in_hand(system: System) -> None:
    label = f"pause-{uuid.uuid4()}"
    gate = str(system.folder / label)
    run_id = system.ask("start", workflow="faults.Gated", key=label, label=label, gate=gate)
    system.wait_for(lambda: list(system.folder.glob(f"{label}.entered-*")), what="the step was entered")

    answer = system.ask("act", name="pause", run_id=run_id)
    (system.folder / label).touch()
    held = system.wait_closed(run_id)
    assert (answer["requested"], held["status"], held["hold_reason"]) == ("pause", "held", "paused")
    assert system.ask("effect_count", label=f"{label}:booked") == 0

    system.ask("act", name="resume", run_id=run_id)
    system.wait_for(lambda: system.ask("show", run_id=run_id)["status"] == "completed", what="the run completed")

    assert system.ask("effect_count", label=f"{label}:gated") == 1
    assert system.ask("effect_count", label=f"{label}:booked") == 1
    assert system.ask("verify", run_id=run_id) == []

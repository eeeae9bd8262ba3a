"""What tests read of a run, through the queries that people use."""

from __future__ import annotations

import uuid

from workflows import queries


def kinds(run_id: uuid.UUID) -> list[str]:
    """The kinds of a run's events, in order."""
    return [entry.kind for entry in queries.get_history(run_id)]


def entries(run_id: uuid.UUID, kind: str) -> list[dict[str, object]]:
    """The data of every event of one kind."""
    return [entry.data for entry in queries.get_history(run_id) if entry.kind == kind]


def undone(run_id: uuid.UUID) -> list[object]:
    """Labels in the order their undos completed."""
    order = [data["seq"] for data in entries(run_id, "CompensationCompleted")]
    steps = {step.seq: step for step in queries.list_steps(run_id)}
    return [steps[int(str(seq))].arguments["label"] for seq in order]


def step_statuses(run_id: uuid.UUID) -> list[tuple[str, str]]:
    """(short name, status) of each step."""
    return [(step.name.removeprefix("cast."), step.status) for step in queries.list_steps(run_id)]


def sound(run_id: uuid.UUID) -> None:
    """Fail unless `verify` finds nothing."""
    findings = [finding.problem for finding in queries.verify_run(run_id)]
    assert findings == [], findings

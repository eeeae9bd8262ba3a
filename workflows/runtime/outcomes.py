"""What became of a step, as a history tells it: attempts that it has not told of yet, and the outcome."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from workflows import store
from workflows.core import payloads
from workflows.core.compensation import plan_of
from workflows.core.definitions import registry
from workflows.core.events import Event, EventKind
from workflows.core.status import StepKind, StepStatus
from workflows.runtime import verdicts
from workflows.store import StoredStep

#: The fact that tells of a settled step.
SETTLED_AS = {
    StepStatus.COMPLETED: EventKind.STEP_COMPLETED,
    StepStatus.FAILED: EventKind.STEP_FAILED,
    StepStatus.TIMED_OUT: EventKind.STEP_TIMED_OUT,
}
#: Step -> how many of its attempts a history tells of as started, and as failed.
Told = dict[int, list[int]]


def count_told(told: Told, event: Event) -> None:
    """Keep count of the attempts that a history tells of."""
    if event.kind == EventKind.STEP_STARTED:
        told.setdefault(event.data["seq"], [0, 0])[0] = event.data["attempt"]
    elif event.kind == EventKind.ATTEMPT_FAILED:
        told.setdefault(event.data["seq"], [0, 0])[1] = event.data["attempt"]


def untold_attempts(
    run_id: uuid.UUID, step: StoredStep, told: Told
) -> Iterator[tuple[EventKind, dict[str, Any], datetime | None]]:
    """What became of a sent-out step's attempts since its history last told of it (SEMANTICS B9): kind, data, time."""
    started, failed = told.get(step.seq, (0, 0))
    tries = {}
    if step.attempt > 1 or step.error is not None:
        tries = {row.number: row for row in store.load_failed_attempts(run_id, step.seq, after=failed)}
    activity = registry.activities.get(step.name)
    for number in range(min(started, failed) + 1, step.attempt + 1):
        row = tries.get(number)
        data: dict[str, Any] = {"seq": step.seq, "name": step.name, "attempt": number}
        if number > started:
            yield EventKind.STEP_STARTED, dict(data), row.started_at if row is not None else step.started_at
        if row is not None and number > failed:
            data["error"] = payloads.loads(row.error)
            if verdicts.is_uncertain(data["error"], activity):
                data["unknown"] = True
            if number == step.attempt and verdicts.is_settled(step):
                data["last"] = True
            yield EventKind.ATTEMPT_FAILED, data, row.failed_at


def outcome_data(run_id: uuid.UUID, step: StoredStep) -> dict[str, Any]:
    """A settled step as the data of its fact."""
    data: dict[str, Any] = {"seq": step.seq, "name": step.name}
    if step.status == StepStatus.COMPLETED:
        data["result"] = step.result
        if step.kind == StepKind.CHILD:
            data["compensable"] = _is_compensable(run_id, step)
        return data
    assert step.error is not None
    if step.error.get("unknown"):
        data["unknown"] = True  # the effect may have happened: its undo enters the plan (SEMANTICS A2)
    return data | {"error": step.error, "attempts": step.attempt}


def _is_compensable(parent: uuid.UUID, step: StoredStep) -> bool:
    """Whether a completed child has anything left to undo; of a chain its last link knows."""
    run_id = store.child_id(parent, step.seq, step.attempt)
    return bool(plan_of(store.load_history(store.current_link(run_id))).remaining)

"""W5: replaying a recorded history of 10,000 steps, as a worker does that takes a long run over."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

from benchmarks.flows import StepsWorkflow
from workflows.core.asking import WorkflowInfo
from workflows.core.events import Event, EventKind
from workflows.core.replay import replay

STEPS = 10_000


def measure() -> float:
    """Seconds."""
    definition = StepsWorkflow.definition
    info = WorkflowInfo(uuid.uuid4(), definition.name, definition.version, None, 1, "seed")
    events = _history()
    begun = time.perf_counter()
    machine, _ = replay(definition, info, {"steps": STEPS}, events)
    seconds = time.perf_counter() - begun
    assert machine.finished is not None and machine.finished.result == STEPS
    return seconds


def _history() -> list[Event]:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    events: list[Event] = []

    def record(what: EventKind, **data: object) -> None:
        events.append(Event(len(events) + 1, str(what), at, data))

    record(EventKind.RUN_STARTED, input={"steps": STEPS})
    record(EventKind.FACT_DELIVERED, of=1)
    for seq in range(1, STEPS + 1):
        name = "benchmarks.count"
        record(EventKind.STEP_SCHEDULED, seq=seq, kind="activity", name=name, args={"number": seq - 1})
        record(EventKind.STEP_STARTED, seq=seq, name=name, attempt=1)
        record(EventKind.STEP_COMPLETED, seq=seq, name=name, result=seq)
    return events

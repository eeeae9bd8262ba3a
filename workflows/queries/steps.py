"""Inside one run: its steps with their tries, its history, its compensation plan."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from workflows.contracts import AttemptView, HistoryEntry, PlanItemView, StepView
from workflows.core import payloads
from workflows.core.compensation import plan_of
from workflows.core.errors import NotFound
from workflows.models import Attempt, Run, Step
from workflows.store.reading import load_all_steps, load_history


def _require(run_id: uuid.UUID) -> None:
    if not Run.objects.filter(pk=run_id).exists():
        raise NotFound(f"there is no run {run_id}")


def list_steps(run_id: uuid.UUID) -> list[StepView]:
    """Steps in the order they were asked for, each with its tries; raises NotFound."""
    rows = load_all_steps(run_id)
    if not rows:
        _require(run_id)
    failed: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(run_id=run_id).order_by("seq", "number"):
        failed[attempt.seq].append(attempt)
    return [_step_view(row, failed[row.seq]) for row in rows]


def _step_view(row: Step, failed: list[Attempt]) -> StepView:
    tries = [AttemptView(item.number, item.started_at, item.failed_at, payloads.loads(item.error)) for item in failed]
    if row.attempt > len(tries) and row.started_at is not None:
        tries.append(AttemptView(row.attempt, row.started_at, row.settled_at, None))
    return StepView(
        row.seq, row.kind, row.name, row.status, row.attempt, tuple(tries), row.key,
        payloads.mask(payloads.loads(row.args)),
        payloads.mask(payloads.loads(row.result)) if row.result is not None else None,
        payloads.loads(row.error) if row.error is not None else None,
        row.undo_of, row.scheduled_at, row.started_at, row.settled_at, row.due_at,
    )  # fmt: skip


def get_history(run_id: uuid.UUID) -> list[HistoryEntry]:
    """Every event of a run, in order; raises NotFound."""
    events = load_history(run_id)
    if not events:
        _require(run_id)
    return [HistoryEntry(event.position, event.kind, event.at, payloads.mask(event.data)) for event in events]


def get_compensation_plan(run_id: uuid.UUID) -> list[PlanItemView]:
    """What would be, is being or was undone, in the order it runs; raises NotFound."""
    events = load_history(run_id)
    if not events:
        _require(run_id)
    items = plan_of(events).in_running_order
    return [
        PlanItemView(
            number,
            item.activity,
            payloads.mask(item.arguments),
            item.undoes,
            item.undone_activity,
            item.status,
            tuple(amounts_in(item.arguments)),
        )
        for number, item in enumerate(items, start=1)
    ]


def amounts_in(value: Any) -> Iterator[dict[str, str]]:
    """The {amount, currency} objects found in a stored payload, outermost first."""
    if isinstance(value, dict):
        if set(value) == {"amount", "currency"}:
            yield {"amount": str(value["amount"]), "currency": str(value["currency"])}
            return
        for item in value.values():
            yield from amounts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from amounts_in(item)

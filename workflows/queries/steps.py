"""Inside one run: its steps with their tries, its history, its compensation plan."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q

from workflows.contracts import AttemptView, EvidenceView, HistoryEntry, PlanItemView, StepView, WorkerView
from workflows.core import payloads
from workflows.core.compensation import plan_of
from workflows.core.errors import NotFound
from workflows.core.status import StepKind, StepStatus
from workflows.models import Attempt, Process, Run, Step
from workflows.queries.errors import error_view
from workflows.store.chains import child_id, current_link
from workflows.store.database_time import database_now
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
    workers = _workers(run_id, rows)
    return [_step_view(row, failed[row.seq], workers.get(row.seq)) for row in rows]


def _workers(run_id: uuid.UUID, rows: list[Step]) -> dict[int, WorkerView]:
    """Who runs the attempts that run now: their own process, or the run's driver for one in place."""
    by_step = {row.seq: row.process for row in rows if row.status == StepStatus.RUNNING}
    if not by_step:
        return {}
    if any(row.seq in by_step and row.queue is None for row in rows):
        driver = Run.objects.filter(pk=run_id).values_list("driver", flat=True).first()
        by_step |= {row.seq: driver for row in rows if row.seq in by_step and row.queue is None}
    alive = ExpressionWrapper(Q(expires_at__gt=database_now()), output_field=BooleanField())
    processes = Process.objects.filter(pk__in=[process for process in by_step.values() if process is not None])
    known: dict[Any, Any] = processes.annotate(alive=alive).in_bulk()
    found = {seq: known[process] for seq, process in by_step.items() if process in known}
    return {seq: WorkerView(row.id, row.host, row.pid, bool(row.alive)) for seq, row in found.items()}


def _step_view(row: Step, failed: list[Attempt], worker: WorkerView | None) -> StepView:
    tries = [AttemptView(item.number, item.started_at, item.failed_at, error_view(item.error)) for item in failed]
    if row.attempt > len(tries) and row.started_at is not None:
        tries.append(AttemptView(row.attempt, row.started_at, row.settled_at, None))
    error = payloads.loads(row.error) if row.error is not None else None
    child = row.kind == StepKind.CHILD and row.attempt > 0
    is_out = row.status == StepStatus.RUNNING
    return StepView(
        row.seq, row.kind, row.name, row.status, row.attempt, tuple(tries), row.key,
        payloads.mask(payloads.loads(row.args)),
        payloads.mask(payloads.loads(row.result)) if row.result is not None else None,
        error_view(row.error), row.undo_of, row.scheduled_at, row.started_at, row.settled_at, row.due_at,
        queue=row.queue,
        batch=row.batch,
        worker=worker,
        awaits_token=is_out and row.queue is not None and row.process is None and row.kind == StepKind.ACTIVITY,
        child_id=child_id(row.run_id, row.seq, row.attempt) if child else None,
        deadline_at=row.deadline_at if is_out else None,
        beat_by=row.beat_by if is_out else None,
        start_by=row.start_by if row.status == StepStatus.SCHEDULED else None,
        heartbeat=payloads.mask(payloads.loads(row.beat)) if row.beat is not None else None,
        in_doubt=_is_in_doubt(row, error),
        evidence=_evidence(row),
    )  # fmt: skip


def _is_in_doubt(row: Step, error: dict[str, Any] | None) -> bool:
    settled = row.status in (StepStatus.FAILED, StepStatus.TIMED_OUT) and row.kind == StepKind.ACTIVITY
    return settled and not row.delivered and error is not None and bool(error.get("in_doubt"))


def _evidence(row: Step) -> EvidenceView | None:
    if row.evidence is None:
        return None
    told = payloads.loads(row.evidence)
    result = payloads.mask(told.get("result"))
    return EvidenceView(datetime.fromisoformat(told["at"]), result, told.get("error"))


def get_history(run_id: uuid.UUID) -> list[HistoryEntry]:
    """Every event of a run, in order; raises NotFound."""
    events = load_history(run_id)
    if not events:
        _require(run_id)
    return [HistoryEntry(event.position, event.kind, event.at, payloads.mask(event.data)) for event in events]


def get_compensation_plan(run_id: uuid.UUID) -> list[PlanItemView]:
    """What would be, is being or was undone, in the order it runs; raises NotFound.

    A chain that continued as new has one plan: that of its last link.
    """
    events = load_history(current_link(run_id))
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

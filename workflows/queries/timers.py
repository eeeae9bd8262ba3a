"""Due times that open runs wait for: timers, the time of waits, back-offs of retries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows import clock
from workflows.contracts import TimerView
from workflows.core import payloads
from workflows.core.errors import NotFound
from workflows.core.status import OPEN, StepKind, StepStatus
from workflows.models import Run, Step

#: What the steps of a kind of timer are.
KINDS: dict[str, tuple[StepKind, ...]] = {
    "timer": (StepKind.TIMER,),
    "wait": (StepKind.WAIT,),
    "retry": (StepKind.ACTIVITY, StepKind.COMPENSATION),
}

#: Where a page ends: due time, run and number of its last timer.
Place = tuple[datetime, uuid.UUID, int]


@dataclass(frozen=True, slots=True)
class TimerPage:
    """A page of timers, first due first, and where the next one begins."""

    timers: tuple[TimerView, ...]
    after: Place | None


def list_timers(*, limit: int = 100, **filters: Any) -> list[TimerView]:
    """The timers that are due first and fit the filters of `page_timers`."""
    return list(page_timers(limit=limit, **filters).timers)


def page_timers(
    *,
    limit: int,
    after: Place | None = None,
    kind: str | None = None,
    workflow: str | None = None,
    run_id: uuid.UUID | None = None,
    overdue: bool | None = None,
    due_before: datetime | None = None,
) -> TimerPage:
    """One page by keyset: what is due first stands first. `overdue` tells those whose time is over from the others.

    A timer of a held run is overdue until the run goes on: it is delivered then.
    """
    now = clock.now()
    rows = _open_rows(workflow)
    if run_id is not None:
        rows = rows.filter(run_id=run_id)
    if kind is not None:
        rows = rows.filter(kind__in=KINDS[kind])
    if overdue is not None:
        rows = rows.filter(due_at__lte=now) if overdue else rows.filter(due_at__gt=now)
    if due_before is not None:
        rows = rows.filter(due_at__lt=due_before)
    if after is not None:
        at, after_run, after_seq = after
        rows = rows.filter(  # the bound alone is what an index knows
            Q(due_at__gte=at),
            Q(due_at__gt=at) | Q(due_at=at, run_id__gt=after_run) | Q(due_at=at, run_id=after_run, seq__gt=after_seq),
        )
    found = list(rows.order_by("due_at", "run_id", "seq")[: limit + 1])
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    place = (last.due_at, last.run_id, last.seq) if last is not None and last.due_at is not None else None
    return TimerPage(tuple(_views(page, now)), place)


def get_timer(run_id: uuid.UUID, seq: int) -> TimerView:
    """One timer that is open; raises NotFound."""
    row = _open_rows(None).filter(run_id=run_id, seq=seq).first()
    if row is None:
        raise NotFound(f"run {run_id} has no open timer {seq}")
    return next(iter(_views([row], clock.now())))


def _open_rows(workflow: str | None) -> QuerySet[Step]:
    runs = Run.objects.filter(pk=OuterRef("run_id"), status__in=OPEN)
    if workflow is not None:
        runs = runs.filter(workflow=workflow)
    return Step.objects.filter(Exists(runs), status=StepStatus.SCHEDULED, due_at__isnull=False)


def _views(rows: list[Step], now: datetime) -> Iterable[TimerView]:
    known = Run.objects.only("id", "workflow", "key", "status", "hold_reason").in_bulk({row.run_id for row in rows})
    for row in rows:
        run = known[row.run_id]
        assert row.due_at is not None
        yield TimerView(
            run_id=row.run_id,
            workflow=run.workflow,
            key=run.key,
            run_status=run.status,
            hold_reason=run.hold_reason or None,
            seq=row.seq,
            kind=next(kind for kind, steps in KINDS.items() if row.kind in steps),
            name=row.name,
            attempts=row.attempt,
            arguments=payloads.mask(payloads.loads(row.args)),
            scheduled_at=row.scheduled_at,
            due_at=row.due_at,
            is_overdue=row.due_at <= now,
        )

"""Runs, their types, and what was done to them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from workflows.contracts import WorkflowRun
from workflows.core import payloads
from workflows.core.definitions import registry
from workflows.core.errors import NotFound, PayloadError
from workflows.core.status import StepKind, StepStatus
from workflows.models import AuditEntry, Run, Step
from workflows.queries.errors import error_view


def get_run(run_id: uuid.UUID) -> WorkflowRun:
    """A run as it stands; raises NotFound."""
    row = Run.objects.filter(pk=run_id).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return run_view(row)


def get_status(run_id: uuid.UUID) -> str:
    """A run's status alone; raises NotFound."""
    status = Run.objects.filter(pk=run_id).values_list("status", flat=True).first()
    if status is None:
        raise NotFound(f"there is no run {run_id}")
    return status


def run_view(row: Run) -> WorkflowRun:
    """A row as the value that leaves the engine."""
    stored = payloads.loads(row.result) if row.result is not None else None
    return WorkflowRun(
        id=row.id,
        workflow=row.workflow,
        version=row.version,
        key=row.key,
        status=row.status,
        hold_reason=row.hold_reason or None,
        requested=row.requested or None,
        input=payloads.mask(payloads.loads(row.input)),
        result=_decoded_result(row, stored),
        error=error_view(row.error),
        actor=row.actor,
        attempt=row.attempt,
        rerun_of=row.rerun_of,
        created_at=row.created_at,
        closed_at=row.closed_at,
        wake_at=row.wake_at,
        result_json=payloads.mask(stored),
    )


def _decoded_result(row: Run, stored: Any) -> Any:
    if row.result is None:
        return None
    cls = registry.workflows.get(row.workflow, {}).get(row.version)
    if cls is None:
        return payloads.mask(stored)
    try:
        return cls.definition.signature.result.decode(stored, path="result")
    except PayloadError:
        return payloads.mask(stored)  # the result type changed since; the stored form is what there is


def filter_runs(
    *,
    workflow: str | None = None,
    status: str | Sequence[str] | None = None,
    hold_reason: str | None = None,
    key: str | None = None,
    text: str | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
) -> QuerySet[Run]:
    """Rows that fit every filter given. `text` is a run id or a key."""
    rows = Run.objects.all()
    if workflow:
        rows = rows.filter(workflow=workflow)
    if status:
        rows = rows.filter(status__in=[status] if isinstance(status, str) else list(status))
    if hold_reason:
        rows = rows.filter(hold_reason=hold_reason)
    if key:
        rows = rows.filter(key=key)
    if created_from:
        rows = rows.filter(created_at__gte=created_from)
    if created_to:
        rows = rows.filter(created_at__lt=created_to)
    if text:
        rows = rows.filter(_named(text))
    return rows


def _named(text: str) -> Q:
    try:
        return Q(pk=uuid.UUID(text)) | Q(key=text)
    except ValueError:
        return Q(key=text)


def list_runs(*, limit: int = 100, **filters: Any) -> list[WorkflowRun]:
    """The newest runs that fit the filters (see `filter_runs`)."""
    return [run_view(row) for row in filter_runs(**filters).order_by("-created_at", "-id")[:limit]]


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, newest first, and where the next one begins."""

    runs: tuple[WorkflowRun, ...]
    after: tuple[datetime, uuid.UUID] | None


def page_runs(*, limit: int, after: tuple[datetime, uuid.UUID] | None = None, **filters: Any) -> RunPage:
    """One page by keyset: stable while new runs arrive, and it costs the same however deep."""
    rows = filter_runs(**filters)
    if after is not None:
        at, run_id = after
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=run_id))
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    page = found[:limit]
    more = len(found) > limit
    return RunPage(tuple(run_view(row) for row in page), (page[-1].created_at, page[-1].id) if more else None)


def count_by_type_and_state() -> list[tuple[str, str, int]]:
    """(workflow, status, number of runs), for metrics and the console's front page."""
    rows = Run.objects.values_list("workflow", "status").annotate(number=Count("id")).order_by("workflow", "status")
    return [(workflow, status, number) for workflow, status, number in rows]


@dataclass(frozen=True, slots=True)
class AuditView:
    """One act: who, what, when and why."""

    at: datetime
    act: str
    run_id: uuid.UUID | None
    actor: str
    reason: str
    detail: dict[str, Any]


def list_audit(*, run_id: uuid.UUID | None = None, limit: int = 100) -> list[AuditView]:
    """The newest acts, of one run or of all."""
    rows = AuditEntry.objects.all() if run_id is None else AuditEntry.objects.filter(run_id=run_id)
    return [
        AuditView(row.at, row.act, row.run_id, row.actor, row.reason, payloads.loads(row.detail))
        for row in rows.order_by("-at", "-id")[:limit]
    ]


def failed_undos(run_id: uuid.UUID) -> list[tuple[int, int]]:
    """(seq, ticket) of undos that failed for good."""
    rows = Step.objects.filter(
        run_id=run_id, kind=StepKind.COMPENSATION, status__in=[StepStatus.FAILED, StepStatus.TIMED_OUT]
    )
    return list(rows.values_list("seq", "ticket"))

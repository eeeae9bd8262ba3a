"""Figures of what runs did, and gauges of how things stand now: what the REST door and Prometheus show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from workflows import clock
from workflows.core.status import CLOSED, HoldReason, RunStatus, StepKind, StepStatus
from workflows.metrics import Figures, FiguresAway, RunError, TypeFigures, WorkflowMetricsCollector, tally
from workflows.metrics.collector import closings_of
from workflows.models import Run, Step
from workflows.queries.runs import count_by_type_and_state

_OPEN = [status.value for status in RunStatus if status not in CLOSED]


@dataclass(frozen=True, slots=True)
class TypeMetrics:
    """Figures of one workflow; durations in seconds, newest last."""

    workflow: str
    active: int
    figures: TypeFigures

    @property
    def started(self) -> int:
        return self.figures.started

    @property
    def completed(self) -> int:
        return self.figures.closed.get(RunStatus.COMPLETED, 0)

    def quantile(self, share: float) -> float | None:
        """The duration that this share of the latest completed runs did not exceed; None without any."""
        ordered = sorted(self.figures.durations)
        return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None


@dataclass(frozen=True, slots=True)
class MetricsView:
    """Everything. `is_counted` is false while Redis is away: then it tells how the runs stand now, of the newest ones,
    and not all that ever happened."""

    types: tuple[TypeMetrics, ...]
    errors: tuple[RunError, ...]
    failed_attempts: dict[tuple[str, str], int]
    is_counted: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Gauges:
    """How things stand now. Waits in seconds; `queues`: sent-out steps that no worker has begun, by queue."""

    oldest_due_run: float
    due_runs: int
    unclaimed_runs: int
    oldest_due_timer: float
    retrying_steps: int
    queues: dict[str, tuple[int, float]]
    doubts: int


def read_metrics() -> MetricsView:
    """Figures, with what happened until now."""
    collector = WorkflowMetricsCollector()
    is_counted = collector.collect()
    try:
        figures = collector.read()
    except FiguresAway:
        figures, is_counted = _from_rows(), False
    running = Run.objects.filter(status__in=_OPEN).values_list("workflow").annotate(Count("pk")).order_by()
    active = dict(running)
    names = sorted({*active, *figures.types})
    return MetricsView(
        types=tuple(TypeMetrics(name, active.get(name, 0), figures.types.get(name, TypeFigures())) for name in names),
        errors=figures.errors,
        failed_attempts=figures.failed_attempts,
        is_counted=is_counted,
        at=clock.now(),
    )


def _from_rows() -> Figures:
    """What the rows tell of runs as they stand, and of the newest closed ones."""
    rows = Run.objects.filter(closed_at__isnull=False).order_by("-closed_at", "-id")
    columns = rows.values("id", "workflow", "status", "created_at", "closed_at", "error")
    newest = list(reversed(columns[: tally.MOST_ERRORS]))
    documents: dict[str, tally.Document] = {tally.ERRORS: {}}
    for closing in closings_of([dict(row) for row in newest]):
        tally.add_closing(documents.setdefault(tally.type_name(closing.workflow), {}), closing)
        tally.add_error(documents[tally.ERRORS], closing)
    for document in documents.values():
        document["closed"] = {}
    for workflow, status, number in count_by_type_and_state():
        document = documents.setdefault(tally.type_name(workflow), {})
        document["started"] = document.get("started", 0) + number
        if status not in _OPEN:
            document.setdefault("closed", {})[status] = number
    return tally.figures_of(documents)


def read_gauges() -> Gauges:
    """How things stand at this moment; index look-ups alone."""
    now = clock.now()
    due = Run.objects.filter(wake_at__lte=now).aggregate(oldest=Min("wake_at"), number=Count("pk"))
    # Waking a run moves its due time on, so what no worker takes is never due for long.
    unclaimed = Run.objects.filter(wake_at__isnull=False, driver__isnull=True, wake_tries__gte=2)
    held = Run.objects.filter(status=RunStatus.HELD).values("id")
    waiting = Step.objects.filter(status=StepStatus.SCHEDULED, due_at__isnull=False)
    overdue = waiting.filter(due_at__lte=now, kind__in=[StepKind.TIMER, StepKind.WAIT]).exclude(run_id__in=held)
    to_begin = Step.objects.filter(
        Q(due_at__isnull=True) | Q(due_at__lte=now), status=StepStatus.SCHEDULED, queue__isnull=False,
        send_at__isnull=False,
    )  # fmt: skip
    by_queue = to_begin.exclude(run_id__in=held).values_list("queue").annotate(Count("seq"), Min("scheduled_at"))
    return Gauges(
        oldest_due_run=_since(due["oldest"], now),
        due_runs=due["number"],
        unclaimed_runs=unclaimed.count(),
        oldest_due_timer=_since(overdue.aggregate(oldest=Min("due_at"))["oldest"], now),
        retrying_steps=waiting.filter(kind__in=[StepKind.ACTIVITY, StepKind.COMPENSATION]).count(),
        queues={queue or "": (number, _since(oldest, now)) for queue, number, oldest in by_queue},
        doubts=Run.objects.filter(status=RunStatus.HELD, hold_reason=HoldReason.IN_DOUBT).count(),
    )


def _since(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)

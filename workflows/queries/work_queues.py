"""Work that waits for a person: the engine's own, and what domains registered."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery

from workflows.core.events import EventKind
from workflows.core.status import HoldReason, RunStatus
from workflows.models import HistoryEvent, Run
from workflows.panels.contracts import QueueCount, WorkQueue
from workflows.panels.reading import attempt, may
from workflows.panels.registry import registry
from workflows.queries.deliveries import parked
from workflows.queries.related import VIEW_RUN

_RUNS = "admin:workflows_run_changelist"
_EVENTS = "admin:workflows_run_events"
_HELD = Run.objects.filter(status=RunStatus.HELD)


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue and how much waits in it; `count` is None when it could not be read."""

    queue: WorkQueue
    count: QueueCount | None


def _doubts() -> QueueCount:
    return _count_held(_HELD.filter(hold_reason=HoldReason.IN_DOUBT))


def _held() -> QueueCount:
    return _count_held(_HELD.exclude(hold_reason=HoldReason.IN_DOUBT))


def _count_held(runs: QuerySet[Run]) -> QueueCount:
    """Since when a run is held its history knows."""
    holds = HistoryEvent.objects.filter(run_id=OuterRef("id"), kind=EventKind.RUN_HELD).order_by("-position")
    held = runs.annotate(held_at=Subquery(holds.values("at")[:1]))
    return QueueCount(**held.aggregate(number=Count("pk"), oldest_at=Min("held_at")))


def _parked() -> QueueCount:
    return QueueCount(**parked().aggregate(number=Count("pk"), oldest_at=Min("event__published_at")))


_OTHERS = "&".join(f"hold_reason__exact={reason}" for reason in HoldReason if reason != HoldReason.IN_DOUBT)
_OWN = (
    WorkQueue(
        name="workflows.doubts",
        label="Runs in doubt",
        permission=VIEW_RUN,
        count=_doubts,
        place=_RUNS,
        query=f"hold_reason__exact={HoldReason.IN_DOUBT}",
    ),
    WorkQueue(
        name="workflows.held",
        label="Other held runs",
        permission=VIEW_RUN,
        count=_held,
        place=_RUNS,
        query=_OTHERS,
    ),
    WorkQueue(
        name="workflows.parked",
        label="Parked events",
        permission=VIEW_RUN,
        count=_parked,
        place=_EVENTS,
        query="show=parked",
    ),
)


def list_work_queues(*, user: object) -> list[QueueView]:
    """The queues that the user may look into, the engine's first; each costs one query."""
    queues = [queue for queue in (*_OWN, *registry.queues.values()) if may(user, queue.permission)]
    return [QueueView(queue, attempt(f"the queue {queue.name}", queue.count)) for queue in queues]

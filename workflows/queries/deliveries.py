"""Business events and what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from workflows.contracts import DeliveryView
from workflows.core import payloads
from workflows.core.errors import NotFound
from workflows.models import BLOCKING, AuditEntry, DeliveryStatus, EventDelivery
from workflows.queries.errors import error_view
from workflows.queries.runs import AuditView, audit_view


def get_delivery(number: int) -> DeliveryView:
    """One delivery; raises NotFound."""
    row = EventDelivery.objects.select_related("event").filter(pk=number).first()
    if row is None:
        raise NotFound(f"there is no delivery {number}")
    return _views([row])[0]


def filter_deliveries(
    *,
    status: str | Sequence[str] | None = None,
    workflow: str | None = None,
    key: str | None = None,
    event: str | None = None,
    run: uuid.UUID | None = None,
) -> QuerySet[EventDelivery]:
    """Rows that fit every filter given. `event` is the event's name, `run` the saga's run it started or reached."""
    rows = EventDelivery.objects.select_related("event")
    if status:
        rows = rows.filter(status__in=[status] if isinstance(status, str) else list(status))
    if workflow:
        rows = rows.filter(workflow=workflow)
    if key:
        rows = rows.filter(key=key)
    if event:
        rows = rows.filter(event__type=event)
    if run:
        rows = rows.filter(run_id=run)
    return rows


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page of deliveries, newest first, and the number after which the next one begins."""

    deliveries: tuple[DeliveryView, ...]
    after: int | None


def page_deliveries(*, limit: int, after: int | None = None, **filters: Any) -> DeliveryPage:
    """One page by keyset."""
    rows = filter_deliveries(**filters)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: limit + 1])
    page = found[:limit]
    return DeliveryPage(tuple(_views(page)), page[-1].pk if len(found) > limit else None)


def list_deliveries(*, limit: int = 100, **filters: Any) -> list[DeliveryView]:
    """The newest deliveries that fit the filters (see `filter_deliveries`)."""
    return _views(list(filter_deliveries(**filters).order_by("-pk")[:limit]))


def list_delivery_acts(delivery: DeliveryView) -> list[AuditView]:
    """Who replayed or dropped a delivery, and why; newest first."""
    entries = AuditEntry.objects.filter(
        at__gte=delivery.published_at, workflow=delivery.workflow, detail=payloads.dumps({"delivery": delivery.id})
    )
    return [audit_view(entry) for entry in entries.order_by("-at", "-id")]


def parked() -> QuerySet[EventDelivery]:
    """Deliveries that wait for somebody."""
    return EventDelivery.objects.filter(status=DeliveryStatus.PARKED)


def count_parked() -> int:
    """How many deliveries wait for somebody."""
    return parked().count()


def _views(rows: Sequence[EventDelivery]) -> list[DeliveryView]:
    waiting = [row for row in rows if row.status == DeliveryStatus.PARKED]
    behind: dict[tuple[str, str], int] = {}
    if waiting:
        blocked = EventDelivery.objects.filter(
            workflow__in={row.workflow for row in waiting}, key__in={row.key for row in waiting}, status__in=BLOCKING
        )
        for workflow, key, number in blocked.values_list("workflow", "key").annotate(number=Count("pk")):
            behind[workflow, key] = number - 1
    return [
        DeliveryView(
            id=row.pk,
            event_id=row.event_id,
            event=row.event.type,
            data=payloads.mask(payloads.loads(row.event.data)),
            workflow=row.workflow,
            method=row.method or None,
            key=row.key,
            status=row.status,
            failures=row.failures,
            error=error_view(row.error),
            run_id=row.run_id,
            published_at=row.event.published_at,
            due_at=row.due_at if row.status == DeliveryStatus.PENDING else None,
            settled_at=row.settled_at,
            behind=behind.get((row.workflow, row.key), 0) if row in waiting else 0,
        )
        for row in rows
    ]

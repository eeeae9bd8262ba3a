"""Parked deliveries of business events: tried again, or dropped. A reason is always required."""

from __future__ import annotations

from django.db import connection, transaction

from workflows import clock, queries
from workflows.contracts import DeliveryView
from workflows.core.errors import NotFound, NotParked
from workflows.models import DeliveryStatus, EventDelivery
from workflows.operations.authority import Actor, authorise, checked_reason, record
from workflows.runtime import dispatch


def replay_delivery(number: int, *, actor: Actor = None, reason: str) -> DeliveryView:
    """Deliver a parked event anew, with fresh tries; those behind it follow. Needs the permission to retry runs.

    Raises NotParked, NotFound, PermissionRefused, ReasonRequired.
    """
    return _move(number, DeliveryStatus.PENDING, act="replay_event", permission="retry", actor=actor, reason=reason)


def drop_delivery(number: int, *, actor: Actor = None, reason: str) -> DeliveryView:
    """Give a parked event up for this saga; those behind it go on. Needs the permission to cancel runs.

    Raises NotParked, NotFound, PermissionRefused, ReasonRequired.
    """
    return _move(number, DeliveryStatus.DROPPED, act="drop_event", permission="cancel", actor=actor, reason=reason)


def _move(number: int, status: DeliveryStatus, *, act: str, permission: str, actor: Actor, reason: str) -> DeliveryView:
    principal = authorise(actor, permission)
    reason = checked_reason(reason, required=True)
    with transaction.atomic():
        rows = EventDelivery.objects.all()
        if connection.features.has_select_for_update:
            rows = rows.select_for_update()
        row = rows.filter(pk=number).first()
        if row is None:
            raise NotFound(f"there is no delivery {number}")
        if row.status != DeliveryStatus.PARKED:
            raise NotParked(f"delivery {number} is {row.status}, not parked")
        now = clock.now()
        row.status, row.failures, row.due_at = status, 0, now
        row.settled_at = now if status == DeliveryStatus.DROPPED else None
        row.save(force_update=True)
        record(act, principal=principal, reason=reason, run_id=row.run_id, workflow=row.workflow, delivery=row.pk)
        transaction.on_commit(lambda: dispatch.send_deliver(row.event_id), robust=True)
    return queries.get_delivery(number)

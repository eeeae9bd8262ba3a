"""Cancels: under the same lock of the book as the matching, so an order is filled or cancelled and never both."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from exchange import contracts
from exchange.contracts import CancelReason, EventKind, OrderStatus
from exchange.errors import OrderClosed
from exchange.models import Order
from exchange.operations.rows import SYSTEM, end, give_back, locked_order_with_book, record


def cancel_order(order_id: UUID, *, actor: str = SYSTEM, detail: str = "") -> contracts.Order:
    """Cancel what is open of an order: its hold is released, its fills stand. Served while the instrument is halted.

    One that was cancelled before is given as it is. Raises UnknownOrder, OrderClosed for a filled or rejected one.
    """
    with transaction.atomic():
        row = _cancel(order_id, CancelReason.REQUESTED, actor=actor, detail=detail)
        if row.status != OrderStatus.CANCELLED:
            raise OrderClosed(row.id, row.status)
        return row.as_contract()


def withdraw_order(order_id: UUID) -> None:
    """Undo the acceptance of an order: what is open of it is cancelled, its trades are final. Repeatable.

    Raises UnknownOrder.
    """
    with transaction.atomic():
        _cancel(order_id, CancelReason.UNDONE, actor=SYSTEM, detail="undone by its run")


def _cancel(order_id: UUID, reason: CancelReason, *, actor: str, detail: str) -> Order:
    book, row = locked_order_with_book(order_id)
    if row.is_closed:
        return row
    book.last_sequence += 1
    book.save(update_fields=["last_sequence"])
    row.cancel_sequence = book.last_sequence
    give_back(row)
    end(row, OrderStatus.CANCELLED, reason=reason)
    record(EventKind.CANCELLED, instrument_id=book.pk, order=row, actor=actor, detail=detail)
    return row

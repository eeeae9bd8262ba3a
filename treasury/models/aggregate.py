"""The event-sourced treasury account: its stream of events and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from django.db import IntegrityError, transaction

from treasury.errors import ConcurrencyConflict
from treasury.events import AllocationReversed, CashAllocated, TreasuryEvent, encode
from treasury.models.stored_event import StoredEvent


class TreasuryAggregate:
    """The stream of one account at the version it was read; `persist` appends to exactly that version.

    `recorded_events` are the stored events, oldest first. Optimistic: whoever persists second onto the same version
    gets ConcurrencyConflict and writes nothing.
    """

    def __init__(self, account_id: UUID, stored: Sequence[StoredEvent]) -> None:
        self.account_id = account_id
        self.version = 0
        self.recorded_events: list[TreasuryEvent] = []
        self.active_allocations: dict[UUID, CashAllocated] = {}
        self._pending: list[tuple[str, TreasuryEvent]] = []
        for row in stored:
            self._apply(row.event)

    @classmethod
    def retrieve(cls, account_id: UUID) -> Self:
        """The account's stream as it stands; an unknown account has an empty one."""
        return cls(account_id, list(StoredEvent.objects.filter(stream=account_id).order_by("version")))

    def record(self, event: TreasuryEvent, *, key: str) -> Self:
        """Add an event, to be stored by `persist`; `key` names its cause, which is stored once."""
        if event.account_id != self.account_id:
            raise ValueError(f"the event is of account {event.account_id}, the stream of {self.account_id}")
        self._pending.append((key, event))
        return self

    def persist(self, *, at: datetime) -> None:
        """Append what was recorded, all or nothing; raises ConcurrencyConflict when the stream has moved on."""
        rows = [
            StoredEvent(
                stream=self.account_id,
                version=self.version + offset,
                name=type(event).__name__,
                payload=encode(event),
                key=key,
                run_id=event.run_id,
                recorded_at=at,
            )
            for offset, (key, event) in enumerate(self._pending, start=1)
        ]
        try:
            with transaction.atomic():
                StoredEvent.objects.bulk_create(rows)
        except IntegrityError as error:
            raise ConcurrencyConflict(self.account_id, self.version + 1) from error
        for _, event in self._pending:
            self._apply(event)
        self._pending.clear()

    def _apply(self, event: TreasuryEvent) -> None:
        self.version += 1
        self.recorded_events.append(event)
        if isinstance(event, CashAllocated):
            self.active_allocations[event.allocation_id] = event
        elif isinstance(event, AllocationReversed):
            self.active_allocations.pop(event.allocation_id, None)

"""What happened to orders, trades and instruments beside being matched, and who did it: appended, never edited."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from exchange import contracts
from exchange.contracts import EventKind
from exchange.models.instrument import Instrument
from exchange.models.order import Order
from exchange.models.trade import Trade


class Event(models.Model):
    """One fact. `actor` is a user, or `system` for a run."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="events")
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="events")
    trade = models.ForeignKey(Trade, null=True, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in EventKind])
    actor = models.CharField(max_length=200)
    detail = models.CharField(max_length=2000, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[item.value for item in EventKind]), name="exchange_event_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_id or self.trade_id or self.instrument_id}"

    def as_contract(self) -> contracts.Event:
        return contracts.Event(kind=EventKind(self.kind), actor=self.actor, detail=self.detail, at=self.at)

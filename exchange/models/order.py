"""Orders, in the units of their instrument."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from exchange import contracts
from exchange.contracts import (
    CLOSED_STATUSES,
    HOLDING_STATUSES,
    RESTING_STATUSES,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from exchange.models.account import TradingAccount
from exchange.models.instrument import Instrument
from exchange.rules.grid import at_scale
from finaegis.shared.money import Money, scale_of

REASON_LENGTH = 64


def _choices(words: type[Side] | type[OrderType] | type[TimeInForce] | type[OrderStatus]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


def _values(statuses: frozenset[OrderStatus]) -> list[str]:
    return sorted(status.value for status in statuses)


class Order(models.Model):
    """A wish to trade. From its acceptance to its end exactly one hold of the ledger stands for what is open of it.

    Price in units of the instrument's price scale, quantities in minor units of the base currency, the cap in those
    of the quote. The fees are those of the moment in which it was received.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: The run that carries it; none for an order of a batch, which has its batch's key.
    run_id = models.UUIDField(unique=True, null=True)
    key = models.CharField(max_length=255, unique=True, null=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="orders")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="orders")
    side = models.CharField(max_length=4, choices=_choices(Side))
    type = models.CharField(max_length=6, choices=_choices(OrderType))
    time_in_force = models.CharField(max_length=3, choices=_choices(TimeInForce))
    price_units = models.BigIntegerField(null=True)
    quantity_minor = models.BigIntegerField(null=True)
    cap_minor = models.BigIntegerField(null=True)
    filled_minor = models.BigIntegerField(default=0)
    maker_fee_ppm = models.PositiveIntegerField()
    taker_fee_ppm = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=_choices(OrderStatus), default=OrderStatus.RECEIVED.value)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    #: The number of its open hold, which is part of the hold's key in the ledger; None while nothing is held.
    hold_number = models.PositiveIntegerField(null=True)
    #: How many holds it had so far.
    holds = models.PositiveIntegerField(default=0)
    #: When its book took it, and when its book took its cancel, in the book's own order.
    sequence = models.BigIntegerField(null=True)
    cancel_sequence = models.BigIntegerField(null=True)
    received_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(fields=["instrument", "sequence"], name="exchange_order_sequence"),
            models.UniqueConstraint(fields=["instrument", "cancel_sequence"], name="exchange_order_cancel_sequence"),
            models.CheckConstraint(
                condition=Q(filled_minor__gte=0)
                & (Q(quantity_minor__isnull=True) | Q(quantity_minor__gt=0, filled_minor__lte=F("quantity_minor"))),
                name="exchange_order_filled_within",
            ),
            models.CheckConstraint(
                # A comparison with NULL is no refusal, so what must be there is said apart.
                condition=Q(
                    type="limit", price_units__isnull=False, price_units__gt=0, quantity_minor__isnull=False,
                    cap_minor__isnull=True,
                )
                | Q(type="market", side="buy", price_units__isnull=True, cap_minor__isnull=False, cap_minor__gt=0)
                | Q(
                    type="market", side="sell", price_units__isnull=True, cap_minor__isnull=True,
                    quantity_minor__isnull=False,
                ),
                name="exchange_order_terms",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_values(HOLDING_STATUSES), hold_number__isnull=False)
                | (~Q(status__in=_values(HOLDING_STATUSES)) & Q(hold_number__isnull=True)),
                name="exchange_order_held",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_values(CLOSED_STATUSES), closed_at__isnull=False)
                | (~Q(status__in=_values(CLOSED_STATUSES)) & Q(closed_at__isnull=True)),
                name="exchange_order_closed_at",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=_values(RESTING_STATUSES))
                | Q(type="limit", time_in_force="GTC", sequence__isnull=False),
                name="exchange_order_resting",
            ),
            models.CheckConstraint(
                condition=~Q(status="filled") | Q(quantity_minor__isnull=True) | Q(filled_minor=F("quantity_minor")),
                name="exchange_order_filled_whole",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["instrument", "side", "price_units", "sequence"],
                condition=Q(status__in=_values(RESTING_STATUSES)),
                name="exchange_order_book",
            ),
            models.Index(fields=["received_at", "id"], name="exchange_order_newest"),
            models.Index(fields=["account", "received_at"], name="exchange_order_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.status.replace('_', ' ')})"

    @property
    def title(self) -> str:
        """What people call it: `Buy 0.5 BTC-USD at 30000.00`."""
        told = self.as_contract()
        wanted = f" {told.quantity.normalize():f}" if told.quantity is not None else ""
        terms = f" at {told.price:f}" if told.price is not None else f" for {told.spend_cap}" if told.spend_cap else ""
        return f"{self.side.capitalize()}{wanted} {self.instrument.symbol}{terms}"

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED_STATUSES

    @property
    def open_minor(self) -> int | None:
        """What is not filled yet; None where no quantity was named."""
        return None if self.quantity_minor is None else self.quantity_minor - self.filled_minor

    def as_contract(self) -> contracts.Order:
        scale = scale_of(self.instrument.base)
        return contracts.Order(
            id=self.id,
            run_id=self.run_id,
            account_id=self.account_id,
            symbol=self.instrument.symbol,
            side=Side(self.side),
            type=OrderType(self.type),
            time_in_force=TimeInForce(self.time_in_force),
            quantity=None if self.quantity_minor is None else at_scale(self.quantity_minor, scale),
            price=None if self.price_units is None else at_scale(self.price_units, self.instrument.price_scale),
            spend_cap=None if self.cap_minor is None else Money.from_minor(self.cap_minor, self.instrument.quote),
            filled=at_scale(self.filled_minor, scale),
            status=OrderStatus(self.status),
            reason=self.reason or None,
            sequence=self.sequence,
            received_at=self.received_at,
            closed_at=self.closed_at,
        )

"""Trades: what the book matched, and how its settlement stands."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from exchange import contracts
from exchange.contracts import Side, TradeStatus
from exchange.models.account import TradingAccount
from exchange.models.instrument import Instrument
from exchange.models.order import REASON_LENGTH, Order
from exchange.rules.grid import at_scale
from finaegis.shared.models import MoneyOf, currency_code, minor_units
from finaegis.shared.money import scale_of

_SIDES = [(side.value, side.value) for side in Side]
_STATUSES = [(status.value, status.value) for status in TradeStatus]


class Trade(models.Model):
    """A fill of two orders at the maker's price. Until it is settled, both sides' funds are on their settling accounts.

    Its facts never change (`exchange.triggers`); only its status moves.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="trades")
    number = models.BigIntegerField()
    maker_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="made_trades")
    taker_order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="taken_trades")
    buyer = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="bought")
    seller = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="sold")
    taker_side = models.CharField(max_length=4, choices=_SIDES)
    price_units = models.BigIntegerField()
    quantity_minor = minor_units()
    #: The quote currency, of everything below.
    currency = currency_code()
    notional_minor = minor_units()
    buyer_fee_minor = minor_units()
    seller_fee_minor = minor_units()
    status = models.CharField(max_length=10, choices=_STATUSES, default=TradeStatus.MATCHED.value)
    hold_reason = models.CharField(max_length=REASON_LENGTH, blank=True, default="")
    #: The run that settles it, once it began.
    run_id = models.UUIDField(null=True, db_index=True)
    matched_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    notional = MoneyOf("notional_minor")
    buyer_fee = MoneyOf("buyer_fee_minor")
    seller_fee = MoneyOf("seller_fee_minor")

    class Meta:
        default_permissions = ("change", "view")
        constraints = [
            models.UniqueConstraint(fields=["instrument", "number"], name="exchange_trade_number"),
            models.UniqueConstraint(fields=["maker_order", "taker_order"], name="exchange_trade_once"),
            models.CheckConstraint(
                condition=Q(price_units__gt=0, quantity_minor__gt=0, notional_minor__gt=0)
                & Q(buyer_fee_minor__gte=0, seller_fee_minor__gte=0, seller_fee_minor__lt=F("notional_minor")),
                name="exchange_trade_amounts",
            ),
            models.CheckConstraint(condition=~Q(buyer=F("seller")), name="exchange_trade_two_accounts"),
            models.CheckConstraint(
                condition=Q(status="matched", hold_reason="", settled_at__isnull=True)
                | (Q(status="held", settled_at__isnull=True) & ~Q(hold_reason=""))
                | Q(status="settled", settled_at__isnull=False),
                name="exchange_trade_status",
            ),
        ]
        indexes = [
            models.Index(fields=["matched_at", "id"], name="exchange_trade_newest"),
            models.Index(
                fields=["matched_at"], condition=~Q(status=TradeStatus.SETTLED.value), name="exchange_trade_unsettled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument.symbol} {self.number} ({self.status})"

    def as_contract(self) -> contracts.Trade:
        return contracts.Trade(
            id=self.id,
            symbol=self.instrument.symbol,
            number=self.number,
            maker_order_id=self.maker_order_id,
            taker_order_id=self.taker_order_id,
            buyer_id=self.buyer_id,
            seller_id=self.seller_id,
            taker_side=Side(self.taker_side),
            price=at_scale(self.price_units, self.instrument.price_scale),
            quantity=at_scale(self.quantity_minor, scale_of(self.instrument.base)),
            notional=self.notional,
            buyer_fee=self.buyer_fee,
            seller_fee=self.seller_fee,
            status=TradeStatus(self.status),
            hold_reason=self.hold_reason or None,
            run_id=self.run_id,
            matched_at=self.matched_at,
            settled_at=self.settled_at,
        )

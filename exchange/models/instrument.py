"""Instruments as data. The row is also the book's lock: whoever matches, cancels or edits holds it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from exchange import contracts
from exchange.contracts import InstrumentStatus
from exchange.rules.fees import MILLION
from exchange.rules.grid import MAXIMUM_PRICE_SCALE, at_scale
from finaegis.shared.models import MoneyOf, currency_code, minor_units
from finaegis.shared.money import scale_of

_STATUSES = [(status.value, status.value) for status in InstrumentStatus]
SYMBOL_LENGTH = 25


class Instrument(models.Model):
    """What is traded, and by which terms; `last_sequence` and `last_trade` are the newest numbers of its book."""

    symbol = models.CharField(max_length=SYMBOL_LENGTH, unique=True)
    base = currency_code()
    quote = currency_code()
    price_scale = models.PositiveSmallIntegerField()
    tick_units = models.BigIntegerField()
    lot_minor = minor_units()
    minimum_notional_minor = minor_units()
    maker_fee_ppm = models.PositiveIntegerField()
    taker_fee_ppm = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=_STATUSES, default=InstrumentStatus.OPEN.value)
    last_sequence = models.BigIntegerField(default=0)
    last_trade = models.BigIntegerField(default=0)

    minimum_notional = MoneyOf("minimum_notional_minor", currency="quote")

    class Meta:
        default_permissions = ("add", "change", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[item.value for item in InstrumentStatus]),
                name="exchange_instrument_status_known",
            ),
            models.CheckConstraint(
                condition=Q(tick_units__gt=0, lot_minor__gt=0, minimum_notional_minor__gte=0)
                & Q(price_scale__lte=MAXIMUM_PRICE_SCALE)
                & Q(maker_fee_ppm__lt=MILLION, taker_fee_ppm__lt=MILLION)
                & ~Q(base=F("quote")),
                name="exchange_instrument_terms",
            ),
        ]

    def __str__(self) -> str:
        return self.symbol

    def as_contract(self) -> contracts.Instrument:
        return contracts.Instrument(
            symbol=self.symbol,
            base=self.base,
            quote=self.quote,
            price_scale=self.price_scale,
            tick=at_scale(self.tick_units, self.price_scale),
            lot=at_scale(self.lot_minor, scale_of(self.base)),
            minimum_notional=self.minimum_notional,
            maker_fee_ppm=self.maker_fee_ppm,
            taker_fee_ppm=self.taker_fee_ppm,
            status=InstrumentStatus(self.status),
            quantity_scale=scale_of(self.base),
        )

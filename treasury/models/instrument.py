"""Instruments that allocated money can be put into."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from finaegis.shared.models import currency_code
from treasury import contracts
from treasury.contracts import AssetClass
from treasury.models.fields import RateField

_CLASSES = [(item.value, item.value) for item in AssetClass]


class Instrument(models.Model):
    """The figures of one instrument from one day on; a newer row of the same code takes over from its own day."""

    code = models.CharField(max_length=40)
    asset_class = models.CharField("class", max_length=10, choices=_CLASSES)
    currency = currency_code()
    issuer = models.CharField(max_length=40)
    sovereign = models.BooleanField(default=False, help_text="Sovereign issuers have no issuer limit.")
    yield_percent = RateField("yield", help_text="Per cent a year.")
    duration = RateField(help_text="Modified duration in years.")
    liquid = models.BooleanField(default=False, help_text="Cash within one business day.")
    limit = RateField(  # type: ignore[misc]  # one field class for both: a missing limit reads as None
        null=True, blank=True, help_text="Largest share of the whole amount, from 0 to 1."
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text="First day on which this row no longer holds.")
    stale_from = models.DateField(null=True, blank=True, help_text="Day on which a newer figure was due.")
    source = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="treasury_instrument_code_from"),
            models.CheckConstraint(
                condition=models.Q(asset_class__in=[item.value for item in AssetClass]),
                name="treasury_instrument_class_known",
            ),
            models.CheckConstraint(
                condition=models.Q(duration__gte=Decimal(0)), name="treasury_instrument_duration_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(limit__isnull=True) | models.Q(limit__gte=Decimal(0), limit__lte=Decimal(1)),
                name="treasury_instrument_limit_is_share",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gt=models.F("valid_from")),
                name="treasury_instrument_valid_to_later",
            ),
        ]
        indexes = [models.Index(fields=["currency", "valid_from"], name="treasury_instrument_valid")]

    def __str__(self) -> str:
        return f"{self.code} from {self.valid_from}"

    def as_contract(self) -> contracts.Instrument:
        return contracts.Instrument(
            code=self.code,
            asset_class=AssetClass(self.asset_class),
            currency=self.currency,
            issuer=self.issuer,
            sovereign=self.sovereign,
            yield_percent=self.yield_percent,
            duration=self.duration,
            liquid=self.liquid,
            limit=self.limit,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            source=self.source,
            stale_from=self.stale_from,
        )

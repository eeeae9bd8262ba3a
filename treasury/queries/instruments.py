"""Instruments that money can be put into."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from treasury import contracts
from treasury.models import Instrument


def list_instruments(as_of: date, currency: str | None = None) -> list[contracts.Instrument]:
    """The instruments valid on `as_of`, by code; of rows that overlap, the one that began last."""
    rows = Instrument.objects.filter(valid_from__lte=as_of).filter(Q(valid_to__isnull=True) | Q(valid_to__gt=as_of))
    if currency is not None:
        rows = rows.filter(currency=currency)
    by_code = {row.code: row.as_contract() for row in rows.order_by("code", "valid_from")}
    return list(by_code.values())

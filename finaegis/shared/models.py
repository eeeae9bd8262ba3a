"""How money lies in a table: whole minor units beside the currency, because SQLite keeps decimals as floats."""

from __future__ import annotations

from typing import Any, overload

from django.db import models

from finaegis.shared.currencies import MAXIMUM_CODE
from finaegis.shared.money import Money


def minor_units() -> models.BigIntegerField[int, int]:
    """A column for an amount in minor units."""
    return models.BigIntegerField()


def currency_code() -> models.CharField[str, str]:
    """A column for the code of a currency or asset."""
    return models.CharField(max_length=MAXIMUM_CODE)


class MoneyOf:
    """Reads `<name>_minor` and `currency` of a row together as Money: `balance = MoneyOf("balance_minor")`.

    It only reads. Queries and writes name the columns.
    """

    def __init__(self, minor: str, currency: str = "currency") -> None:
        self._minor = minor
        self._currency = currency

    @overload
    def __get__(self, row: None, owner: type) -> MoneyOf: ...

    @overload
    def __get__(self, row: Any, owner: type) -> Money: ...

    def __get__(self, row: Any, owner: type) -> Money | MoneyOf:
        if row is None:
            return self
        return Money.from_minor(getattr(row, self._minor), getattr(row, self._currency))

"""Amounts of other currencies in EUR, by a fixed table: the scorecard was fitted on EUR, exposure is summed in it.

The table is a policy, not a market: it changes with a version of the policy only, so that the same application gets
the same score on every day. Figures are rounded from the reference rates of the European Central Bank of 2025.
"""

from __future__ import annotations

from decimal import Decimal

from finaegis.shared.money import Money
from lending.errors import CurrencyNotLent

#: One unit of the currency in EUR.
EUR_PER_UNIT: dict[str, Decimal] = {
    "EUR": Decimal(1),
    "USD": Decimal("0.90"),
    "GBP": Decimal("1.17"),
    "CHF": Decimal("1.06"),
    "CAD": Decimal("0.64"),
    "AUD": Decimal("0.58"),
    "JPY": Decimal("0.0060"),
    "SEK": Decimal("0.090"),
    "NOK": Decimal("0.085"),
    "DKK": Decimal("0.134"),
    "PLN": Decimal("0.235"),
    "CZK": Decimal("0.0405"),
    "KWD": Decimal("2.90"),
}


def in_eur(amount: Money) -> Decimal:
    """The amount in EUR, exact and not rounded. Raises `CurrencyNotLent` for a currency that the table lacks."""
    check_currency(amount.currency)
    return amount.amount * EUR_PER_UNIT[amount.currency]


def check_currency(currency: str) -> None:
    """Refuse a currency in which nothing is lent."""
    if currency not in EUR_PER_UNIT:
        raise CurrencyNotLent(currency)

"""Which movements can be recorded."""

from __future__ import annotations

import re

from finaegis.shared.money import Money
from treasury.errors import AmountNotPositive, CurrencyMismatch, InvalidMovement

_NAME_LENGTH = 200


def check_amount(amount: Money, currency: str) -> None:
    """Raise CurrencyMismatch or AmountNotPositive for an amount that an account of this currency cannot move."""
    if amount.currency != currency:
        raise CurrencyMismatch(expected=currency, found=amount.currency)
    if amount <= Money.zero(currency):
        raise AmountNotPositive(f"a movement is more than zero, {amount} is not")


def check_counterparty(name: str, country: str | None) -> None:
    """Raise InvalidMovement for a name that cannot be stored, and for what is no ISO 3166 alpha-2 code."""
    if len(name) > _NAME_LENGTH or not name.isprintable():
        raise InvalidMovement(f"counterparty must be at most {_NAME_LENGTH} printable characters")
    if country is not None and re.fullmatch("[A-Z]{2}", country) is None:
        raise InvalidMovement("country must be two capital letters, or nothing")

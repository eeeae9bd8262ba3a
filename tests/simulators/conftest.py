"""A simulated rail, an order for an account, and times at which to ask about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finaegis.shared.money import Money
from finaegis.simulators.rail import Order, Rail

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RAIL = Rail(name="rail", clearing=HOUR)


def order(account: str = "DE00 0001", amount: str = "10.00") -> Order:
    return Order(amount=Money(amount, "EUR"), beneficiary="Ada Muster", account=account, text="W-1")


@pytest.fixture
def rail(db: None) -> Rail:
    """A rail that clears within an hour."""
    return RAIL

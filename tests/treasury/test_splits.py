"""The money rule: a split is exact to the minor unit, in currencies of every scale and for amounts that floats lose."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from finaegis.shared.money import Money
from ledger import queries as ledger
from tests.treasury.factories import TreasuryAccountFactory, balances
from treasury import operations

pytestmark = pytest.mark.django_db

#: Minor units in one unit of the currency.
SCALES = {"USD": 100, "JPY": 1, "KWD": 1000}
#: Shares of cash, bonds and equities in per cent; a name that nobody knows is all cash.
STRATEGIES = {
    "conservative": (40, 50, 10),
    "balanced": (20, 40, 40),
    "aggressive": (10, 20, 70),
    "unheard of": (100, 0, 0),
}
AMOUNTS = {
    "one minor unit": lambda scale: 1,
    "100 and one minor unit": lambda scale: 100 * scale + 1,
    "a trillion": lambda scale: 10**12 * scale,
    "a trillion and one minor unit": lambda scale: 10**12 * scale + 1,
}


def expected(minor: int, shares: tuple[int, int, int]) -> list[int]:
    """By largest remainder, reckoned with fractions; at equal remainders cash first, then bonds, then equities."""
    exact = [Fraction(minor * share, 100) for share in shares]
    parts = [int(part) for part in exact]
    left = sorted(range(3), key=lambda place: (-(exact[place] - parts[place]), place))
    for place in left[: minor - sum(parts)]:
        parts[place] += 1
    return parts


@pytest.mark.parametrize("currency", SCALES)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("size", AMOUNTS)
def test_a_split_is_exact_on_the_ledger_and_so_is_its_undo(currency: str, strategy: str, size: str) -> None:
    minor = AMOUNTS[size](SCALES[currency])
    amount = Money.from_minor(minor, currency)
    account = TreasuryAccountFactory(currency=currency, balance=amount.amount)

    made = operations.allocate(key="k", account_id=account.id, strategy=strategy, amount=amount)

    parts = expected(minor, STRATEGIES[strategy])
    told = {str(part.type): part.amount for part in made.allocations}
    found = balances(account)
    for name, part in zip(("cash", "bonds", "equities"), parts, strict=True):
        money = Money.from_minor(part, currency)
        assert found[f"allocated_{name}"] == money.to_text()
        assert told.get(name, Money.zero(currency)) == money
    assert found["operating"] == Money.zero(currency).to_text()
    assert made.total_allocated == amount

    operations.reverse_allocation(key="u", undone_key="k", account_id=account.id, amount=amount)
    assert balances(account)["operating"] == amount.to_text()
    assert list(ledger.verify()) == []


def test_an_amount_finer_than_its_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="JPY"):
        Money(Decimal("0.01"), "JPY")

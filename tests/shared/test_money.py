"""Money is exact: minor units of one currency, never a float, never rounded by accident."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finaegis.shared.money import (
    MAXIMUM_MINOR,
    AmountTooLarge,
    AmountTooPrecise,
    CurrencyMismatch,
    InvalidAllocation,
    InvalidAmount,
    Money,
    MoneyError,
    UnknownCurrency,
    round_half_even,
)

minor_units = st.integers(-MAXIMUM_MINOR, MAXIMUM_MINOR)
currencies = st.sampled_from(["USD", "JPY", "KWD", "BTC"])


@pytest.mark.parametrize(
    ("amount", "currency", "text", "minor"),
    [
        ("100000.00", "USD", "100000.00", 10_000_000),
        ("1", "USD", "1.00", 100),
        (Decimal("1.5"), "USD", "1.50", 150),
        (7, "USD", "7.00", 700),
        ("-0.01", "EUR", "-0.01", -1),
        ("0", "USD", "0.00", 0),
        ("-0", "USD", "0.00", 0),
        ("5", "JPY", "5", 5),
        ("1000000000000.001", "KWD", "1000000000000.001", 1_000_000_000_000_001),
        ("0.00000001", "BTC", "0.00000001", 1),
        (Decimal("1E+3"), "USD", "1000.00", 100_000),
        ("1.500", "USD", "1.50", 150),
    ],
)
def test_an_amount_stands_at_its_currencys_scale(amount: Any, currency: str, text: str, minor: int) -> None:
    money = Money(amount, currency)

    assert (money.to_text(), money.to_minor()) == (text, minor)
    assert str(money) == f"{text} {currency}"


@given(minor_units, currencies)
def test_minor_units_there_and_back_are_the_same(minor: int, currency: str) -> None:
    money = Money.from_minor(minor, currency)

    assert money.to_minor() == minor
    assert Money(money.to_text(), currency) == money
    assert Money(money.amount, currency) == money


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        (1.5, InvalidAmount),
        (True, InvalidAmount),
        (None, InvalidAmount),
        ("", InvalidAmount),
        ("1,000", InvalidAmount),
        ("1e3", InvalidAmount),
        (" 1", InvalidAmount),
        ("+1", InvalidAmount),
        ("1.", InvalidAmount),
        ("٣", InvalidAmount),
        ("NaN", InvalidAmount),
        ("9" * 65, InvalidAmount),
        (Decimal("NaN"), InvalidAmount),
        (Decimal("Infinity"), InvalidAmount),
        ("0.001", AmountTooPrecise),
        (Decimal("1E-30"), AmountTooPrecise),
        (Decimal("1E-999999"), AmountTooPrecise),
        ("92233720368547758.08", AmountTooLarge),
        (Decimal("1E+999999"), AmountTooLarge),
        (2**63, AmountTooLarge),
    ],
)
def test_what_is_no_exact_amount_is_refused_with_its_code(amount: Any, refusal: type[MoneyError]) -> None:
    with pytest.raises(refusal) as refused:
        Money(amount, "USD")

    assert refused.value.code == refusal.code


@pytest.mark.parametrize("currency", ["", "usd", "XXX", "XAU", "US", "USDX", None, 5, "\ud800", "DEM"])
def test_an_unknown_currency_is_refused(currency: Any) -> None:
    with pytest.raises(UnknownCurrency):
        Money("1", currency)


def test_the_largest_amounts_fit_and_one_more_does_not() -> None:
    assert Money.from_minor(MAXIMUM_MINOR, "USD").to_minor() == MAXIMUM_MINOR
    with pytest.raises(AmountTooLarge):
        Money.from_minor(MAXIMUM_MINOR, "USD") + Money("0.01", "USD")


# --- Arithmetic ------------------------------------------------------------------------------------------------------


def test_ten_cents_and_twenty_less_thirty_is_nothing() -> None:
    assert Money("0.10", "USD") + Money("0.20", "USD") - Money("0.30", "USD") == Money.zero("USD")


def test_arithmetic_is_exact_whatever_the_threads_decimal_context_says() -> None:
    with decimal.localcontext() as context:
        context.prec = 3

        assert Money("123456.78", "USD") + Money("0.01", "USD") == Money.from_minor(12_345_679, "USD")


@given(st.lists(st.integers(-(10**12), 10**12), max_size=20))
def test_a_total_is_the_sum_of_its_minor_units(minors: list[int]) -> None:
    assert Money.total([Money.from_minor(minor, "USD") for minor in minors], "USD").to_minor() == sum(minors)


@pytest.mark.parametrize(
    "mix",
    [
        lambda: Money("1", "USD") + Money("1", "EUR"),
        lambda: Money("1", "USD") - Money("1", "EUR"),
        lambda: Money("1", "USD") < Money("2", "EUR"),
        lambda: Money.total([Money("1", "USD")], "EUR"),
    ],
)
def test_two_currencies_never_mix(mix: Any) -> None:
    with pytest.raises(CurrencyMismatch):
        mix()


@pytest.mark.parametrize("operation", [lambda m: m + 1, lambda m: m - 0, lambda m: m * 1.5, lambda m: m * Decimal(2)])
def test_money_meets_only_money_and_whole_numbers(operation: Any) -> None:
    with pytest.raises(TypeError):
        operation(Money("1", "USD"))


def test_amounts_of_two_currencies_are_never_equal() -> None:
    assert Money("1", "USD") != Money("1", "EUR")
    assert len({Money("1", "USD"), Money("1.00", "USD"), Money("1", "EUR")}) == 2


def test_it_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Money("1", "USD").amount = Decimal(2)  # type: ignore[misc]


# --- Dividing --------------------------------------------------------------------------------------------------------

weights = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


@given(minor_units, currencies, weights)
def test_parts_sum_exactly_to_the_whole_and_none_is_off_by_a_unit_or_more(
    minor: int, currency: str, shares: list[int]
) -> None:
    parts = Money.from_minor(minor, currency).allocate(shares)

    assert sum(part.to_minor() for part in parts) == minor
    for part, share in zip(parts, shares, strict=True):
        assert abs(Fraction(part.to_minor()) - Fraction(minor * share, sum(shares))) < 1
        assert share or not part


@pytest.mark.parametrize(
    ("text", "currency", "shares", "parts"),
    [
        ("0.01", "USD", [1, 1, 1], ["0.01", "0.00", "0.00"]),
        ("1.00", "USD", [1, 1, 1], ["0.34", "0.33", "0.33"]),
        ("100.01", "USD", [20, 40, 40], ["20.00", "40.01", "40.00"]),
        ("-1.00", "USD", [1, 1, 1], ["-0.34", "-0.33", "-0.33"]),
        ("1", "JPY", [1, 2], ["0", "1"]),
        ("1000000000000.001", "KWD", [1, 1], ["500000000000.001", "500000000000.000"]),
        ("1.00", "USD", [Fraction(1, 3), Fraction(2, 3)], ["0.33", "0.67"]),
        ("1.00", "USD", [0, 1], ["0.00", "1.00"]),
    ],
)
def test_left_over_units_go_to_the_largest_remainder_and_ties_to_the_first(
    text: str, currency: str, shares: list[Any], parts: list[str]
) -> None:
    assert [part.to_text() for part in Money(text, currency).allocate(shares)] == parts


@pytest.mark.parametrize("shares", [[], [0], [0, 0], [-1, 2], [0.5, 0.5], [Decimal("NaN")], [True]])
def test_weights_that_divide_nothing_are_refused(shares: list[Any]) -> None:
    with pytest.raises(InvalidAllocation):
        Money("1", "USD").allocate(shares)


@pytest.mark.parametrize("count", [0, -1, 1.0, True])
def test_a_split_is_into_one_or_more_parts(count: Any) -> None:
    with pytest.raises(InvalidAllocation):
        Money("1", "USD").split(count)


# --- Rounding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (Decimal("0.005"), "USD", "0.00"),
        (Decimal("0.015"), "USD", "0.02"),
        (Decimal("0.0150001"), "USD", "0.02"),
        (Decimal("-0.025"), "USD", "-0.02"),
        (Decimal("2.5"), "JPY", "2"),
        (Decimal("3.5"), "JPY", "4"),
        (Fraction(1, 3), "USD", "0.33"),
        (Fraction(1, 200), "USD", "0.00"),
        (Fraction(3, 200), "USD", "0.02"),
        (Decimal("1E-50"), "USD", "0.00"),
    ],
)
def test_rounding_is_to_the_nearest_unit_and_ties_to_the_even_one(amount: Any, currency: str, text: str) -> None:
    assert round_half_even(amount, currency).to_text() == text


@given(st.fractions(-(10**9), 10**9, max_denominator=10**6), currencies)
def test_rounding_is_off_by_half_a_unit_at_most(amount: Fraction, currency: str) -> None:
    rounded = round_half_even(amount, currency)

    unit = Fraction(Money.from_minor(1, currency).amount)
    assert abs(Fraction(rounded.amount) - amount) <= unit / 2


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+50"), Fraction(10**30)])
def test_what_is_no_amount_is_not_rounded_into_one(amount: Any) -> None:
    with pytest.raises((InvalidAmount, AmountTooLarge)):
        round_half_even(amount, "USD")

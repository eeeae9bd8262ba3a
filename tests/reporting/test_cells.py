"""How a value is written into a cell: no formula comes out of a text, and no amount loses a digit."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from reporting.rules.cells import neutral, number_of, places_of, written


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_text_that_would_begin_a_formula_is_made_a_text(begin) -> None:
    assert neutral(f"{begin}SUM(A1)") == f"'{begin}SUM(A1)"


@pytest.mark.parametrize("text", ["", "Ada", "a=b", "1+1", "O'Hara", "Łukasz", " =1"])
def test_any_other_text_stays_as_it_is(text) -> None:
    assert neutral(text) == text


def test_a_formula_behind_a_control_character_is_no_formula() -> None:
    assert neutral("\x00=1+1") == "\ufffd=1+1"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (Money("-12.50", "USD"), "-12.50"),
        (Money("0", "KWD"), "0.000"),
        (Money("7", "JPY"), "7"),
        (Money("0.00000001", "BTC"), "0.00000001"),
        (Decimal("1E-8"), "0.00000001"),
        (12, "12"),
        (date(2026, 1, 5), "2026-01-05"),
        (datetime(2026, 1, 5, 9, 30, tzinfo=UTC), "2026-01-05 09:30:00"),
        ("-1", "'-1"),
    ],
)
def test_each_kind_of_cell_has_one_form(cell, text) -> None:
    assert written(cell) == text


def test_a_negative_amount_stays_a_number() -> None:
    assert number_of(Money("-12.50", "USD")) == Decimal("-12.50")


@pytest.mark.parametrize("amount", ["1234567890123.45", "-1234567890123.45", "0.00", "10000000000000000.00"])
def test_an_amount_of_up_to_fifteen_digits_is_a_number(amount) -> None:
    assert number_of(Money(amount, "USD")) == Decimal(amount)
    assert Decimal(repr(float(Decimal(amount)))) == Decimal(amount)  # what a spreadsheet makes of it


def test_an_amount_with_more_digits_than_a_spreadsheet_keeps_is_no_number_but_its_text() -> None:
    amount = Money("12345678901234.56", "USD")

    assert number_of(amount) is None
    assert written(amount) == "12345678901234.56"


@pytest.mark.parametrize(
    ("cell", "places"),
    [(Money("1", "JPY"), 0), (Money("1", "USD"), 2), (Money("1", "KWD"), 3), (Decimal("8.10"), 2), (3, 0)],
)
def test_numbers_are_shown_with_the_places_of_their_currency(cell, places) -> None:
    assert places_of(cell) == places

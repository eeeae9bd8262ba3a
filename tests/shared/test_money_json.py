"""Money in JSON and in tables: an object of text and currency, and two columns."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from finaegis.shared.currencies import MAXIMUM_SCALE, InvalidAsset, UnknownCurrency, register_asset, scale_of
from finaegis.shared.models import MoneyOf
from finaegis.shared.money import MAXIMUM_MINOR, CurrencyMismatch, Money

MONEY = TypeAdapter(Money)


class Invoice(BaseModel):
    total: Money
    lines: list[Money]


@given(st.integers(-MAXIMUM_MINOR, MAXIMUM_MINOR), st.sampled_from(["USD", "JPY", "KWD", "BTC"]))
def test_json_there_and_back_is_the_same_amount(minor: int, currency: str) -> None:
    money = Money.from_minor(minor, currency)

    assert MONEY.validate_json(MONEY.dump_json(money)) == money


def test_it_is_written_as_a_text_and_its_currency() -> None:
    invoice = Invoice(total=Money("100000", "USD"), lines=[Money("5", "JPY")])

    assert invoice.model_dump_json() == (
        '{"total":{"amount":"100000.00","currency":"USD"},"lines":[{"amount":"5","currency":"JPY"}]}'
    )


@pytest.mark.parametrize(
    ("given_json", "code"),
    [
        ({"amount": "NaN", "currency": "USD"}, "invalid_amount"),
        ({"amount": 1.5, "currency": "USD"}, "invalid_amount"),
        ({"amount": None, "currency": "USD"}, "invalid_amount"),
        ({"amount": ["1"], "currency": "USD"}, "invalid_amount"),
        ({"amount": "0.001", "currency": "USD"}, "amount_too_precise"),
        ({"amount": "0.01", "currency": "JPY"}, "amount_too_precise"),
        ({"amount": "1" * 30, "currency": "USD"}, "amount_too_large"),
        ({"amount": "1", "currency": "XXX"}, "unknown_currency"),
        ({"amount": "1", "currency": None}, "unknown_currency"),
        ({"amount": "1"}, "missing"),
        ({"amount": "1", "currency": "USD", "extra": 1}, "extra_forbidden"),
        ("1 USD", "dict_type"),
        (["1", "USD"], "dict_type"),
    ],
)
def test_json_that_is_no_amount_is_refused_with_a_stable_code(given_json: Any, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MONEY.validate_python(given_json)

    assert code in [error["type"] for error in refused.value.errors()]


def test_the_schema_describes_what_is_accepted() -> None:
    schema = MONEY.json_schema()

    assert schema["required"] == ["amount", "currency"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["amount"]["type"] == "string"


# --- Currencies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "scale"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("BHD", 3), ("CLP", 0), ("BTC", 8)]
)
def test_a_currency_has_its_number_of_decimal_places(currency: str, scale: int) -> None:
    assert scale_of(currency) == scale


def test_an_asset_is_registered_once_and_keeps_its_scale() -> None:
    register_asset("TESTCOIN", 4)
    register_asset("TESTCOIN", 4)

    assert Money("0.0001", "TESTCOIN").to_minor() == 1
    with pytest.raises(InvalidAsset, match="known with scale 4"):
        register_asset("TESTCOIN", 5)


@pytest.mark.parametrize(
    ("code", "scale"),
    [("x", 2), ("abc", 2), ("A" * 13, 2), ("1A", 2), ("NEW COIN", 2), (None, 2), ("NEWCOIN", -1), ("NEWCOIN", True),
     ("NEWCOIN", MAXIMUM_SCALE + 1), ("NEWCOIN", 1.5), ("USD", 3)],
)  # fmt: skip
def test_an_asset_that_makes_no_sense_is_refused(code: Any, scale: Any) -> None:
    with pytest.raises(InvalidAsset):
        register_asset(code, scale)
    with pytest.raises(UnknownCurrency):
        scale_of("NEWCOIN")


# --- Rows ------------------------------------------------------------------------------------------------------------


class Row:
    """Two columns of a table."""

    balance = MoneyOf("balance_minor")
    fee = MoneyOf("fee_minor", "fee_currency")

    def __init__(self) -> None:
        self.balance_minor, self.currency = 1050, "USD"
        self.fee_minor, self.fee_currency = 7, "JPY"


def test_two_columns_are_read_as_money() -> None:
    assert Row().balance == Money(Decimal("10.50"), "USD")
    assert Row().fee == Money("7", "JPY")
    with pytest.raises(CurrencyMismatch):
        Row().balance + Row().fee

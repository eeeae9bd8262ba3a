"""Search attributes: what may be one, and that its index key orders and equals as the value does."""

from __future__ import annotations

import enum
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.core.attributes import decoded, index_key, readings, stored
from workflows.core.errors import PayloadError
from workflows.core.payloads import Sensitive


class Colour(enum.Enum):
    RED = "red"


def key(value: Any) -> str:
    attribute = stored("name", value)
    assert attribute is not None
    return index_key(attribute)


numbers = st.decimals(
    min_value=Decimal("-99999999999999999999"), max_value=Decimal("99999999999999999999"), places=8, allow_nan=False
) | st.integers(min_value=-(10**20) + 1, max_value=10**20 - 1)


@given(numbers, numbers)
def test_numbers_are_ordered_and_equal_as_their_keys(one: Any, other: Any) -> None:
    assert (key(one) < key(other)) == (Decimal(one) < Decimal(other))
    assert (key(one) == key(other)) == (Decimal(one) == Decimal(other))


instants = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))


@given(instants, instants)
def test_instants_are_ordered_as_their_keys(one: datetime, other: datetime) -> None:
    assert (key(one) < key(other)) == (one < other)


def test_one_instant_in_two_zones_is_one_key() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    assert key(moment) == key(moment.astimezone(timezone(timedelta(hours=5))))


@given(st.dates(), st.dates())
def test_dates_are_ordered_as_their_keys(one: date, other: date) -> None:
    assert (key(one) < key(other)) == (one < other)


@pytest.mark.parametrize(
    "value",
    ["text", "", 7, -7, Decimal("0.10"), True, False, uuid.uuid4(), date(2026, 1, 5), datetime(2026, 1, 5, tzinfo=UTC)],
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    attribute = stored("name", value)

    assert attribute is not None and decoded(attribute) == value and type(decoded(attribute)) is type(value)


def test_an_enum_is_its_value() -> None:
    assert stored("name", Colour.RED) == {"type": "text", "value": "red"}


@pytest.mark.parametrize(
    "value",
    [
        1.5, b"x", [1], {"a": 1}, object(), datetime(2026, 1, 5), Sensitive("x"), "x" * 256, "a\x00b", "\ud800",
        Decimal("NaN"), Decimal("Infinity"), Decimal("1e999999"), Decimal("1e-999999"), 10**20,
        Decimal("0.0000000000001"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_or_compared_exactly_is_refused(value: Any) -> None:
    with pytest.raises(PayloadError):
        stored("name", value)


@pytest.mark.parametrize("name", ["", "a b", "a__b", "1st", "x" * 51])
def test_names_that_cannot_be_asked_for_are_refused(name: str) -> None:
    with pytest.raises(PayloadError):
        stored(name, 1)


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("abc", ["text"]),
        ("12.50", ["text", "number"]),
        ("true", ["text", "bool"]),
        ("2026-01-05", ["text", "date"]),
        ("2026-01-05T12:00:00Z", ["text", "datetime"]),
        ("6a3f2c1e-0000-4000-8000-000000000000", ["text", "uuid"]),
        ("NaN", ["text"]),
    ],
)
def test_a_text_is_read_as_every_type_it_can_be(text: str, types: list[str]) -> None:
    found = [attribute["type"] for attribute in readings(text)]

    assert found == types

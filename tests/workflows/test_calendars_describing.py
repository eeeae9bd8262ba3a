"""How workflow code names a business day: a pure description that a step's arguments keep."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from workflows.calendars import BusinessDay, next_business_day
from workflows.core.errors import PayloadError

PROCESSED = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)

DESCRIPTIONS = [
    next_business_day(calendar="USD"),
    next_business_day(calendar="sepa-instant", days=0),
    next_business_day(calendar="EUR", days=3, after=PROCESSED),
]


@pytest.mark.parametrize("described", DESCRIPTIONS)
def test_a_description_comes_back_from_json_as_it_was(described: BusinessDay) -> None:
    assert BusinessDay.from_data(json.loads(json.dumps(described.describe()))) == described


def test_a_description_says_calendar_days_and_instant() -> None:
    assert next_business_day(calendar="EUR", days=3, after=PROCESSED).describe() == {
        "calendar": "EUR",
        "days": 3,
        "after": "2026-01-05T12:30:00+00:00",
    }
    assert next_business_day(calendar="USD").describe() == {"calendar": "USD", "days": 1, "after": None}


def test_one_instant_has_one_description_whatever_its_zone() -> None:
    elsewhere = PROCESSED.astimezone(ZoneInfo("Asia/Kolkata"))

    assert next_business_day(calendar="EUR", after=elsewhere) == next_business_day(calendar="EUR", after=PROCESSED)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"calendar": ""}, "calendar"),
        ({"calendar": None}, "calendar"),
        ({"calendar": "USD", "days": -1}, "days"),
        ({"calendar": "USD", "days": 1001}, "days"),
        ({"calendar": "USD", "days": 1.5}, "days"),
        ({"calendar": "USD", "days": True}, "days"),
        ({"calendar": "USD", "after": datetime(2026, 1, 5)}, "after"),
        ({"calendar": "USD", "after": "2026-01-05T12:00:00+00:00"}, "after"),
    ],
)
def test_what_no_calendar_could_date_is_refused_at_the_call(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(PayloadError, match=f"^{named}: "):
        next_business_day(**arguments)


@pytest.mark.parametrize(
    "data",
    [
        {},
        None,
        {"calendar": "USD", "days": 1},
        {"calendar": "USD", "days": 1, "after": None, "zone": "UTC"},
        {"calendar": "USD", "days": 1, "after": "tomorrow"},
        {"calendar": "USD", "days": 1, "after": 5},
        {"calendar": "USD", "days": 1, "after": "2026-01-05T12:00:00"},
        {"calendar": "USD", "days": "1", "after": None},
    ],
)
def test_data_that_is_no_description_is_refused(data: Any) -> None:
    with pytest.raises(PayloadError):
        BusinessDay.from_data(data)

"""A described business day gets its date from the calendar's rows as they are when the timer is written."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time

import pytest
from django.db import IntegrityError, transaction

from workflows.calendars import UnknownCalendar, next_business_day, resolve
from workflows.models import Calendar, Holiday

MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
THIRD_DAY = next_business_day(calendar="USD", days=3)


@pytest.fixture
def dollar() -> Calendar:
    return Calendar.objects.get(code="USD")


def test_a_description_is_dated_by_its_calendar() -> None:
    assert resolve(THIRD_DAY, MONDAY) == datetime(2026, 1, 8, 14, tzinfo=UTC)
    assert resolve(next_business_day(calendar="EUR", days=3), MONDAY) == datetime(2026, 1, 8, 6, tzinfo=UTC)


def test_the_instant_of_processing_goes_before_now() -> None:
    described = next_business_day(calendar="USD", days=3, after=datetime(2026, 1, 15, 17, tzinfo=UTC))

    assert resolve(described, MONDAY) == datetime(2026, 1, 21, 14, tzinfo=UTC)


def test_a_holiday_that_is_entered_counts_from_the_next_timer_on(dollar: Calendar) -> None:
    before = resolve(THIRD_DAY, MONDAY)

    dollar.holidays.create(date=date(2026, 1, 7), name="Day of mourning")

    assert before == datetime(2026, 1, 8, 14, tzinfo=UTC)
    assert resolve(THIRD_DAY, MONDAY) == datetime(2026, 1, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("columns", "due"),
    [
        ({"opens_at": time(8, 30)}, datetime(2026, 1, 8, 13, 30, tzinfo=UTC)),
        ({"cut_off": time(10)}, datetime(2026, 1, 8, 14, tzinfo=UTC)),
        ({"opens_at": time(6), "cut_off": time(6, 59)}, datetime(2026, 1, 9, 11, tzinfo=UTC)),
        ({"zone": "Asia/Tokyo"}, datetime(2026, 1, 9, 0, tzinfo=UTC)),
        ({"weekend": "23"}, datetime(2026, 1, 10, 14, tzinfo=UTC)),
        ({"weekend": ""}, datetime(2026, 1, 8, 14, tzinfo=UTC)),
    ],
)
def test_every_column_of_the_calendar_counts(dollar: Calendar, columns: dict[str, object], due: datetime) -> None:
    Calendar.objects.filter(pk=dollar.pk).update(**columns)

    assert resolve(THIRD_DAY, MONDAY) == due


def test_a_rail_of_its_own_has_days_of_its_own() -> None:
    rail = Calendar.objects.create(code="rail-x", name="Rail X", zone="UTC", opens_at=time(0), cut_off=time(12))
    Holiday.objects.create(calendar=rail, date=date(2026, 1, 6), name="Epiphany")

    assert resolve(next_business_day(calendar="rail-x"), MONDAY) == datetime(2026, 1, 7, tzinfo=UTC)


def test_an_unknown_calendar_is_a_refusal_with_a_code() -> None:
    with pytest.raises(UnknownCalendar) as refusal:
        resolve(next_business_day(calendar="XXX"), MONDAY)

    assert (refusal.value.code, refusal.value.calendar) == ("unknown_calendar", "XXX")
    assert "'XXX'" in str(refusal.value)


def test_a_year_without_holidays_is_dated_by_weekends_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    eve = datetime(2027, 12, 30, 12, tzinfo=UTC)

    with caplog.at_level(logging.WARNING, "workflows.calendars"):
        due = resolve(THIRD_DAY, eve)

    assert due == datetime(2028, 1, 4, 14, tzinfo=UTC)
    assert "USD has no holidays of 2028" in caplog.text


def test_a_calendar_that_has_no_holidays_at_all_is_no_gap(caplog: pytest.LogCaptureFixture) -> None:
    Calendar.objects.create(
        code="always", name="Never closed", zone="UTC", weekend="", opens_at=time(0), cut_off=time.max
    )

    resolve(next_business_day(calendar="always"), MONDAY)

    assert caplog.text == ""


# --- Rows that no calendar could count by ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns", [{"weekend": "1234567"}, {"opens_at": time(18, 45)}, {"opens_at": time(19)}, {"code": "EUR"}]
)
def test_the_database_refuses_a_calendar_that_makes_no_sense(dollar: Calendar, columns: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Calendar.objects.filter(pk=dollar.pk).update(**columns)


def test_a_day_is_a_holiday_once(dollar: Calendar) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        dollar.holidays.create(date=date(2026, 1, 1), name="New Year again")

"""The calendars that come with the engine: days as they were published, brought by a migration where missing."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from django.apps.registry import Apps
from django.core.management import call_command

from workflows.calendars.first_content import load_missing
from workflows.models import Calendar, Holiday

YEARS = [2026, 2027]


def nth_weekday(year: int, month: int, weekday: int, number: int) -> date:
    """The `number`-th ISO weekday of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (number - 1))


def easter_sunday(year: int) -> date:
    """By the algorithm of Meeus, Jones and Butcher."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def days_of_the_federal_reserve(year: int) -> set[date]:
    """5 U.S.C. 6103; the Reserve Banks close on the Monday after a holiday on a Sunday, and on no Friday before one."""
    fixed = {date(year, 1, 1), date(year, 6, 19), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25)}
    last_of_may = max(day for day in (date(year, 5, 31) - timedelta(days=n) for n in range(7)) if day.isoweekday() == 1)
    moving = {
        nth_weekday(year, 1, 1, 3), nth_weekday(year, 2, 1, 3), last_of_may, nth_weekday(year, 9, 1, 1),
        nth_weekday(year, 10, 1, 2), nth_weekday(year, 11, 4, 4),
    }  # fmt: skip
    return fixed | moving | {day + timedelta(days=1) for day in fixed if day.isoweekday() == 7}


def closing_days_of_target(year: int) -> set[date]:
    """The long-term calendar of the European Central Bank."""
    easter = easter_sunday(year)
    return {
        date(year, 1, 1), easter - timedelta(days=2), easter + timedelta(days=1), date(year, 5, 1),
        date(year, 12, 25), date(year, 12, 26),
    }  # fmt: skip


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize(("code", "published"), [("USD", days_of_the_federal_reserve), ("EUR", closing_days_of_target)])
def test_the_shipped_holidays_are_those_of_the_central_bank(code: str, published: object, year: int) -> None:
    shipped = Holiday.objects.filter(calendar__code=code, date__year=year)

    assert callable(published)
    assert set(shipped.values_list("date", flat=True)) == published(year)


@pytest.mark.parametrize(
    ("code", "zone", "opens_at", "cut_off"),
    [
        ("USD", "America/New_York", time(9), time(18, 45)),
        ("EUR", "Europe/Berlin", time(7), time(17)),
    ],
)
def test_the_shipped_hours(code: str, zone: str, opens_at: time, cut_off: time) -> None:
    calendar = Calendar.objects.get(code=code)

    assert (calendar.zone, calendar.opens_at, calendar.cut_off, calendar.weekend) == (zone, opens_at, cut_off, "67")
    assert calendar.source
    calendar.full_clean()


def rows() -> list[tuple[object, ...]]:
    return [
        *Calendar.objects.order_by("code").values_list("code", "name", "zone", "opens_at", "cut_off", "weekend"),
        *Holiday.objects.order_by("calendar__code", "date").values_list("calendar__code", "date", "name"),
    ]


def test_another_migration_changes_nothing() -> None:
    before = rows()

    load_missing(using="default")

    assert rows() == before


def test_what_was_edited_or_removed_stays_so() -> None:
    Calendar.objects.filter(code="USD").update(cut_off=time(16), name="Our dollars")
    Holiday.objects.filter(calendar__code="USD", date=date(2026, 10, 12)).delete()
    Holiday.objects.filter(calendar__code="EUR", date=date(2026, 5, 1)).update(name="First of May")
    before = rows()

    load_missing(using="default")

    assert rows() == before


def test_a_year_that_a_calendar_does_not_know_is_added_whole() -> None:
    before = rows()
    Holiday.objects.filter(calendar__code="EUR", date__year=2027).delete()

    load_missing(using="default")

    assert rows() == before


def test_a_calendar_that_is_missing_is_written_whole() -> None:
    before = rows()
    Calendar.objects.filter(code="USD").delete()

    load_missing(using="default")

    assert rows() == before


def test_before_there_are_tables_nothing_is_written() -> None:
    Calendar.objects.all().delete()

    load_missing(using="default", apps=Apps())

    assert rows() == []


@pytest.mark.django_db(transaction=True)
def test_an_emptied_database_gets_them_again() -> None:
    call_command("flush", interactive=False, verbosity=0)

    assert Calendar.objects.count() == 2
    assert Holiday.objects.count() > 30

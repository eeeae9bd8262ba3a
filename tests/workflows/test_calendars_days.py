"""Which day a business calendar counts: weekends, holidays, the cut-off, zones and their changes of clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.core.when import BusinessCalendar, BusinessDay, next_business_day

NEW_YORK = ZoneInfo("America/New_York")
FRANKFURT = ZoneInfo("Europe/Berlin")

DOLLAR = BusinessCalendar(
    code="USD", zone=NEW_YORK, opens_at=time(9), cut_off=time(18, 45), weekend=frozenset({6, 7}),
    holidays=frozenset(
        {date(2026, 1, 1), date(2026, 1, 19), date(2026, 7, 4), date(2027, 1, 1), date(2027, 7, 4), date(2027, 7, 5)}
    ),
)  # fmt: skip
EURO = BusinessCalendar(
    code="EUR", zone=FRANKFURT, opens_at=time(7), cut_off=time(17), weekend=frozenset({6, 7}),
    holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1)}),
)  # fmt: skip
RIYADH = BusinessCalendar(
    code="SAR", zone=ZoneInfo("Asia/Riyadh"), opens_at=time(8), cut_off=time(16), weekend=frozenset({5, 6}),
    holidays=frozenset(),
)  # fmt: skip
#: A rail that never closes; its hours lie where the clocks change.
ALWAYS = BusinessCalendar(
    code="always", zone=FRANKFURT, opens_at=time(2, 30), cut_off=time.max, weekend=frozenset(), holidays=frozenset()
)


def due(calendar: BusinessCalendar, processed: datetime, days: int) -> datetime:
    """When it is due, as the calendar's own clocks show it."""
    described = next_business_day(calendar=calendar.code, days=days, after=processed)
    return calendar.due(described, datetime(1999, 1, 1, tzinfo=UTC)).astimezone(calendar.zone)


#: (why, calendar, processed at in the calendar's zone, open days, the day that is due).
COUNTED = [
    ("no closed day between", DOLLAR, "2026-01-05 12:00", 3, "2026-01-08"),
    ("a weekend between", DOLLAR, "2026-01-08 12:00", 3, "2026-01-13"),
    ("a weekend and a holiday between", DOLLAR, "2026-01-15 12:00", 3, "2026-01-21"),
    ("a change of year", DOLLAR, "2026-12-30 12:00", 3, "2027-01-05"),
    ("a holiday on a Saturday closes no Friday", DOLLAR, "2026-07-02 12:00", 1, "2026-07-03"),
    ("a holiday on a Sunday closes the Monday", DOLLAR, "2027-07-02 12:00", 1, "2027-07-06"),
    ("Good Friday to Easter Monday", EURO, "2026-04-02 12:00", 1, "2026-04-07"),
    ("a holiday before a weekend", EURO, "2026-04-30 12:00", 1, "2026-05-04"),
    ("a weekend of other days", RIYADH, "2026-01-08 12:00", 1, "2026-01-11"),
    ("no closed day at all", ALWAYS, "2026-01-09 12:00", 3, "2026-01-12"),
    # What counts as the processing day.
    ("before the opening hour it is that day", DOLLAR, "2026-01-05 00:00", 3, "2026-01-08"),
    ("at the cut-off it is still that day", DOLLAR, "2026-01-05 18:45", 3, "2026-01-08"),
    ("strictly later than the cut-off it is the next", DOLLAR, "2026-01-05 18:45:00.000001", 3, "2026-01-09"),
    ("in the last second of the day it is the next", DOLLAR, "2026-01-05 23:59:59", 3, "2026-01-09"),
    ("after the cut-off of a Friday it is Monday", DOLLAR, "2026-01-09 19:00", 3, "2026-01-15"),
    ("on a Saturday it is Monday", DOLLAR, "2026-01-10 12:00", 3, "2026-01-15"),
    ("on a Sunday night it is Monday", DOLLAR, "2026-01-11 23:00", 3, "2026-01-15"),
    ("on a holiday it is the day after", DOLLAR, "2026-01-19 12:00", 3, "2026-01-23"),
    ("after the cut-off before a holiday it is the day after", DOLLAR, "2026-01-16 19:00", 3, "2026-01-23"),
    # No day more: the processing day itself.
    ("the day itself", DOLLAR, "2026-01-05 12:00", 0, "2026-01-05"),
    ("the day that a closed one counts as", DOLLAR, "2026-01-10 12:00", 0, "2026-01-12"),
    ("the day that a late hour counts as", DOLLAR, "2026-01-05 18:46", 0, "2026-01-06"),
]


@pytest.mark.parametrize(("calendar", "processed", "days", "day"), [row[1:] for row in COUNTED],
                         ids=[row[0] for row in COUNTED])  # fmt: skip
def test_open_days_are_counted_from_the_processing_day(
    calendar: BusinessCalendar, processed: str, days: int, day: str
) -> None:
    at = datetime.fromisoformat(processed).replace(tzinfo=calendar.zone)

    assert due(calendar, at, days) == datetime.combine(date.fromisoformat(day), calendar.opens_at, tzinfo=calendar.zone)


#: (why, calendar, processed at in UTC, open days, due in UTC).
ON_OUR_CLOCKS = [
    ("Monday in Frankfurt is still Sunday in UTC", EURO, "2026-01-04 23:30", 1, "2026-01-06 06:00"),
    ("Monday in New York is already Tuesday in UTC", DOLLAR, "2026-01-06 00:30", 1, "2026-01-07 14:00"),
    ("the cut-off of New York in winter", DOLLAR, "2026-01-05 23:45", 1, "2026-01-06 14:00"),
    ("a second later in winter", DOLLAR, "2026-01-05 23:45:01", 1, "2026-01-07 14:00"),
    ("the cut-off of New York in summer", DOLLAR, "2026-07-06 22:45", 1, "2026-07-07 13:00"),
    ("a second later in summer", DOLLAR, "2026-07-06 22:45:01", 1, "2026-07-08 13:00"),
    ("the cut-off of Frankfurt in summer", EURO, "2026-07-01 15:00", 1, "2026-07-02 05:00"),
    ("a second later in Frankfurt", EURO, "2026-07-01 15:00:01", 1, "2026-07-03 05:00"),
    ("New York's clocks go forward meanwhile", DOLLAR, "2026-03-06 17:00", 1, "2026-03-09 13:00"),
    ("New York's clocks go back meanwhile", DOLLAR, "2026-10-30 16:00", 1, "2026-11-02 14:00"),
    ("Frankfurt's clocks go forward meanwhile", EURO, "2026-03-27 11:00", 1, "2026-03-30 05:00"),
    ("Frankfurt's clocks go back meanwhile", EURO, "2026-10-23 10:00", 1, "2026-10-26 06:00"),
    ("an opening hour that the clocks skip comes after the gap", ALWAYS, "2026-03-28 12:00", 1, "2026-03-29 01:30"),
    ("of an opening hour that comes twice the first counts", ALWAYS, "2026-10-24 12:00", 1, "2026-10-25 00:30"),
]


@pytest.mark.parametrize(("calendar", "processed", "days", "opening"), [row[1:] for row in ON_OUR_CLOCKS],
                         ids=[row[0] for row in ON_OUR_CLOCKS])  # fmt: skip
def test_hours_are_those_of_the_calendars_zone(
    calendar: BusinessCalendar, processed: str, days: int, opening: str
) -> None:
    at = datetime.fromisoformat(processed).replace(tzinfo=UTC)

    due_at = calendar.due(BusinessDay(calendar.code, days, at), at)

    assert due_at == datetime.fromisoformat(opening).replace(tzinfo=UTC)
    assert due_at.tzinfo is UTC


def test_without_after_the_day_is_counted_from_now() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=NEW_YORK)

    assert DOLLAR.due(BusinessDay("USD", 3), now) == datetime(2026, 1, 8, 9, tzinfo=NEW_YORK)


def test_a_calendar_that_never_opens_is_refused() -> None:
    with pytest.raises(ValueError, match="closed on every day"):
        BusinessCalendar("never", NEW_YORK, time(9), time(17), frozenset(range(1, 8)), frozenset())


INSTANTS = st.datetimes(datetime(2025, 12, 1), datetime(2027, 12, 1), timezones=st.just(UTC))
CALENDARS = st.sampled_from([DOLLAR, EURO, RIYADH, ALWAYS])


@given(calendar=CALENDARS, processed=INSTANTS, days=st.integers(1, 30))
def test_what_is_due_is_due_on_an_open_day_after_it_was_processed(
    calendar: BusinessCalendar, processed: datetime, days: int
) -> None:
    opening = due(calendar, processed, days)

    assert calendar.is_open(opening.date())
    assert opening.date() > processed.astimezone(calendar.zone).date()


@given(calendar=CALENDARS, processed=INSTANTS, later=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_what_is_processed_later_is_never_due_earlier(
    calendar: BusinessCalendar, processed: datetime, later: timedelta
) -> None:
    assert due(calendar, processed, 3) <= due(calendar, processed + later, 3)

"""Dates a described business day by the calendar's rows."""

from __future__ import annotations

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.core.when import BusinessCalendar, BusinessDay, UnknownCalendar
from workflows.models import Calendar

log = logging.getLogger("workflows.calendars")


def resolve(description: BusinessDay, now: datetime) -> datetime:
    """When a described business day is, UTC, by its calendar as it stands now. The runtime records the answer.

    `now` (aware) stands in for a description without `after`. Raises UnknownCalendar (`unknown_calendar`). A date in a
    year for which no holidays are entered yet counts weekends alone and is logged as a warning.
    """
    calendar = _read(description.calendar)
    due = calendar.due(description, now)
    if calendar.holidays and due.year > max(calendar.holidays).year:
        log.warning("calendar %s has no holidays of %s: only weekends count as closed", calendar.code, due.year)
    return due


def _read(code: str) -> BusinessCalendar:
    row = Calendar.objects.filter(code=code).first()
    if row is None:
        raise UnknownCalendar(code)
    return BusinessCalendar(
        code=row.code,
        zone=ZoneInfo(row.zone),
        opens_at=row.opens_at,
        cut_off=row.cut_off,
        weekend=frozenset(int(day) for day in row.weekend),
        holidays=frozenset(row.holidays.values_list("date", flat=True)),
    )

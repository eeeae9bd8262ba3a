"""Moments that workflow code describes and the runtime dates: open days of a business calendar (DOMAINS, Wallet).

Workflow code knows no calendar: it says which open day it means. The runtime reads the calendar when it writes the
timer and records the date, so a holiday that is entered later moves no timer and breaks no replay. Pure.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from workflows.core.errors import NonRetryable, PayloadError

#: Most open days that a description counts; more is an amount or an id in the wrong place.
MAX_DAYS = 1000


class UnknownCalendar(NonRetryable):
    """There is no business calendar of that code."""

    code = "unknown_calendar"

    def __init__(self, calendar: str) -> None:
        super().__init__(f"there is no business calendar {calendar!r}")
        self.calendar = calendar


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """The opening of an open day, counted by a calendar from the day on which something was processed.

    `days` open days after the processing day of `after`; None means the instant at which the timer is written. Made by
    `next_business_day`; raises PayloadError for what no calendar could date.
    """

    calendar: str
    days: int = 1
    after: datetime | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.calendar, str) or not self.calendar:
            raise PayloadError("calendar: the code of a business calendar is expected")
        if not isinstance(self.days, int) or isinstance(self.days, bool) or not 0 <= self.days <= MAX_DAYS:
            raise PayloadError(f"days: a whole number from 0 to {MAX_DAYS} is expected")
        if self.after is None:
            return
        if not isinstance(self.after, datetime) or self.after.tzinfo is None:
            raise PayloadError("after: a datetime with its time zone is expected")
        # One instant has one description, whatever zone it was written in.
        object.__setattr__(self, "after", self.after.astimezone(UTC))

    def describe(self) -> dict[str, Any]:
        """The description as JSON: what a step's arguments keep."""
        after = self.after.isoformat() if self.after is not None else None
        return {"calendar": self.calendar, "days": self.days, "after": after}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> BusinessDay:
        """The description that `describe` gave; raises PayloadError for anything else."""
        if not isinstance(data, dict) or data.keys() != {"calendar", "days", "after"}:
            raise PayloadError("a described business day has calendar, days and after")
        try:
            after = datetime.fromisoformat(data["after"]) if data["after"] is not None else None
        except (TypeError, ValueError):
            raise PayloadError("after: a datetime in ISO 8601 is expected") from None
        return cls(data["calendar"], data["days"], after)


def next_business_day(*, calendar: str, days: int = 1, after: datetime | None = None) -> BusinessDay:
    """The opening of the `days`-th open day after the processing day of `after`, for `self.sleep_until(...)`.

    `calendar` is the code of a business calendar: a currency (`USD`, `EUR`) or a rail. `after` is when the thing was
    processed, by default the instant at which the timer is written. Processing on a closed day, or later than the
    cut-off, counts as the next open day; at the cut-off itself it still counts as that day. `days=0` is the processing
    day itself, whose opening may have passed: then the timer is due at once. Raises PayloadError for an argument that
    does not fit; a calendar that does not exist is found when the timer is written (UnknownCalendar).
    """
    return BusinessDay(calendar, days, after)


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When a rail is open. `opens_at` and `cut_off` are wall-clock times in `zone`, `weekend` ISO weekdays (Monday 1).

    Raises ValueError for a calendar without any open weekday.
    """

    code: str
    zone: ZoneInfo
    opens_at: time
    cut_off: time
    weekend: Set[int]
    holidays: Set[date]

    def __post_init__(self) -> None:
        if set(range(1, 8)) <= set(self.weekend):
            raise ValueError(f"business calendar {self.code} is closed on every day of the week")

    def is_open(self, day: date) -> bool:
        """Whether the rail works on this day."""
        return day.isoweekday() not in self.weekend and day not in self.holidays

    def open_day_after(self, day: date) -> date:
        """The first open day after this one."""
        day += timedelta(days=1)
        while not self.is_open(day):
            day += timedelta(days=1)
        return day

    def processing_day(self, at: datetime) -> date:
        """The open day that something processed at this instant counts as."""
        local = at.astimezone(self.zone)
        if self.is_open(local.date()) and local.time() <= self.cut_off:
            return local.date()
        return self.open_day_after(local.date())

    def opening(self, day: date) -> datetime:
        """When the rail opens on this day, UTC.

        An opening hour that the clocks skip comes as much later as they jump; of one that comes twice the first counts.
        """
        return datetime.combine(day, self.opens_at, tzinfo=self.zone).astimezone(UTC)

    def due(self, described: BusinessDay, now: datetime) -> datetime:
        """When a described business day opens, UTC; `now` stands in for a description without `after`."""
        day = self.processing_day(described.after if described.after is not None else now)
        for _ in range(described.days):
            day = self.open_day_after(day)
        return self.opening(day)

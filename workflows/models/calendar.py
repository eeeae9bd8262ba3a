"""Business calendars: on which days and until which hour a currency or a rail works."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

EVERY_DAY = "1234567"


def validate_zone(value: str) -> None:
    """Refuse what is no time zone of the IANA database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError(f"{value} is no IANA time zone such as Europe/Berlin") from None


class Calendar(models.Model):
    """When a currency or rail works. Timers that are already written keep their date when a row changes."""

    code = models.CharField(max_length=40, unique=True, help_text="A currency or a rail: what workflow code names.")
    name = models.CharField(max_length=100)
    zone = models.CharField(
        "time zone", max_length=64, validators=[validate_zone], help_text="IANA name, such as America/New_York."
    )
    opens_at = models.TimeField("opening hour", help_text="Local time at which what is due on an open day becomes due.")
    cut_off = models.TimeField(
        "cut-off", help_text="Local time. What is processed later than this counts as the next open day."
    )
    #: ISO weekdays in order, Monday 1: "67" is Saturday and Sunday.
    weekend = models.CharField(
        "closed each week on", max_length=7, blank=True, default="67", validators=[RegexValidator("^1?2?3?4?5?6?7?\\Z")]
    )
    source = models.CharField(max_length=300, blank=True, help_text="Where hours and holidays come from.")

    class Meta:
        db_table = "workflows_calendar"
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(
                condition=Q(cut_off__gt=F("opens_at")),
                name="calendar_cut_off_after_opening",
                violation_error_message="The cut-off is later than the opening hour.",
            ),
            models.CheckConstraint(
                condition=~Q(weekend=EVERY_DAY),
                name="calendar_open_some_weekday",
                violation_error_message="At least one day of the week stays open.",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Holiday(models.Model):
    """A day on which a calendar is closed beside its weekends."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="holidays")
    date = models.DateField()
    name = models.CharField(max_length=100)

    class Meta:
        db_table = "workflows_holiday"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["calendar", "date"], name="holiday_once")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"

"""Business calendars in the console: reference data that is edited in a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from workflows.admin.presentation import ABSENT
from workflows.admin.read_only import column
from workflows.models import Calendar, Holiday

_WEEKDAYS = {
    "1": "Monday", "2": "Tuesday", "3": "Wednesday", "4": "Thursday", "5": "Friday", "6": "Saturday", "7": "Sunday",
}  # fmt: skip
#: Who may change calendars adds them and enters their holidays; nobody deletes one that workflows may name.
_CHANGE = "workflows.change_calendar"


class CalendarForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """Weekdays as boxes to tick; the row keeps their ISO numbers."""

    weekend = forms.MultipleChoiceField(
        label="Closed each week on",
        choices=list(_WEEKDAYS.items()),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["weekend"] = list(self.instance.weekend)

    def clean_weekend(self) -> str:
        return "".join(sorted(self.cleaned_data["weekend"]))


class HolidayInline(TabularInline):
    """The closed days of one calendar; they go with the permission to change it."""

    model = Holiday
    ordering = ("date",)
    fields = ("date", "name")
    extra = 0
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("workflows.view_calendar") or request.user.has_perm(_CHANGE)

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:
        return request.user.has_perm(_CHANGE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(_CHANGE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(_CHANGE)


@admin.register(Calendar)
class CalendarAdmin(ModelAdmin):
    """Every business calendar. An edit counts for timers that are written after it."""

    form = CalendarForm
    inlines = (HolidayInline,)
    actions = ()
    fields = ("code", "name", "zone", "opens_at", "cut_off", "weekend", "source")
    list_display = ("code", "name", "zone", "opening", "latest", "closed_on", "known_until")
    list_fullwidth = True
    ordering = ("code",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Calendar]:
        rows: QuerySet[Calendar] = super().get_queryset(request)
        return rows.annotate(last_holiday=Max("holidays__date"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj is not None else ()  # workflow code names it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_CHANGE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @column(description="opening hour")
    def opening(self, calendar: Calendar) -> str:
        return calendar.opens_at.isoformat("minutes")

    @column(description="cut-off")
    def latest(self, calendar: Calendar) -> str:
        return calendar.cut_off.isoformat("minutes")

    @column(description="closed each week on")
    def closed_on(self, calendar: Calendar) -> str:
        return ", ".join(_WEEKDAYS[day] for day in calendar.weekend) or ABSENT

    @column(description="holidays known until the end of")
    def known_until(self, calendar: Any) -> str:
        return str(calendar.last_holiday.year) if calendar.last_holiday is not None else ABSENT

"""Filters of the run and audit lists; none of them asks the database what there is to choose."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from workflows import queries
from workflows.models.run import ACTS

#: Acts on parked events, as the audit names them.
_EVENT_ACTS = ("replay_event", "drop_event")
_LAST_DAY = date(9999, 1, 1)


class WorkflowFilter(DropdownFilter):
    """By the name of a registered workflow."""

    title = "workflow"
    parameter_name = "workflow"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        names = dict.fromkeys(item.name for item in queries.list_workflows())
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(workflow=self.value()) if self.value() else queryset


class ActFilter(DropdownFilter):
    """By what was done."""

    title = "act"
    parameter_name = "act"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(act, act) for act in (*ACTS, *_EVENT_ACTS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(act=self.value()) if self.value() else queryset


class ParentFilter(DropdownFilter):
    """Runs that somebody started, children, or the children of one run (`?parent=<id>`)."""

    title = "parent"
    parameter_name = "parent"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        parent = _id_of(request.GET.get(self.parameter_name))
        of_one = [(str(parent), f"Children of {str(parent)[:8]}")] if parent is not None else []
        return [("none", "None: top-level runs"), ("any", "Any: children"), *of_one]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value in ("none", "any"):
            return queryset.filter(parent__isnull=value == "none")
        parent = _id_of(value)
        return queryset.filter(parent=parent) if parent is not None else queryset.none()


def _id_of(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both whole days in UTC."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first = _midnight(self.used_parameters.get(f"{self.parameter_name}_from"))
        last = _midnight(self.used_parameters.get(f"{self.parameter_name}_to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": first})
        if last is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": last + timedelta(days=1)})
        return queryset


def _midnight(text: str | None) -> datetime | None:
    day = parse_date_str(text) if text else None
    return datetime.combine(min(day, _LAST_DAY), time.min, UTC) if day is not None else None

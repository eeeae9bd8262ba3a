"""Processes that drive runs, and whether each is believed alive by the database's clock."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from workflows.admin.presentation import moment
from workflows.admin.read_only import ReadOnlyAdmin, column
from workflows.models import Process

_ALIVE = ExpressionWrapper(Q(expires_at__gt=Now()), output_field=BooleanField())


def living_processes() -> int:
    """How many processes are believed alive."""
    return Process.objects.filter(expires_at__gt=Now()).count()


@admin.register(Process)
class ProcessAdmin(ReadOnlyAdmin):
    """Every process that has driven runs, the newest first."""

    list_display = ("place", "life", "started", "expires", "id")
    ordering = ("-started_at", "-id")
    sortable_by = ()
    fields = ("id", "host", "pid", "capabilities", "started_at", "expires_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Process.objects.annotate(alive=_ALIVE)

    @column(description="process")
    def place(self, process: Process) -> str:
        return f"{process.host}, pid {process.pid}"

    @column(description="life", label={"alive": "success", "gone": "default"})
    def life(self, process: Any) -> str:
        return "alive" if process.alive else "gone"

    @column(description="started (UTC)")
    def started(self, process: Process) -> str:
        return moment(process.started_at)

    @column(description="believed alive until (UTC)")
    def expires(self, process: Process) -> str:
        return moment(process.expires_at)

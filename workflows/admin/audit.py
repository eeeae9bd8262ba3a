"""The audit trail in the console: who did what to which run, and why. Never edited."""

from __future__ import annotations

import uuid

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from workflows.admin.filters import ActFilter, DayRangeFilter, WorkflowFilter
from workflows.admin.presentation import moment
from workflows.admin.read_only import ReadOnlyAdmin, column, run_link, unbroken
from workflows.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Every act, newest first."""

    list_display = ("time", "act_name", "run", "workflow", "actor", "reason_given")
    list_filter = (ActFilter, WorkflowFilter, ("at", DayRangeFilter))
    exact_search = ("actor",)
    search_help_text = "Run id or exact name of the actor"
    ordering = ("-at", "-id")
    sortable_by = ()
    fields = ("time", "act", "whole_run", "workflow", "actor", "reason_given", "detail")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """An id means a run alone, and is looked up: nobody is called that."""
        try:
            return queryset.filter(run_id=uuid.UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    @column(description="time (UTC)")
    def time(self, entry: AuditEntry) -> str:
        return unbroken(moment(entry.at))

    @column(description="act", label=True)
    def act_name(self, entry: AuditEntry) -> str:
        return entry.act

    @column(description="run")
    def run(self, entry: AuditEntry) -> str:
        return run_link(entry.run_id, short=True)

    @column(description="run")
    def whole_run(self, entry: AuditEntry) -> str:
        return run_link(entry.run_id)

    @column(description="reason")
    def reason_given(self, entry: AuditEntry) -> str:
        return entry.reason or "none given"

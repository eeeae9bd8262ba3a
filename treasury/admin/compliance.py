"""Compliance cases, movements and AML thresholds in the console: cases are decided here, thresholds edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from treasury import operations
from treasury.admin.dialogs import ActingAdmin, CaseDecisionForm
from treasury.contracts import CaseStatus
from treasury.models import AmlThreshold, ComplianceCase, Movement
from workflows import clock
from workflows.admin.acting import Act
from workflows.admin.forms import DialogForm
from workflows.admin.presentation import ABSENT, moment, span
from workflows.admin.read_only import LINK, OfRunAdmin, ReadOnlyAdmin, column, shown, unbroken

_CASE_COLOURS = {
    "open": "warning",
    "cleared": "success",
    "rejected": "danger",
    "superseded": "default",
    "withdrawn": "default",
}


def _decide(row: ComplianceCase, user: Any, form: DialogForm) -> str:
    given = form.cleaned_data
    decided = operations.decide_case(row.id, decision=given["decision"], reason=given["reason"], actor=user)
    if decided.pending:
        return "The decision is requested; the case shows it once its run has taken it."
    return f"The case is {decided.case.status}."


@admin.register(ComplianceCase)
class ComplianceCaseAdmin(ActingAdmin, OfRunAdmin):
    """Every case, newest first."""

    list_display = ("account", "trigger", "found", "state", "due", "left", "decided_by", "run_start")
    list_filter = ("status", "trigger")
    list_select_related = ("account__holder", "movement")
    exact_search = ("id", "account", "run_id")
    search_help_text = "Case id, account id or run id"
    ordering = ("-opened_at", "-id")
    sortable_by = ()
    fields = (
        "id", "account_link", "trigger", "movement_link", "state", "opened", "due", "overdue", "may_not_decide", "run",
        "decided_by", "reason", "closed",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_after_template = act_below_template = "treasury/_findings.html"
    acts = (
        Act(
            name="decide",
            title="Decide",
            explains="The decision is recorded with your name and cannot be taken back. Whoever opened the account or "
            "recorded the movement does not decide.",
            icon="gavel",
            permissions=("treasury.decide_compliancecase",),
            variant="primary",
            fits=lambda row: row.status == CaseStatus.OPEN,
            suits=lambda row, user: user.get_username() not in row.involved,
            perform=_decide,
            form=CaseDecisionForm,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ComplianceCase]:
        rows: QuerySet[ComplianceCase] = super().get_queryset(request)
        return rows.exclude(status=CaseStatus.VOID).prefetch_related("findings")

    def below(self, request: HttpRequest, row: ComplianceCase) -> dict[str, Any]:
        """With what was found."""
        return {
            "findings": [
                {"kind": item.kind.replace("_", " "), "detail": item.detail} for item in row.as_contract().findings
            ]
        }

    @column(description="found")
    def found(self, case: ComplianceCase) -> str:
        return ", ".join(item.kind.replace("_", " ") for item in case.findings.all())

    @column(description="status", label=_CASE_COLOURS)
    def state(self, case: ComplianceCase) -> str:
        return case.status

    @column(description="opened (UTC)")
    def opened(self, case: ComplianceCase) -> str:
        return unbroken(moment(case.opened_at))

    @column(description="to be decided by (UTC)")
    def due(self, case: ComplianceCase) -> str:
        return unbroken(moment(case.deadline))

    @column(description="time left", label={"overdue": "danger"})
    def left(self, case: ComplianceCase) -> str:
        if case.status != CaseStatus.OPEN:
            return ABSENT
        remaining = case.deadline - clock.now()
        return "overdue" if remaining.total_seconds() <= 0 else span(remaining)

    @column(description="overdue since (UTC)")
    def overdue(self, case: ComplianceCase) -> str:
        return moment(case.overdue_at)

    @column(description="may not decide")
    def may_not_decide(self, case: ComplianceCase) -> str:
        return ", ".join(case.involved) or ABSENT

    @column(description="closed (UTC)")
    def closed(self, case: ComplianceCase) -> str:
        return moment(case.closed_at)

    @column(description="account")
    def account_link(self, case: ComplianceCase) -> str:
        url = reverse("admin:treasury_treasuryaccount_change", args=[case.account_id])
        return format_html('<a class="{}" href="{}">{}</a>', LINK, url, case.account.name)

    @column(description="movement")
    def movement_link(self, case: ComplianceCase) -> str:
        if case.movement is None:
            return ABSENT
        url = reverse("admin:treasury_movement_change", args=[case.movement_id])
        told = f"{case.movement.amount} {case.movement.direction}"
        return format_html('<a class="{}" href="{}">{}</a>', LINK, url, told)


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    """Every movement, newest first."""

    list_display = ("account", "direction", "total", "counterparty", "moved", "recorded_by")
    list_filter = ("direction", "currency")
    list_select_related = ("account",)
    exact_search = ("id", "key", "account")
    search_help_text = "Movement id, whole key or account id"
    ordering = ("-moved_at", "-id")
    sortable_by = ()
    fields = ("id", "account", "direction", "total", "counterparty", "country", "moved", "recorded_by", "key")
    readonly_fields = fields

    @column(description="amount")
    def total(self, movement: Movement) -> str:
        return shown(movement.amount)

    @column(description="moved (UTC)")
    def moved(self, movement: Movement) -> str:
        return unbroken(moment(movement.moved_at))


@admin.register(AmlThreshold)
class AmlThresholdAdmin(ModelAdmin):
    """From how much on movements are examined, by currency and day."""

    list_display = ("currency", "threshold", "window_days", "valid_from", "valid_to", "source")
    list_filter = ("currency",)
    list_fullwidth = True
    ordering = ("currency", "-valid_from")
    fieldsets = (
        (None, {"fields": ("currency", "reporting_minor", "window_days")}),
        ("Validity", {"fields": ("valid_from", "valid_to", "source")}),
    )

    @column(description="more than")
    def threshold(self, row: AmlThreshold) -> str:
        return shown(row.reporting)

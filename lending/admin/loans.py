"""Loans, their payouts and receivables in the console."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from lending import operations, queries
from lending.admin.dialogs import ActingAdmin
from lending.admin.overviews import loan_context
from lending.contracts import CaseStatus, LoanStatus
from lending.models import Disbursement, Loan, ReceivableCase
from workflows.admin import acts
from workflows.admin.acting import Act
from workflows.admin.acts import Button
from workflows.admin.forms import DialogForm
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import LINK, OfRunAdmin, column, shown, unbroken

_LOAN_COLOURS = {"accepted": "info", "active": "success"}
_DISBURSEMENT_COLOURS = {"pending": "info", "completed": "success", "voided": "warning"}
_CASE_COLOURS = {"open": "danger", "closed": "default"}


def _loan_link(loan: Loan) -> str:
    url = reverse("admin:lending_loan_change", args=[loan.pk])
    return format_html('<a class="{}" href="{}">{}</a>', LINK, url, loan.borrower)


@admin.register(Loan)
class LoanAdmin(ActingAdmin):
    """Every loan, newest first; its page shows its schedule."""

    list_display = ("borrower", "principal_amount", "state", "accepted", "disbursed_on", "id")
    list_filter = ("status", "currency")
    list_select_related = ("offer",)
    exact_search = ("id", "borrower")
    search_help_text = "Whole name of the borrower or loan id"
    ordering = ("-accepted_at", "-id")
    sortable_by = ()
    fields = (
        "id", "borrower", "principal_amount", "state", "application", "accepted", "accepted_by", "payout_until",
        "disbursed_on", "ledger_owner",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_after_template = "lending/_loan.html"

    def buttons(self, request: HttpRequest, row: Loan) -> list[Button]:
        """A payout is started in the engine's own dialog, with the loan filled in."""
        found = super().buttons(request, row)
        if row.status == LoanStatus.ACCEPTED and acts.may(request.user, acts.START):
            asked = urlencode({"workflow": "lending.LoanDisbursement", "loan_id": str(row.id)})
            url = f"{reverse('admin:workflows_run_start')}?{asked}"
            found.append(Button("Pay the loan out", "payments", "primary", url))
        return found

    def below(self, request: HttpRequest, row: Loan) -> dict[str, Any]:
        """With its terms, schedule, payouts and receivables."""
        return loan_context(queries.get_loan_overview(row.id))

    @column(description="principal")
    def principal_amount(self, loan: Loan) -> str:
        return shown(loan.principal)

    @column(description="status", label=_LOAN_COLOURS)
    def state(self, loan: Loan) -> str:
        return loan.status

    @column(description="accepted (UTC)")
    def accepted(self, loan: Loan) -> str:
        return unbroken(moment(loan.accepted_at))

    @column(description="to be paid out by (UTC)")
    def payout_until(self, loan: Loan) -> str:
        return moment(loan.offer.expires_at) if loan.status == LoanStatus.ACCEPTED else ABSENT

    @column(description="application")
    def application(self, loan: Loan) -> str:
        url = reverse("admin:lending_application_change", args=[loan.offer.application_id])
        return format_html('<a class="{}" href="{}">{}</a>', LINK, url, loan.offer.application_id)

    @column(description="ledger owner")
    def ledger_owner(self, loan: Loan) -> str:
        return loan.ledger_owner


@admin.register(Disbursement)
class DisbursementAdmin(OfRunAdmin):
    """Every payout, newest first."""

    list_display = ("loan_link", "total", "state", "created", "closed", "run_start")
    list_filter = ("status", "currency")
    list_select_related = ("loan",)
    exact_search = ("id", "run_id", "loan_id")
    search_help_text = "Disbursement id, loan id or run id"
    ordering = ("-created_at", "-id")
    sortable_by = ()
    fields = ("id", "loan_link", "total", "state", "run", "created", "closed", "key", "hold_key")
    readonly_fields = fields

    @column(description="loan")
    def loan_link(self, row: Disbursement) -> str:
        return _loan_link(row.loan)

    @column(description="amount")
    def total(self, row: Disbursement) -> str:
        return shown(row.amount)

    @column(description="status", label=_DISBURSEMENT_COLOURS)
    def state(self, row: Disbursement) -> str:
        return row.status

    @column(description="created (UTC)")
    def created(self, row: Disbursement) -> str:
        return unbroken(moment(row.created_at))

    @column(description="closed (UTC)")
    def closed(self, row: Disbursement) -> str:
        return unbroken(moment(row.closed_at))


def _close(row: ReceivableCase, user: Any, form: DialogForm) -> str:
    operations.close_case(row.id, reason=form.cleaned_data["reason"], actor=user)
    return "The case is closed."


@admin.register(ReceivableCase)
class ReceivableCaseAdmin(ActingAdmin):
    """Money that was spent before it was called back, newest first."""

    list_display = ("borrower", "owed", "came_back", "state", "opened")
    list_filter = ("status", "currency")
    list_select_related = ("disbursement__loan",)
    exact_search = ("id", "disbursement_id")
    search_help_text = "Case id or disbursement id"
    ordering = ("-opened_at", "-id")
    sortable_by = ()
    fields = ("id", "borrower", "owed", "came_back", "state", "opened", "closed", "closed_by", "reason")
    readonly_fields = fields
    acts = (
        Act(
            name="close",
            title="Close the case",
            explains="What was paid or written off stands in the ledger; here stands what you concluded.",
            icon="task_alt",
            permissions=("lending.change_receivablecase",),
            variant="primary",
            fits=lambda row: row.status == CaseStatus.OPEN,
            perform=_close,
        ),
    )

    @column(description="borrower")
    def borrower(self, row: ReceivableCase) -> str:
        return _loan_link(row.disbursement.loan)

    @column(description="owed")
    def owed(self, row: ReceivableCase) -> str:
        return shown(row.amount)

    @column(description="recovered")
    def came_back(self, row: ReceivableCase) -> str:
        return shown(row.recovered)

    @column(description="status", label=_CASE_COLOURS)
    def state(self, row: ReceivableCase) -> str:
        return row.status

    @column(description="opened (UTC)")
    def opened(self, row: ReceivableCase) -> str:
        return unbroken(moment(row.opened_at))

    @column(description="closed (UTC)")
    def closed(self, row: ReceivableCase) -> str:
        return moment(row.closed_at)

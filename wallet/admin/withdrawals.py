"""Withdrawals and cases in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from wallet import operations, queries
from wallet.admin.accounts import withdrawal_link
from wallet.admin.dialogs import ActingAdmin, ResolveForm
from wallet.contracts import (
    CANCELLABLE_STATUSES,
    CONFIRMABLE_STATUSES,
    CaseStatus,
    Resolution,
    WithdrawalStatus,
)
from wallet.models import Case, Withdrawal
from wallet.rules.progress import progress_of
from workflows import clock
from workflows.admin.acting import Act
from workflows.admin.forms import DialogForm
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import OfRunAdmin, column, shown, unbroken

_COLOURS = {
    "requested": "default",
    "awaiting confirmation": "primary",
    "confirmed": "info",
    "processing": "info",
    "in transit": "info",
    "completed": "success",
    "cancelled": "default",
    "rejected": "danger",
    "returned": "danger",
    "return credited": "warning",
}


def _cancel(withdrawal: Withdrawal, user: Any, form: DialogForm) -> object:
    return operations.cancel_withdrawal(withdrawal.id, actor=user.get_username(), detail=form.cleaned_data["reason"])


def _resend(withdrawal: Withdrawal, user: Any, form: DialogForm) -> object:
    return operations.resend_confirmation(withdrawal.id, actor=user.get_username(), detail=form.cleaned_data["reason"])


def _return(withdrawal: Withdrawal, user: Any, form: DialogForm) -> object:
    return operations.record_return(
        key=f"admin:return:{withdrawal.id}",
        withdrawal_id=withdrawal.id,
        reason=form.cleaned_data["reason"],
        actor=user.get_username(),
    )


@admin.register(Withdrawal)
class WithdrawalAdmin(ActingAdmin, OfRunAdmin):
    """Every withdrawal, newest first; its page shows what happened to it."""

    list_display = ("account", "total", "destination", "state", "requested", "settles", "run_start")
    list_filter = ("status", "currency")
    list_select_related = ("account__customer", "destination")
    exact_search = ("id", "run_id")
    search_help_text = "Withdrawal id or run id"
    ordering = ("-requested_at", "-id")
    sortable_by = ("requested",)
    fields = (
        "id", "account", "total", "destination", "state", "run", "reason", "requested", "until", "confirmed",
        "processed", "settles", "closed", "payment_reference",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_after_template = "wallet/_withdrawal.html"
    acts = (
        Act(
            name="cancel",
            title="Cancel the withdrawal",
            explains="The withdrawal is called off for its customer, and the money is available again at once.",
            icon="cancel",
            permissions=("wallet.change_withdrawal",),
            fits=lambda withdrawal: withdrawal.status in CANCELLABLE_STATUSES,
            perform=_cancel,
            done="The withdrawal is cancelled.",
            variant="danger",
        ),
        Act(
            name="resend",
            title="Send the link again",
            explains="A new link goes to the customer's address; the one before it is void, the deadline stays.",
            icon="forward_to_inbox",
            permissions=("wallet.change_withdrawal",),
            fits=lambda withdrawal: withdrawal.status in CONFIRMABLE_STATUSES and withdrawal.hold_key is not None,
            perform=_resend,
            done="A new link is on its way.",
        ),
        Act(
            name="return",
            title="Record a return",
            explains="The rail sent the money back: it waits in transit, and a case is opened.",
            icon="keyboard_return",
            permissions=("wallet.change_withdrawal", "wallet.add_case"),
            fits=lambda withdrawal: withdrawal.status == WithdrawalStatus.COMPLETED,
            perform=_return,
            done="The return is recorded and a case is open.",
        ),
    )

    @column(description="amount")
    def total(self, withdrawal: Withdrawal) -> str:
        return shown(withdrawal.amount)

    @column(description="status", label=_COLOURS)
    def state(self, withdrawal: Withdrawal) -> str:
        return withdrawal.status.replace("_", " ")

    @column(description="requested (UTC)", ordering="requested_at")
    def requested(self, withdrawal: Withdrawal) -> str:
        return unbroken(moment(withdrawal.requested_at))

    @column(description="to be confirmed until (UTC)")
    def until(self, withdrawal: Withdrawal) -> str:
        return moment(withdrawal.deadline)

    @column(description="confirmed (UTC)")
    def confirmed(self, withdrawal: Withdrawal) -> str:
        return moment(withdrawal.confirmed_at)

    @column(description="handed to the rail (UTC)")
    def processed(self, withdrawal: Withdrawal) -> str:
        return moment(withdrawal.processed_at)

    @column(description="settles (UTC)")
    def settles(self, withdrawal: Withdrawal) -> str:
        return unbroken(moment(withdrawal.settles_at))

    @column(description="closed (UTC)")
    def closed(self, withdrawal: Withdrawal) -> str:
        return moment(withdrawal.closed_at)

    def below(self, request: HttpRequest, row: Withdrawal) -> dict[str, Any]:
        """What the customer is told, and what happened, by whom."""
        return _story(row)


def _story(row: Withdrawal) -> dict[str, Any]:
    told = progress_of(row.as_contract(), now=clock.now())
    return {
        "told": told,
        "until": moment(told.until) if told.until else None,
        "events": [
            {
                "at": moment(event.at),
                "kind": event.kind.replace("_", " "),
                "actor": event.actor,
                "detail": event.detail,
            }
            for event in queries.list_events(row.id)
        ],
    }


def _resolve(case: Case, user: Any, form: DialogForm) -> object:
    return operations.resolve_case(
        case.id,
        resolution=Resolution(form.cleaned_data["resolution"]),
        reason=form.cleaned_data["reason"],
        actor=user.get_username(),
    )


@admin.register(Case)
class CaseAdmin(ActingAdmin):
    """Every case, newest first."""

    list_display = ("kind", "state", "of_withdrawal", "details", "opened", "resolution", "resolved_by")
    list_filter = ("status", "kind")
    exact_search = ("id", "withdrawal")
    search_help_text = "Case id or withdrawal id"
    ordering = ("-opened_at", "-id")
    sortable_by = ("opened",)
    fields = (
        "id", "kind", "state", "of_withdrawal", "details", "opened", "opened_by", "resolution", "resolution_reason",
        "resolved_by", "resolved",
    )  # fmt: skip
    readonly_fields = fields
    acts = (
        Act(
            name="resolve",
            title="Resolve the case",
            explains="The case ends as chosen, once; what it decides about money or destination happens with it.",
            icon="gavel",
            permissions=("wallet.change_case",),
            fits=lambda case: case.status == CaseStatus.OPEN,
            perform=_resolve,
            done="The case is resolved.",
            form=ResolveForm,
            form_options=lambda case: {"kind": case.kind},
            variant="primary",
        ),
    )

    @column(description="status", label={"open": "danger", "resolved": "success"})
    def state(self, case: Case) -> str:
        return case.status

    @column(description="withdrawal")
    def of_withdrawal(self, case: Case) -> str:
        return withdrawal_link(case.withdrawal_id) or ABSENT

    @column(description="opened (UTC)", ordering="opened_at")
    def opened(self, case: Case) -> str:
        return unbroken(moment(case.opened_at))

    @column(description="resolved (UTC)")
    def resolved(self, case: Case) -> str:
        return moment(case.resolved_at)

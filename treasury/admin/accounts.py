"""Treasury accounts and their allocations in the console, only looked at."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from treasury import queries
from treasury.contracts import AccountOverview
from treasury.errors import UnknownAccount
from treasury.models import Allocation, TreasuryAccount
from workflows.admin import acts
from workflows.admin.presentation import moment, money_text
from workflows.admin.read_only import OfRunAdmin, ReadOnlyAdmin, column, run_link, shown, unbroken

_CASH_MANAGEMENT = "treasury.CashManagement"
_STATUS_COLOURS = {"active": "success", "frozen": "danger", "reversed": "warning"}
#: Allocations and events that an account's page shows; all of them stand in their lists.
_NEWEST = 20


@admin.register(TreasuryAccount)
class TreasuryAccountAdmin(ReadOnlyAdmin):
    """Every treasury account; its page shows where its money is."""

    list_display = ("name", "currency", "account_type", "state", "opened", "id")
    list_filter = ("currency", "status")
    exact_search = ("name", "id")
    search_help_text = "Whole name or account id"
    ordering = ("name", "id")
    sortable_by = ("name",)
    fields = ("id", "name", "currency", "account_type", "state", "opened", "initial_amount", "opening_key")
    readonly_fields = fields
    change_form_outer_before_template = "treasury/_start.html"
    change_form_outer_after_template = "treasury/_overview.html"

    @column(description="status", label=_STATUS_COLOURS)
    def state(self, account: TreasuryAccount) -> str:
        return account.status

    @column(description="opened (UTC)", ordering="opened_at")
    def opened(self, account: TreasuryAccount) -> str:
        return unbroken(moment(account.opened_at))

    @column(description="initial balance")
    def initial_amount(self, account: TreasuryAccount) -> str:
        opening = account.initial_balance
        return "none" if opening is None else shown(opening)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the account's balances, allocations and events below its facts."""
        context = {**(extra_context or {}), **_overview(request, object_id)}
        return super().changeform_view(request, object_id, form_url, context)


def _overview(request: HttpRequest, account_id: str | None) -> dict[str, Any]:
    """What stands below an account's facts; nothing for what is no account's id (the page then says so)."""
    try:
        account = queries.get_overview(UUID(str(account_id)))
    except (ValueError, UnknownAccount):
        return {}
    return {
        "balances": [
            {
                "kind": item.kind.replace("_", " "),
                "url": reverse("admin:ledger_account_change", args=[item.id]),
                "amounts": [shown(item.balance), shown(item.held), shown(item.available)],
            }
            for item in account.ledger_accounts
        ],
        "allocations": [
            {
                "url": reverse("admin:treasury_allocation_change", args=[item.id]),
                "at": moment(item.allocated_at),
                "strategy": item.strategy,
                "total": shown(item.total),
                "status": item.status,
                "colour": _STATUS_COLOURS[item.status],
                "run": run_link(item.run_id, short=True),
            }
            for item in reversed(account.allocations[-_NEWEST:])
        ],
        "events": [
            {"version": item.version, "name": item.name, "at": moment(item.recorded_at),
             "run": run_link(item.run_id, short=True)}
            for item in reversed(account.events[-_NEWEST:])
        ],
        "assessments": [
            {
                "url": reverse("admin:treasury_riskassessment_change", args=[item.id]),
                "at": moment(item.assessed_at),
                "score": item.score,
                "reasons": ", ".join(item.reasons) or "none",
                "cause": item.cause.value,
                "run": run_link(item.run_id, short=True),
            }
            for item in queries.page_assessments(account.id, limit=_NEWEST)[0]
        ],
        "hedges": [
            {
                "url": reverse("admin:treasury_hedgeposition_change", args=[item.id]),
                "at": moment(item.opened_at),
                "notional": shown(item.notional),
                "instrument": item.instrument,
                "run": run_link(item.run_id, short=True),
            }
            for item in queries.list_hedges(account.id)
        ],
        "newest": _NEWEST,
        "start_url": _start_url(account) if acts.may(request.user, acts.START) else None,
    }  # fmt: skip


def _start_url(account: AccountOverview) -> str:
    """The start dialog of cash management, filled in for this account."""
    given = {"workflow": _CASH_MANAGEMENT, "account_id": str(account.id), "amount.currency": account.currency}
    return f"{reverse('admin:workflows_run_start')}?{urlencode(given)}"


@admin.register(Allocation)
class AllocationAdmin(OfRunAdmin):
    """Every allocation, newest first."""

    list_display = ("account", "strategy", "total_amount", "state", "allocated", "run_start")
    list_filter = ("status", "currency")
    list_select_related = ("account",)
    exact_search = ("key", "id")
    search_help_text = "Whole key or allocation id"
    ordering = ("-allocated_at", "-id")
    sortable_by = ("allocated",)
    fields = (
        "id", "account", "strategy", "total_amount", "class_amounts", "state", "allocated", "reversed", "run", "key",
    )  # fmt: skip
    readonly_fields = fields

    @column(description="total")
    def total_amount(self, allocation: Allocation) -> str:
        return shown(allocation.total)

    @column(description="by class")
    def class_amounts(self, allocation: Allocation) -> str:
        parts = allocation.parts
        return ", ".join(f"{part.type} {money_text(str(part.amount.amount), part.amount.currency)}" for part in parts)

    @column(description="status", label=_STATUS_COLOURS)
    def state(self, allocation: Allocation) -> str:
        return allocation.status

    @column(description="allocated (UTC)", ordering="allocated_at")
    def allocated(self, allocation: Allocation) -> str:
        return unbroken(moment(allocation.allocated_at))

    @column(description="reversed (UTC)")
    def reversed(self, allocation: Allocation) -> str:
        return moment(allocation.reversed_at)

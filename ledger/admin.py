"""The ledger in the console: accounts, transfers with their postings, and holds, to look at and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline

from finaegis.shared.money import Money
from ledger import queries
from ledger.errors import UnknownAccount
from ledger.models import Account, Hold, Posting, Transfer
from workflows.admin.presentation import moment
from workflows.admin.read_only import LINK, OfRunAdmin, ReadOnlyAdmin, column, run_link, shown, unbroken

#: The movements that an account's page shows; older ones are found in the list of transfers.
_MOVEMENTS = 50


@dataclass(frozen=True, slots=True)
class Movement:
    """What one transfer did to one account, as text."""

    posted: str
    amount: str
    description: str
    url: str
    run: str


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Every account with what it holds."""

    list_display = ("owner", "kind", "balance_amount", "held_amount", "available_amount")
    list_filter = ("kind", "currency")
    exact_search = ("owner", "id")
    search_help_text = "Whole name of the owner, or account id"
    ordering = ("owner", "kind", "currency")
    sortable_by = ("owner",)
    fields = (
        "id", "owner", "kind", "currency", "may_go_negative", "balance_amount", "held_amount", "available_amount",
        "opened",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_after_template = "ledger/_movements.html"

    @column(description="balance")
    def balance_amount(self, account: Account) -> str:
        return shown(account.balance)

    @column(description="held")
    def held_amount(self, account: Account) -> str:
        return shown(account.held)

    @column(description="available")
    def available_amount(self, account: Account) -> str:
        return shown(Money.from_minor(account.available_minor, account.currency))

    @column(description="opened (UTC)")
    def opened(self, account: Account) -> str:
        return moment(account.opened_at)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the account's newest movements below its facts."""
        context = {**(extra_context or {}), "movements": _movements(object_id), "most": _MOVEMENTS}
        return super().changeform_view(request, object_id, form_url, context)


def _movements(account_id: str | None) -> list[Movement]:
    """The newest transfers of an account; none for what is no account's id (the page then says so)."""
    try:
        account = queries.get_account(UUID(str(account_id)))
    except (ValueError, UnknownAccount):
        return []
    found, _ = queries.page_transfers(limit=_MOVEMENTS, account_id=account.id)
    return [
        Movement(
            posted=moment(item.posted_at),
            amount=shown(
                Money.total((leg.amount for leg in item.legs if leg.account_id == account.id), account.currency)
            ),
            description=item.description or item.key,
            url=reverse("admin:ledger_transfer_change", args=[item.id]),
            run=run_link(item.run_id, short=True),
        )
        for item in found
    ]


class PostingInline(TabularInline):
    """The legs of a transfer."""

    model = Posting
    extra = 0
    hide_title = True
    fields = ("account", "posted_amount")
    readonly_fields = fields
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        rows: QuerySet[Posting] = super().get_queryset(request)
        return rows.select_related("account")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @column(description="amount")
    def posted_amount(self, posting: Posting) -> str:
        return shown(posting.amount)


@admin.register(Transfer)
class TransferAdmin(OfRunAdmin):
    """Every transfer, newest first, with its postings."""

    list_display = ("key", "description", "value_date", "posted", "run_start")
    list_filter = ("value_date",)
    exact_search = ("key", "run_id", "id")
    search_help_text = "Whole key, run id or transfer id"
    ordering = ("-posted_at", "-id")
    sortable_by = ("posted",)
    fields = ("id", "key", "status", "description", "value_date", "posted", "corrects", "run", "digest")
    readonly_fields = fields
    inlines = (PostingInline,)

    @column(description="posted (UTC)", ordering="posted_at")
    def posted(self, transfer: Transfer) -> str:
        return unbroken(moment(transfer.posted_at))

    @column(description="reverses")
    def corrects(self, transfer: Transfer) -> str:
        if transfer.reverses is None:
            return "nothing"
        url = reverse("admin:ledger_transfer_change", args=[transfer.reverses_id])
        return format_html('<a class="{}" href="{}">{}</a>', LINK, url, transfer.reverses.key)


@admin.register(Hold)
class HoldAdmin(OfRunAdmin):
    """Every hold, newest first, and how it was resolved."""

    list_display = ("key", "account", "held_amount", "captured_amount", "state", "placed", "run_start")
    list_filter = ("status", "currency")
    list_select_related = ("account",)
    exact_search = ("key", "run_id")
    search_help_text = "Whole key or run id"
    ordering = ("-placed_at", "-id")
    sortable_by = ("placed",)
    fields = (
        "id", "key", "account", "held_amount", "captured_amount", "status", "placed", "resolved", "capture", "run",
    )  # fmt: skip
    readonly_fields = fields

    @column(description="amount")
    def held_amount(self, hold: Hold) -> str:
        return shown(hold.amount)

    @column(description="captured")
    def captured_amount(self, hold: Hold) -> str:
        return shown(hold.captured)

    @column(description="status", label={"held": "warning", "captured": "success"})
    def state(self, hold: Hold) -> str:
        return hold.status

    @column(description="placed (UTC)", ordering="placed_at")
    def placed(self, hold: Hold) -> str:
        return unbroken(moment(hold.placed_at))

    @column(description="resolved (UTC)")
    def resolved(self, hold: Hold) -> str:
        return moment(hold.resolved_at)

"""Trading accounts and batches in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from exchange import queries
from exchange.admin.shown import order_link
from exchange.models import BatchEntry, TradingAccount
from workflows.admin.acting import ActingOnce
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import ReadOnlyAdmin, column, shown, unbroken


@admin.register(TradingAccount)
class TradingAccountAdmin(ActingOnce, ReadOnlyAdmin):
    """Every trading account; its page shows where its money is."""

    list_display = ("name", "holder", "opened", "id")
    exact_search = ("holder", "id")
    search_help_text = "Whole login or account id"
    ordering = ("-opened_at", "-id")
    sortable_by = ("opened",)
    fields = ("id", "name", "holder", "opened", "opening_key")
    readonly_fields = fields
    change_form_outer_after_template = "exchange/_account.html"

    @column(description="opened (UTC)", ordering="opened_at")
    def opened(self, account: TradingAccount) -> str:
        return unbroken(moment(account.opened_at))

    def below(self, request: HttpRequest, row: TradingAccount) -> dict[str, Any]:
        """Its balances in the ledger."""
        overview = queries.get_account_overview(row.id)
        return {
            "balances": [
                {
                    "kind": item.kind,
                    "url": reverse("admin:ledger_account_change", args=[item.id]),
                    "amounts": [shown(item.balance), shown(item.held), shown(item.available)],
                }
                for item in overview.ledger_accounts
            ]
        }


@admin.register(BatchEntry)
class BatchEntryAdmin(ReadOnlyAdmin):
    """What became of each order of each batch, newest first."""

    list_display = ("processed", "batch", "position", "became", "status", "error", "detail")
    list_filter = ("status",)
    exact_search = ("batch",)
    search_help_text = "Whole key of a batch"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("batch", "position", "became", "status", "error", "detail", "processed")
    readonly_fields = fields

    @column(description="order")
    def became(self, entry: BatchEntry) -> str:
        return ABSENT if entry.order_id is None else order_link(entry.order_id)

    @column(description="processed (UTC)")
    def processed(self, entry: BatchEntry) -> str:
        return unbroken(moment(entry.processed_at))

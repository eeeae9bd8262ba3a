"""The ledger in the console: accounts, transfers with their postings, and holds, to look at and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from finaegis.shared.money import Money
from ledger.models import Account, Hold, Posting, Transfer


class ReadOnly:
    """Rows that only operations write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(ReadOnly, ModelAdmin):
    list_display = ("owner", "kind", "balance_amount", "held_amount", "available_amount", "id")
    list_filter = ("kind", "currency")
    search_fields = ("owner",)
    ordering = ("owner", "kind", "currency")
    fields = (
        "id", "owner", "kind", "currency", "may_go_negative", "balance_amount", "held_amount", "available_amount",
        "opened_at",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="balance", ordering="balance_minor")
    def balance_amount(self, account: Account) -> str:
        return str(account.balance)

    @admin.display(description="held", ordering="held_minor")
    def held_amount(self, account: Account) -> str:
        return str(account.held)

    @admin.display(description="available")
    def available_amount(self, account: Account) -> str:
        return str(Money.from_minor(account.available_minor, account.currency))


class PostingInline(ReadOnly, TabularInline):
    model = Posting
    extra = 0
    fields = ("account", "posted_amount")
    readonly_fields = fields
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("account")

    @admin.display(description="amount")
    def posted_amount(self, posting: Posting) -> str:
        return str(posting.amount)


@admin.register(Transfer)
class TransferAdmin(ReadOnly, ModelAdmin):
    list_display = ("key", "description", "value_date", "posted_at", "run_id")
    list_filter = ("value_date",)
    search_fields = ("key", "run_id")
    search_help_text = "Key or run id"
    ordering = ("-posted_at",)
    fields = ("id", "key", "status", "description", "value_date", "posted_at", "reverses", "run_id", "digest")
    readonly_fields = fields
    inlines = (PostingInline,)


@admin.register(Hold)
class HoldAdmin(ReadOnly, ModelAdmin):
    list_display = ("key", "account", "held_amount", "captured_amount", "status", "placed_at", "run_id")
    list_filter = ("status", "currency")
    list_select_related = ("account",)
    search_fields = ("key", "run_id")
    search_help_text = "Key or run id"
    ordering = ("-placed_at",)
    fields = (
        "id", "key", "account", "held_amount", "captured_amount", "status", "placed_at", "resolved_at", "capture",
        "run_id",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description="amount", ordering="amount_minor")
    def held_amount(self, hold: Hold) -> str:
        return str(hold.amount)

    @admin.display(description="captured", ordering="captured_minor")
    def captured_amount(self, hold: Hold) -> str:
        return str(hold.captured)

"""The treasury in the console: instruments are edited here, everything else is only looked at."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from treasury.models import Allocation, Instrument, StoredEvent, TreasuryAccount


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only operations write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(TreasuryAccount)
class TreasuryAccountAdmin(ReadOnlyAdmin):
    list_display = ("name", "currency", "account_type", "status", "opened_at", "id")
    list_filter = ("currency", "status")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("id", "name", "currency", "account_type", "status", "opened_at", "initial_amount", "opening_key")
    readonly_fields = ("initial_amount",)

    @admin.display(description="initial balance")
    def initial_amount(self, account: TreasuryAccount) -> str:
        opening = account.initial_balance
        return "none" if opening is None else str(opening)


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    list_display = ("account", "strategy", "total_amount", "status", "allocated_at", "run_id")
    list_filter = ("status", "currency")
    list_select_related = ("account",)
    ordering = ("-allocated_at",)
    fields = (
        "id", "account", "strategy", "total_amount", "class_amounts", "status", "allocated_at", "reversed_at", "run_id",
        "key",
    )  # fmt: skip
    readonly_fields = ("total_amount", "class_amounts")

    @admin.display(description="total", ordering="total_minor")
    def total_amount(self, allocation: Allocation) -> str:
        return str(allocation.total)

    @admin.display(description="by class")
    def class_amounts(self, allocation: Allocation) -> str:
        return ", ".join(f"{part.type} {part.amount.to_text()}" for part in allocation.parts)


@admin.register(StoredEvent)
class StoredEventAdmin(ReadOnlyAdmin):
    list_display = ("name", "stream", "version", "run_id", "recorded_at")
    list_filter = ("name",)
    search_fields = ("stream", "run_id")
    ordering = ("-recorded_at", "-id")
    fields = ("name", "stream", "version", "payload", "run_id", "recorded_at", "key")


@admin.register(Instrument)
class InstrumentAdmin(ModelAdmin):
    list_display = ("code", "asset_class", "currency", "issuer", "yield_percent", "duration", "liquid", "limit",
                    "valid_from", "valid_to", "stale_from")  # fmt: skip
    list_filter = ("asset_class", "currency", "liquid", "sovereign")
    search_fields = ("code", "issuer")
    ordering = ("code", "-valid_from")
    fieldsets = (
        (None, {"fields": ("code", "asset_class", "currency", "issuer", "sovereign")}),
        ("Figures", {"fields": ("yield_percent", "duration", "liquid", "limit")}),
        ("Validity", {"fields": ("valid_from", "valid_to", "stale_from", "source")}),
    )

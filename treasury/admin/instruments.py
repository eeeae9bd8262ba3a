"""Instruments in the console: the one thing of the treasury that is edited here."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from treasury.models import Instrument


@admin.register(Instrument)
class InstrumentAdmin(ModelAdmin):
    list_display = ("code", "asset_class", "currency", "issuer", "yield_percent", "duration", "liquid", "limit",
                    "valid_from", "valid_to", "stale_from")  # fmt: skip
    list_filter = ("asset_class", "currency", "liquid", "sovereign")
    list_fullwidth = True
    list_per_page = 50
    search_fields = ("code", "issuer")
    ordering = ("code", "-valid_from")
    fieldsets = (
        (None, {"fields": ("code", "asset_class", "currency", "issuer", "sovereign")}),
        ("Figures", {"fields": ("yield_percent", "duration", "liquid", "limit")}),
        ("Validity", {"fields": ("valid_from", "valid_to", "stale_from", "source")}),
    )

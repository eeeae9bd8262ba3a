"""Event streams in the console, only looked at."""

from __future__ import annotations

import json

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from treasury.models import StoredEvent
from workflows.admin.presentation import moment
from workflows.admin.read_only import LINK, OfRunAdmin, column, unbroken


@admin.register(StoredEvent)
class StoredEventAdmin(OfRunAdmin):
    """Every event of every stream, newest first."""

    list_display = ("name", "stream", "version", "recorded", "run_start")
    list_filter = ("name",)
    exact_search = ("stream", "run_id", "key")
    search_help_text = "Account id, run id or whole key"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("name", "stream_link", "version", "content", "run", "recorded", "key")
    readonly_fields = fields

    @column(description="recorded (UTC)")
    def recorded(self, event: StoredEvent) -> str:
        return unbroken(moment(event.recorded_at))

    @column(description="account")
    def stream_link(self, event: StoredEvent) -> str:
        url = reverse("admin:treasury_treasuryaccount_change", args=[event.stream])
        return format_html('<a class="{}" href="{}">{}</a>', LINK, url, event.stream)

    @column(description="payload")
    def content(self, event: StoredEvent) -> str:
        text = json.dumps(json.loads(event.payload), ensure_ascii=False, indent=2)
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', text)

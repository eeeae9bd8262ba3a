"""Runs in the console: the list, the page of one run, and the addresses of the dialogs."""

from __future__ import annotations

import re
import uuid
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import MultipleChoicesDropdownFilter

from workflows import clock, queries
from workflows.admin import acts, dialogs, event_dialogs, events, message_dialogs, resolving, timers
from workflows.admin.filters import DayRangeFilter, ParentFilter, WorkflowFilter
from workflows.admin.panels import records_card
from workflows.admin.presentation import RUN_COLOURS, moment, span, state_text
from workflows.admin.read_only import MONOSPACE, ReadOnlyAdmin, column, unbroken
from workflows.admin.run_page import read_run_page
from workflows.admin.sending import parse_id, run_url
from workflows.core.errors import InvalidInput, NotFound
from workflows.models import Run
from workflows.queries import RelatedRecords
from workflows.queries.runs import filter_runs

#: An id, or as much of its beginning as the list shows.
_ID_START = re.compile(r"[0-9a-f]{8,32}")
_ATTRIBUTE = re.compile(r"[^\W\d]\w*:\s*\S")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Every run, newest first."""

    change_list_template = "workflows/run_list.html"
    list_before_template = "workflows/_hits.html"
    list_display = ("workflow", "identity", "key_start", "state", "created", "ended")
    list_filter = (
        WorkflowFilter,
        ("status", MultipleChoicesDropdownFilter),
        ("hold_reason", MultipleChoicesDropdownFilter),
        ParentFilter,
        ("created_at", DayRangeFilter),
    )
    exact_search = ("key",)
    search_help_text = (
        "Run id (8 digits or more), key, attribute (name:value, amount__gte:100), or the whole name, id or reference "
        "of a record"
    )
    ordering = ("-created_at", "-id")
    sortable_by = ("created",)

    # --- The list ----------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Only what the list shows: payloads are large."""
        return Run.objects.only(
            "id",
            "workflow",
            "key",
            "status",
            "hold_reason",
            "requested",
            "actor",
            "created_at",
            "closed_at",
            "parent",
            "link",
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        """By exact key, id or its beginning, or a record that the term names; else by an attribute. Never a scan."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q(key=term)
        digits = term.replace("-", "").lower()
        if _ID_START.fullmatch(digits):
            named |= Q(pk__range=(uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))))
        named |= Q(pk__in=_runs_of_hits(_hits(request, term)))
        # Keys are written like attributes: a key that there is goes first.
        if _ATTRIBUTE.match(term) and not Run.objects.filter(named).exists():
            return queryset.filter(pk__in=_with_attribute(term)), False
        return queryset.filter(named), False

    @column(description="run")
    def identity(self, run: Run) -> str:
        short = format_html('<span style="{}" title="{}">{}</span>', MONOSPACE, run.id, str(run.id)[:8])
        kin = [*(["child"] if run.parent is not None else []), *([f"link {run.link}"] if run.link > 1 else [])]
        return format_html("<span>{}<br>{}</span>", short, unbroken(", ".join(kin))) if kin else short

    @column(description="key", empty_value="")
    def key_start(self, run: Run) -> str | None:
        # A key has no spaces to break at: it would push the last column out of a narrow window.
        return format_html('<span style="overflow-wrap: anywhere">{}</span>', _shortened(run.key)) if run.key else None

    @column(description="state", label=RUN_COLOURS)
    def state(self, run: Run) -> tuple[str, str]:
        requested = f", {run.requested} requested" if run.requested else ""
        return run.status, state_text(run.status, run.hold_reason) + requested

    @column(description="created (UTC)", ordering="created_at")
    def created(self, run: Run) -> str:
        return format_html("<span>{}<br>by {}</span>", unbroken(moment(run.created_at)), run.actor)

    @column(description="closed after")
    def ended(self, run: Run) -> str:
        if run.closed_at is None:
            return unbroken(f"open for {span(clock.now() - run.created_at)}")
        return unbroken(span(run.closed_at - run.created_at))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {"may_start": acts.may(request.user, acts.START), **(extra_context or {})}
        term = request.GET.get(SEARCH_VAR, "").strip()
        if term and self.has_view_permission(request):
            shown["hits"] = records_card(_hits(request, term))
        response: HttpResponse = super().changelist_view(request, shown)
        return response

    # --- One run -----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """The dialogs stand before Django's own addresses, which take every path for an id."""
        wrap = self.admin_site.admin_view
        own = [
            path("start/", wrap(partial(dialogs.start_dialog, self)), name="workflows_run_start"),
            path("timers/", wrap(partial(timers.timer_list, self)), name="workflows_run_timers"),
            path("events/", wrap(partial(events.event_list, self)), name="workflows_run_events"),
            path("events/<int:number>/", wrap(partial(events.event_page, self)), name="workflows_run_event"),
            *(
                path(
                    f"events/<int:number>/{name}/",
                    wrap(partial(event_dialogs.event_dialog, self, act_name=name)),
                    name=f"workflows_run_event_{name}",
                )
                for name in event_dialogs.ACTS
            ),
            path(
                "<str:object_id>/timers/<int:seq>/move/",
                wrap(partial(timers.move_dialog, self)),
                name="workflows_run_reschedule",
            ),
            path(
                "<str:object_id>/steps/<int:seq>/resolve/",
                wrap(partial(resolving.resolve_dialog, self)),
                name="workflows_run_resolve",
            ),
        ]
        for kind, view in message_dialogs.DIALOGS.items():
            address = f"<str:object_id>/{kind}/<str:name>/"
            own.append(path(address, wrap(partial(view, self)), name=f"workflows_run_{kind}"))
        for name in acts.ACTS:
            act = partial(dialogs.act_dialog, self, act_name=name)
            own.append(path(f"<str:object_id>/{name}/", wrap(act), name=f"workflows_run_{name}"))
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one run: to look at. Acts are the dialogs it links to."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(("GET", "HEAD"))
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            page = read_run_page(parse_id(object_id), request.user, everything="all" in request.GET)
        except NotFound as error:
            raise Http404(str(error)) from error
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": Run(id=page.run.id, workflow=page.run.workflow),
            "title": str(page.run.id)[:8],
            "page": page,
            "rerun_of": run_url(page.run.rerun_of) if page.run.rerun_of is not None else None,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "workflows/run.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A run's own history stands on its page."""
        return HttpResponseRedirect(reverse("admin:workflows_run_change", args=[parse_id(object_id)]) + "#history")


def _hits(request: HttpRequest, term: str) -> RelatedRecords:
    """Records that the term names; looked for once, for the list and for what stands above it."""
    found: dict[str, RelatedRecords] = request.__dict__.setdefault("_record_hits", {})
    if term not in found:
        found[term] = queries.search_records(term, user=getattr(request, "user", None))
    return found[term]


def _runs_of_hits(hits: RelatedRecords) -> set[uuid.UUID]:
    return {run_id for record in hits.records for run_id in record.run_ids}


def _with_attribute(term: str) -> QuerySet[Run, Any]:
    """Ids of runs that have the attribute `name:value`; none for a comparison that there is not."""
    name, _, text = term.partition(":")
    try:
        return filter_runs(attribute_texts={name: text.strip()}).values("pk")
    except InvalidInput:
        return Run.objects.none().values("pk")


def _shortened(key: str) -> str:
    return key if len(key) <= 40 else key[:39] + "…"

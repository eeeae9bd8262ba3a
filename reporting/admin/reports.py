"""Reports in the console: the list, a page for each, the dialog that orders one, and the file."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from reporting import operations, queries
from reporting.admin.forms import OrderReportForm
from reporting.attachments import file_response
from reporting.contracts import TITLES, ReportFormat, ReportKind, ReportStatus
from reporting.contracts import Report as ReportValue
from reporting.errors import ReportingError, UnknownReport
from reporting.models import Download, Report
from workflows.admin.presentation import ABSENT, moment
from workflows.admin.read_only import OfRunAdmin, ReadOnlyAdmin, column, shown, unbroken
from workflows.admin.sending import METHODS, act_once, fresh_key, tell
from workflows.contracts import WorkflowRun

_COLOURS = {"pending": "info", "ready": "success", "withdrawn": "default"}
_DIALOG = "order report"


@admin.register(Report)
class ReportAdmin(OfRunAdmin):
    """Every report, newest first; its page has the file and what was recorded with it."""

    change_list_template = "reporting/report_list.html"
    change_form_outer_before_template = "reporting/_file.html"
    change_form_outer_after_template = "reporting/_facts.html"
    list_display = ("title", "business_date", "format", "state", "requested", "requested_by", "run_start")
    list_filter = ("kind", "format", "status")
    exact_search = ("id", "run_id")
    search_help_text = "Report id or run id"
    ordering = ("-requested_at", "-id")
    sortable_by = ("requested",)
    fields = (
        "id",
        "title",
        "business_date",
        "format",
        "state",
        "run",
        "requested_by",
        "requested",
        "published",
        "withdrawn",
    )
    readonly_fields = fields

    @column(description="report")
    def title(self, report: Report) -> str:
        return TITLES[ReportKind(report.kind)]

    @column(description="status", label=_COLOURS)
    def state(self, report: Report) -> str:
        # A run that was ended from outside leaves its report as it was: that one comes no more.
        return queries.get_report(report.id).status if report.status == ReportStatus.PENDING else report.status

    @column(description="ordered (UTC)", ordering="requested_at")
    def requested(self, report: Report) -> str:
        return unbroken(moment(report.requested_at))

    @column(description="published (UTC)")
    def published(self, report: Report) -> str:
        return moment(report.published_at)

    @column(description="withdrawn (UTC)")
    def withdrawn(self, report: Report) -> str:
        return moment(report.withdrawn_at)

    # --- Pages -------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """The dialog and the file stand before Django's own addresses, which take every path for an id."""
        wrap = self.admin_site.admin_view
        own = [
            path("order/", wrap(self.order_view), name="reporting_report_order"),
            path("<str:object_id>/file/", wrap(self.file_view), name="reporting_report_file"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With a button that orders a report."""
        context = {**(extra_context or {}), "may_order": _may_order(request)}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the file, what it ties to, and who got it."""
        report = _find(object_id)
        context = {**(extra_context or {}), **({} if report is None else _story(request, report))}
        return super().changeform_view(request, object_id, form_url, context)

    def order_view(self, request: HttpRequest) -> HttpResponse:
        """The dialog in which a report is ordered; a form that is sent twice orders one."""
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if not _may_order(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._show(request, OrderReportForm(initial={"once": fresh_key(request, _DIALOG)}))
        form = OrderReportForm(request.POST)
        report_id = self._order(request, form) if form.is_valid() else None
        if report_id is None:
            return self._show(request, form)
        return HttpResponseRedirect(reverse("admin:reporting_report_change", args=[report_id]))

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The file; by POST, since getting it is recorded."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        report = _find(object_id)
        if report is None:
            raise Http404("there is no such report")
        if not self.has_view_permission(request) or not request.user.has_perm(operations.DOWNLOAD):
            raise PermissionDenied
        try:
            return file_response(operations.open_download(report.id, actor=request.user, door="console"))
        except ReportingError as refusal:
            messages.error(request, f"{refusal} ({refusal.code})")
            return HttpResponseRedirect(reverse("admin:reporting_report_change", args=[report.id]))

    def _order(self, request: HttpRequest, form: OrderReportForm) -> uuid.UUID | None:
        """The report that was ordered, by this send or an earlier one; None with the reason on the form."""

        def order() -> WorkflowRun:
            return operations.order_report(
                kind=ReportKind(form.cleaned_data["kind"]),
                format=ReportFormat(form.cleaned_data["format"]),
                business_date=form.cleaned_data["business_date"],
                actor=request.user,
            ).run

        done = act_once(request, form, _DIALOG, order)
        report = None if done is None else queries.find_by_run(done.run_id)
        if done is None or report is None:
            return None
        tell(request, "The order", done)
        return report.id

    def _show(self, request: HttpRequest, form: OrderReportForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Create a report",
            "form": form,
            "submit": "Create report",
            "back": reverse("admin:reporting_report_changelist"),
        }
        return TemplateResponse(request, "reporting/order.html", context)


@admin.register(Download)
class DownloadAdmin(ReadOnlyAdmin):
    """Who got which report, newest first."""

    list_display = ("report", "actor", "door", "result", "moment")
    list_filter = ("outcome", "door")
    list_select_related = ("report",)
    exact_search = ("report", "actor")
    search_help_text = "Report id or user name"
    ordering = ("-at", "-id")
    sortable_by = ("moment",)
    fields = ("report", "actor", "door", "result", "moment")
    readonly_fields = fields

    @column(description="outcome", label={"given": "success", "altered": "danger", "missing": "danger"})
    def result(self, download: Download) -> str:
        return download.outcome

    @column(description="at (UTC)", ordering="at")
    def moment(self, download: Download) -> str:
        return unbroken(moment(download.at))


def _may_order(request: HttpRequest) -> bool:
    return request.user.has_perms(("reporting.add_report", "workflows.start_run"))


def _find(object_id: str | None) -> ReportValue | None:
    try:
        return queries.get_report(uuid.UUID(str(object_id)))
    except (ValueError, UnknownReport):
        return None


def _story(request: HttpRequest, report: ReportValue) -> dict[str, Any]:
    """What stands around a report's facts."""
    file = report.file
    return {
        "report": report,
        "is_pending": report.status is ReportStatus.PENDING,
        "may_download": report.status is ReportStatus.READY and request.user.has_perm(operations.DOWNLOAD),
        "file_url": reverse("admin:reporting_report_file", args=[report.id]),
        "size": "" if file is None else filesizeformat(file.size),
        "facts": [] if file is None else _facts(report),
        "totals": [] if file is None else [(item.label, shown(item.amount), item.count) for item in file.totals],
        "ties": []
        if file is None
        else [
            (item.label, [shown(item.reported), shown(item.ledger), shown(item.difference)], not item.difference)
            for item in file.reconciliation
        ],
        "downloads": [
            (moment(item.at), item.actor, item.door, item.outcome) for item in queries.list_downloads(report.id)
        ],
    }


def _facts(report: ReportValue) -> list[tuple[str, str]]:
    file, metadata = report.file, report.metadata
    if file is None or metadata is None:
        return []
    newest = ABSENT if file.as_of.newest is None else str(file.as_of.newest)
    return [
        ("rows", str(file.rows)),
        ("size", f"{filesizeformat(file.size)} ({file.size} bytes)"),
        ("SHA-256", file.sha256),
        ("read at (UTC)", moment(file.read_at)),
        ("ledger position", f"{file.as_of.transfers} transfers, newest {newest}"),
        ("time zone", metadata.time_zone),
        ("code version", metadata.code_version),
    ]

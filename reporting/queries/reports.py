"""Reports as they stand, and whether one may be ordered or got."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from django.db.models import Q

from ledger import queries as ledger
from reporting import contracts
from reporting.contracts import SOURCES, ReportKind, ReportStatus
from reporting.errors import BusinessDateAhead, SourceForbidden, UnknownReport
from reporting.models import Download, Report
from workflows import queries as runs

Place = tuple[datetime, UUID]


class Permitted(Protocol):
    """Somebody of whom Django knows what they may."""

    def has_perm(self, perm: str, /) -> bool: ...


def get_report(report_id: UUID) -> contracts.Report:
    """The report as it stands; raises UnknownReport.

    One that is still pending when its run is closed will never have a file: it is withdrawn.
    """
    row = Report.objects.filter(pk=report_id).first()
    if row is None:
        raise UnknownReport(report_id)
    return _as_it_stands([row])[0]


def find_by_run(run_id: UUID) -> contracts.Report | None:
    """The report that a run makes, if there is one yet."""
    row = Report.objects.filter(run_id=run_id).first()
    return None if row is None else _as_it_stands([row])[0]


def page_reports(
    *, limit: int, kind: str | None = None, business_date: date | None = None, after: Place | None = None
) -> tuple[list[contracts.Report], Place | None]:
    """Reports, newest first, and where the next page begins (None after the last)."""
    rows = Report.objects.all()
    if kind is not None:
        rows = rows.filter(kind=kind)
    if business_date is not None:
        rows = rows.filter(business_date=business_date)
    if after is not None:
        requested_at, report_id = after
        rows = rows.filter(Q(requested_at__lt=requested_at) | Q(requested_at=requested_at, id__lt=report_id))
    found = list(rows.order_by("-requested_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].requested_at, page[-1].id) if len(found) > limit else None
    return _as_it_stands(page), following


def list_downloads(report_id: UUID, *, limit: int = 50) -> list[contracts.Download]:
    """Who got the report's file, newest first."""
    rows = Download.objects.filter(report_id=report_id).order_by("-at", "-id")[:limit]
    return [row.as_contract() for row in rows]


def resolve_business_date(asked: date | None) -> date:
    """The business day that a report is about: the open one unless another is asked for; or BusinessDateAhead."""
    open_date = ledger.get_business_date()
    if asked is not None and asked > open_date:
        raise BusinessDateAhead(asked, open_date)
    return asked or open_date


def check_sources(kind: ReportKind, actor: Permitted) -> None:
    """Refuse somebody who may not see what the report is made of; raises SourceForbidden."""
    missing = tuple(name for name in SOURCES[kind] if not actor.has_perm(name))
    if missing:
        raise SourceForbidden(missing)


def _as_it_stands(rows: list[Report]) -> list[contracts.Report]:
    waiting = [row.run_id for row in rows if row.status == ReportStatus.PENDING]
    closed = {run_id for run_id in waiting if runs.get_run(run_id).closed_at is not None}
    return [
        replace(row.as_contract(), status=ReportStatus.WITHDRAWN) if row.run_id in closed else row.as_contract()
        for row in rows
    ]

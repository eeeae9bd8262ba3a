"""Ordering a report: its row and the run that makes it, together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction

from reporting import contracts, queries
from reporting.contracts import Registered, ReportFormat, ReportKind
from reporting.models import Report
from workflows import clock
from workflows import operations as engine
from workflows import queries as runs
from workflows.contracts import WorkflowRun

#: The workflow that makes a report, by its registered name.
WORKFLOW = "reporting.ReportGeneration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A report that was asked for, and the run that makes it (`run.created`: by this call)."""

    report: contracts.Report
    run: WorkflowRun


def order_report(
    *,
    kind: ReportKind,
    format: ReportFormat,
    business_date: date | None = None,
    key: str | None = None,
    actor: engine.Actor = None,
    reason: str = "",
) -> Ordered:
    """Start the run of a report, whose row can be read at once. Without a day it is about the open one.

    The same key with the same facts gives the report that exists. Raises SourceForbidden for a user who may not see
    what the report is made of, and what `engine.start_run` raises: StartRefused with the code of BusinessDateAhead,
    KeyConflict, PermissionRefused.
    """
    if isinstance(actor, AbstractBaseUser | AnonymousUser):
        queries.check_sources(kind, actor)  # type: ignore[arg-type]  # every user model of Django's knows its permissions
    with transaction.atomic():
        run = engine.start_run(
            WORKFLOW, key=key, actor=actor, reason=reason, report=kind, format=format, business_date=business_date
        )
        row = Report.objects.filter(run_id=run.id).first()
        if row is None:
            row = _insert(run.id, kind, format, business_date, requested_by=run.actor)
    return Ordered(report=replace(queries.get_report(row.id), created=run.created), run=run)


def register_report(*, run_id: UUID, kind: ReportKind, format: ReportFormat, business_date: date | None) -> Registered:
    """The report that the run makes; inserted unless it was ordered together with the run. Or BusinessDateAhead."""
    with transaction.atomic():
        row = Report.objects.filter(run_id=run_id).first()
        if row is None:
            row = _insert(run_id, kind, format, business_date, requested_by=runs.get_run(run_id).actor)
    return Registered(report_id=row.id, business_date=row.business_date)


def _insert(
    run_id: UUID, kind: ReportKind, format: ReportFormat, business_date: date | None, *, requested_by: str
) -> Report:
    row = Report(
        run_id=run_id,
        kind=kind,
        format=format,
        business_date=queries.resolve_business_date(business_date),
        requested_by=requested_by,
        requested_at=clock.now(),
    )
    row.save(force_insert=True)
    return row

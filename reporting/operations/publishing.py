"""What makes a file a report: its row names it. And taking that back."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction

from reporting import conf
from reporting.contracts import TITLES, Metadata, ReportFile, ReportFormat, ReportKind, ReportStatus
from reporting.errors import ReportWithdrawn, UnknownReport
from reporting.models import Report
from reporting.operations.files import delete_files
from workflows import clock


def collect_metadata(report_id: UUID) -> Metadata:
    """What is recorded about the making of a report; raises UnknownReport."""
    row = Report.objects.filter(pk=report_id).first()
    if row is None:
        raise UnknownReport(report_id)
    return Metadata(
        report_id=row.id,
        title=TITLES[ReportKind(row.kind)],
        format=ReportFormat(row.format),
        business_date=row.business_date,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        time_zone=settings.TIME_ZONE,
        code_version=conf.reporting().code_version,
    )


def publish_report(*, report_id: UUID, file: ReportFile, metadata: Metadata) -> None:
    """Name the file in the report's row: from here on it can be got. What other attempts left is deleted.

    The same again changes nothing. Raises UnknownReport, ReportWithdrawn.
    """
    with transaction.atomic():
        row = _locked(report_id)
        if row.status == ReportStatus.READY and row.file_name == file.name:
            return
        if row.status != ReportStatus.PENDING:
            raise ReportWithdrawn(report_id)
        row.keep(file, metadata)
        row.status = ReportStatus.READY
        row.published_at = clock.now()
        row.save()
        transaction.on_commit(partial(delete_files, report_id, but=file.name), robust=True)


def withdraw_report(*, report_id: UUID) -> None:
    """Take a report back: nobody gets its file any more, and the file is deleted. What was recorded stays.

    Repeating it changes nothing. Raises UnknownReport.
    """
    with transaction.atomic():
        row = _locked(report_id)
        if row.status != ReportStatus.WITHDRAWN:
            row.file_name = ""
            row.status = ReportStatus.WITHDRAWN
            row.withdrawn_at = clock.now()
            row.save(update_fields=["file_name", "status", "withdrawn_at"])
        transaction.on_commit(partial(delete_files, report_id), robust=True)


def _locked(report_id: UUID) -> Report:
    row = Report.objects.select_for_update().filter(pk=report_id).first()
    if row is None:
        raise UnknownReport(report_id)
    return row

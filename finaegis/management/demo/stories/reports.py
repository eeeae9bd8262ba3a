"""Each report, in each format once over the three, about the open business day."""

from __future__ import annotations

from random import Random

from django.contrib.auth import get_user_model

from finaegis.management.demo.pace import Pace
from reporting import operations
from reporting.contracts import ReportFormat, ReportKind, ReportStatus
from reporting.models import Report

_ORDERED = (
    (ReportKind.TREASURY_POSITIONS, ReportFormat.PDF),
    (ReportKind.TREASURY_POSITIONS, ReportFormat.CSV),
    (ReportKind.LOAN_BOOK, ReportFormat.XLSX),
    (ReportKind.LOAN_BOOK, ReportFormat.PDF),
    (ReportKind.DAILY_ACTIVITY, ReportFormat.CSV),
    (ReportKind.DAILY_ACTIVITY, ReportFormat.PDF),
)


def tell(pace: Pace, chance: Random, *, seed: int) -> None:
    """Order them in an order of chance, and let them be made."""
    ordered = []
    for kind, format in chance.sample(_ORDERED, len(_ORDERED)):
        pace.check()
        report = operations.order_report(
            kind=kind, format=format, key=f"story:{seed}:report:{kind}:{format}", actor="operator", reason="demo data"
        )
        ordered.append(report.run.id)
    pace.settle(ordered)
    auditor = get_user_model().objects.get(username="auditor")
    for row in Report.objects.filter(run_id__in=ordered, status=ReportStatus.READY, downloads__isnull=True)[:1]:
        operations.open_download(row.id, actor=auditor, door="console").stream.close()

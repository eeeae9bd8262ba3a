"""What reporting shows on the pages of others: reports, with the run that makes each."""

from __future__ import annotations

from django.db.models import QuerySet

from reporting.models import Report
from workflows import panels
from workflows.panels import Address, Record, RecordKind


def register() -> None:
    """Called once, when the apps are ready."""
    panels.register_records(
        RecordKind(
            name="reporting.report",
            label="Report",
            read=lambda ids: [_report(row) for row in _reports().filter(pk__in=ids)],
            of_runs=lambda run_ids: [_report(row) for row in _reports().filter(run_id__in=run_ids)],
            runs_of=lambda row_id: panels.run_ids(Report.objects.filter(pk=row_id)),
            find=lambda term: [_report(row) for row in _reports().filter(panels.named(term))[: panels.MOST_RUNS]],
            writers=("reporting.",),
            address=Address("api-reporting-report", "report_id"),
        )
    )


def _reports() -> QuerySet[Report]:
    return Report.objects.order_by("-requested_at", "-id")


def _report(row: Report) -> Record:
    return Record(
        kind="reporting.report",
        id=row.id,
        title=str(row),
        status=row.status,
        at=row.requested_at,
        run_ids=(row.run_id,),
    )

"""What the making of a report does, step by step. Each activity calls one operation."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from reporting import operations, queries
from reporting.contracts import Metadata, Registered, ReportFile, ReportFormat, ReportKind
from reporting.errors import RunMissing
from workflows import Retry, activity, activity_info

#: A report of a large platform takes minutes; one that takes longer is stuck.
GENERATION_TIME = timedelta(minutes=30)
#: The longest that nothing is heard of it. Reading its snapshot is one such silence.
SILENCE = timedelta(minutes=5)


@activity
def check_report(*, business_date: date | None) -> None:
    """Refuse a report about a business day that has not begun."""
    queries.resolve_business_date(business_date)


@activity(transactional=True)
def withdraw_report(*, report_id: UUID) -> None:
    """Take the report back: nobody gets its file any more. Runs only as an undo."""
    operations.withdraw_report(report_id=report_id)


@activity(transactional=True, undo=withdraw_report)
def register_report(*, report: ReportKind, format: ReportFormat, business_date: date | None) -> Registered:
    """The report that this run makes, with the business day that it is about."""
    run_id = activity_info().run_id
    if run_id is None:
        raise RunMissing
    return operations.register_report(run_id=run_id, kind=report, format=format, business_date=business_date)


@activity
def discard_files(*, report_id: UUID) -> int:
    """Delete what attempts to make the report left. Runs only as an undo."""
    return operations.discard_files(report_id)


@activity(
    retry=Retry(max_attempts=3, initial=1.0, backoff=2.0),
    timeout=GENERATION_TIME,
    heartbeat=SILENCE,
    undo=discard_files,
    undo_when="attempted",
)
def generate_report(*, report_id: UUID, report: ReportKind, format: ReportFormat, business_date: date) -> ReportFile:
    """Read the report in one snapshot and write its file; tells the stage it is at, and how far it came."""
    info = activity_info()

    def tell(stage: str, done: int) -> None:
        info.heartbeat({"attempt": info.attempt, "stage": stage, "done": done})

    return operations.generate_report(
        report_id=report_id,
        kind=report,
        format=format,
        business_date=business_date,
        attempt=info.attempt,
        progress=tell,
    )


@activity
def collect_metadata(*, report_id: UUID) -> Metadata:
    """What is recorded about the making of the report."""
    return operations.collect_metadata(report_id)


@activity(transactional=True, undo=withdraw_report)
def publish_report(*, report_id: UUID, file: ReportFile, metadata: Metadata) -> None:
    """From here on the report can be got."""
    operations.publish_report(report_id=report_id, file=file, metadata=metadata)

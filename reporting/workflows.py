"""The making of a report, from the order to the file."""

from __future__ import annotations

from datetime import date

from reporting import activities
from reporting.contracts import ReportFormat, ReportKind, ReportResult
from workflows import Workflow


class ReportGenerationWorkflow(Workflow[ReportResult]):
    """Make a report of a business day as a file that can be got."""

    name = "reporting.ReportGeneration"
    version = 1
    start_checks = (activities.check_report,)

    async def execute(
        self, report: ReportKind, format: ReportFormat, business_date: date | None = None
    ) -> ReportResult:
        registered = await self.activity(
            activities.register_report, report=report, format=format, business_date=business_date
        )
        report_id = registered.report_id
        making = self.start(
            activities.generate_report,
            report_id=report_id,
            report=report,
            format=format,
            business_date=registered.business_date,
        )
        metadata = await self.activity(activities.collect_metadata, report_id=report_id)
        file = await making
        await self.activity(activities.publish_report, report_id=report_id, file=file, metadata=metadata)
        return ReportResult(report=file, metadata=metadata)

"""Refusals and failures of reporting, each with a stable `code`; trying a refusal again cannot change it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from workflows import NonRetryable


class ReportingError(NonRetryable):
    """A request about reports that cannot be done as asked."""

    code = "reporting_refused"


class UnknownReport(ReportingError):
    """There is no such report."""

    code = "unknown_report"

    def __init__(self, report_id: UUID) -> None:
        super().__init__(f"there is no report {report_id}")
        self.report_id = report_id


class BusinessDateAhead(ReportingError):
    """A report is about a business day that has begun."""

    code = "business_date_ahead"

    def __init__(self, asked: date, open_date: date) -> None:
        super().__init__(f"business day {asked} has not begun; the open one is {open_date}")
        self.asked = asked
        self.open_date = open_date


class SourceForbidden(ReportingError):
    """Who may not see what a report is made of, neither orders nor gets it."""

    code = "source_forbidden"

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"this report needs the permissions {', '.join(missing)}")
        self.missing = missing


class ReportNotReady(ReportingError):
    """The report is still being made."""

    code = "report_not_ready"

    def __init__(self, report_id: UUID) -> None:
        super().__init__(f"report {report_id} is still being made: ask again, or see its run")
        self.report_id = report_id


class ReportWithdrawn(ReportingError):
    """The report was not completed, or was taken back: it has no file."""

    code = "report_withdrawn"

    def __init__(self, report_id: UUID) -> None:
        super().__init__(f"report {report_id} has no file: its run ended without one, or took it back")
        self.report_id = report_id


class FileMissing(ReportingError):
    """The file of a report is not where it was put."""

    code = "report_file_missing"

    def __init__(self, report_id: UUID) -> None:
        super().__init__(f"the file of report {report_id} is gone from the storage")
        self.report_id = report_id


class FileAltered(ReportingError):
    """The file of a report is not the one that was made: its SHA-256 differs."""

    code = "report_file_altered"

    def __init__(self, report_id: UUID) -> None:
        super().__init__(f"the file of report {report_id} is not the one that was made; it is not given out")
        self.report_id = report_id


class RunMissing(ReportingError):
    """A report is carried by a run: start reporting.ReportGeneration."""

    code = "run_missing"

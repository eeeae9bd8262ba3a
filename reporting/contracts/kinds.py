"""Words of reporting: which reports there are, as which files, and where one stands."""

from __future__ import annotations

from enum import StrEnum


class ReportKind(StrEnum):
    """What a report tells."""

    TREASURY_POSITIONS = "treasury_positions"
    LOAN_BOOK = "loan_book"
    DAILY_ACTIVITY = "daily_activity"


class ReportFormat(StrEnum):
    """As which file it is made."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class ReportStatus(StrEnum):
    """A report is `pending` until its file is published (`ready`), or `withdrawn`: then it has no file, for good."""

    PENDING = "pending"
    READY = "ready"
    WITHDRAWN = "withdrawn"


TITLES = {
    ReportKind.TREASURY_POSITIONS: "Treasury positions",
    ReportKind.LOAN_BOOK: "Loan book",
    ReportKind.DAILY_ACTIVITY: "Daily activity",
}
#: What each format is called where it is sent.
MEDIA_TYPES = {
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ReportFormat.PDF: "application/pdf",
}
#: What one must be allowed to see to order a report or to get its file.
SOURCES = {
    ReportKind.TREASURY_POSITIONS: ("treasury.view_treasuryaccount", "ledger.view_account"),
    ReportKind.LOAN_BOOK: ("lending.view_loan", "ledger.view_account"),
    ReportKind.DAILY_ACTIVITY: ("exchange.view_trade", "wallet.view_withdrawal", "ledger.view_account"),
}

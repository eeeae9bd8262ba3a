"""What crosses reporting's floors, and its words."""

from reporting.contracts.content import Cell, Chart, Content, Series, Table, Tie, Total
from reporting.contracts.kinds import MEDIA_TYPES, SOURCES, TITLES, ReportFormat, ReportKind, ReportStatus
from reporting.contracts.printing import Imprint, Progress
from reporting.contracts.sources import (
    BalanceLine,
    DueInstalment,
    LoanPosition,
    TradeLine,
    TreasuryPosition,
    WithdrawalLine,
)
from reporting.contracts.values import (
    Download,
    LedgerPosition,
    Metadata,
    RecordedTie,
    RecordedTotal,
    Registered,
    Report,
    ReportFile,
    ReportResult,
)

__all__ = [
    "MEDIA_TYPES",
    "SOURCES",
    "TITLES",
    "BalanceLine",
    "Cell",
    "Chart",
    "Content",
    "Download",
    "DueInstalment",
    "Imprint",
    "LedgerPosition",
    "LoanPosition",
    "Metadata",
    "Progress",
    "RecordedTie",
    "RecordedTotal",
    "Registered",
    "Report",
    "ReportFile",
    "ReportFormat",
    "ReportKind",
    "ReportResult",
    "ReportStatus",
    "Series",
    "Table",
    "Tie",
    "Total",
    "TradeLine",
    "TreasuryPosition",
    "WithdrawalLine",
]

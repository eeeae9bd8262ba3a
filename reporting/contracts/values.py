"""What crosses reporting's floors: reports, their files, and what was recorded with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from finaegis.shared.money import Money
from reporting.contracts.kinds import ReportFormat, ReportKind, ReportStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPosition:
    """Up to where the ledger was read: how many transfers were posted, and the newest of them."""

    transfers: int
    newest: UUID | None
    posted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTotal:
    """A total of a report, as it is kept."""

    label: str
    amount: Money
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTie:
    """A total beside the ledger's trial balance, as it is kept; `difference` is zero where it ties."""

    label: str
    reported: Money
    ledger: Money
    difference: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A file that was made. `name` is the storage's; `sha256` is over its bytes, in hex.

    `rows` are those of the report's table. `ties` says whether every total ties to the trial balance.
    """

    name: str
    size: int
    sha256: str
    rows: int
    as_of: LedgerPosition
    read_at: datetime
    totals: tuple[RecordedTotal, ...]
    reconciliation: tuple[RecordedTie, ...]
    ties: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What is recorded about the making of a report, beside its content."""

    report_id: UUID
    title: str
    format: ReportFormat
    business_date: date
    requested_by: str
    requested_at: datetime
    time_zone: str
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A report that a run carries, and the business day it is about."""

    report_id: UUID
    business_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as it stands. File and metadata are there once it is ready; those of a withdrawn one stay on record."""

    id: UUID
    run_id: UUID
    kind: ReportKind
    format: ReportFormat
    business_date: date
    status: ReportStatus
    requested_by: str
    requested_at: datetime
    file: ReportFile | None
    metadata: Metadata | None
    published_at: datetime | None
    withdrawn_at: datetime | None
    #: Whether this call ordered it (ordering operations only).
    created: bool = field(default=False, compare=False)

    @property
    def filename(self) -> str:
        """What the file is called where it is sent."""
        return f"{self.kind}-{self.business_date.isoformat()}-{str(self.id)[:8]}.{self.format}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One time that a report was asked for and given out, or kept back because its file was not the one made."""

    actor: str
    door: str
    outcome: str
    at: datetime


class ReportResult(BaseModel):
    """How a report's run ended."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    report: ReportFile
    metadata: Metadata

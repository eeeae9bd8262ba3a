"""What stands on a file beside its content: when, from where and by which code it was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from reporting.contracts.values import LedgerPosition

#: Is told how many rows or pages are written, often enough to show that somebody still writes.
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """The facts of a report that its file carries."""

    report_id: UUID
    business_date: date
    as_of: LedgerPosition
    read_at: datetime
    time_zone: str
    code_version: str

    def lines(self) -> list[tuple[str, str]]:
        """Each fact with its name, for people."""
        newest = "none" if self.as_of.newest is None else str(self.as_of.newest)
        return [
            ("report", str(self.report_id)),
            ("business date", self.business_date.isoformat()),
            ("read at", f"{self.read_at:%Y-%m-%d %H:%M:%S} {self.time_zone}"),
            ("ledger position", f"{self.as_of.transfers} transfers, newest {newest}"),
            ("time zone", self.time_zone),
            ("code version", self.code_version),
        ]

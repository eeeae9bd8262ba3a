"""What a report says, before it is a file: a table, totals, what ties to the ledger, and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from finaegis.shared.money import Money

#: A cell: a text, an exact amount or number, a day or a moment (with its zone), or nothing.
Cell = str | Money | Decimal | int | date | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below named columns. The amounts of a row are in the currency that its column `currency` names."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum of one column, or of a part of it, in one currency; `count` rows are in it."""

    label: str
    amount: Money
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """A total of the report beside what the ledger's trial balance says of the same."""

    label: str
    reported: Money
    ledger: Money

    @property
    def difference(self) -> Money:
        return self.reported - self.ledger

    @property
    def holds(self) -> bool:
        return not self.difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One row of bars; as many values as the chart has categories."""

    name: str
    values: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars by category; the title says what they count."""

    title: str
    categories: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A whole report. `trial_balance` is the ledger's, by class of account."""

    title: str
    table: Table
    totals: tuple[Total, ...]
    ties: tuple[Tie, ...]
    charts: tuple[Chart, ...]
    trial_balance: Table
    notes: tuple[str, ...] = field(default=())

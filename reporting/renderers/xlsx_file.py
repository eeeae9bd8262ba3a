"""A report as a workbook: what it is and what it ties to, its table, and the trial balance, a sheet each.

Spreadsheets keep numbers as binary floats, which hold 15 digits exactly. An amount is written as a number where it has
at most that many, and as text with all its digits where it has more: nothing is rounded behind anybody's back. Days
are texts like 2026-01-05, which every reader sorts and none turns into another day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from reporting.contracts import Cell, Content, Imprint, Progress, Table
from reporting.rules.cells import number_of, places_of, written

#: Rows between two words about how far it came.
ROWS_A_WORD = 1000
_BOLD = Font(bold=True)
_HEAD = PatternFill("solid", start_color="DBEAFE")
_RIGHT = Alignment(horizontal="right")
_WIDEST, _NARROWEST = 44, 10


def write_xlsx(content: Content, imprint: Imprint, out: BinaryIO, *, progress: Progress) -> None:
    """Write the whole report."""
    book = Workbook(write_only=True)
    _summary(book, content, imprint)
    _sheet(book, content.table, progress)
    _sheet(book, content.trial_balance, progress)
    book.save(out)


def _summary(book: Workbook, content: Content, imprint: Imprint) -> None:
    facts: list[tuple[Cell, ...]] = list(imprint.lines())
    totals: list[tuple[Cell, ...]] = [
        (item.label, item.amount.currency, item.amount, item.count) for item in content.totals
    ]
    ties: list[tuple[Cell, ...]] = [
        (
            item.label, item.reported.currency, item.reported, item.ledger, item.difference,
            "ties" if item.holds else "DIFFERS",
        )
        for item in content.ties
    ]  # fmt: skip
    sheet = book.create_sheet("Report")
    for number, width in enumerate((46, 40, 22, 22, 22, 12), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.append([_cell(sheet, content.title, font=Font(bold=True, size=16))])
    blocks: Iterable[tuple[tuple[str, ...], list[tuple[Cell, ...]]]] = (
        ((), facts),
        (("total", "currency", "amount", "rows"), totals),
        (("ties to the ledger", "currency", "report", "ledger", "difference", ""), ties),
        ((), [(note,) for note in content.notes]),
    )
    for columns, rows in blocks:
        sheet.append([])
        if columns:
            sheet.append([_cell(sheet, name, font=_BOLD, fill=_HEAD) for name in columns])
        for row in rows:
            sheet.append([_cell(sheet, value) for value in row])


def _sheet(book: Workbook, table: Table, progress: Progress) -> None:
    sheet = book.create_sheet(table.title)
    sheet.freeze_panes = "A2"
    for number, width in enumerate(_widths(table), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    sheet.append([_cell(sheet, name, font=_BOLD, fill=_HEAD) for name in table.columns])
    for count, row in enumerate(table.rows, start=1):
        sheet.append([_cell(sheet, value) for value in row])
        if count % ROWS_A_WORD == 0:
            progress("rows", count)


def _cell(sheet: Any, value: Cell, *, font: Font | None = None, fill: PatternFill | None = None) -> Any:
    number = number_of(value)
    kept: Any = number if number is not None else written(value) or None
    cell = WriteOnlyCell(sheet, value=kept)
    if number is not None:
        places = places_of(value)
        cell.number_format = "#,##0" + ("." + "0" * places if places else "")
        cell.alignment = _RIGHT
    elif cell.value is not None:
        cell.data_type = "s"  # whatever it looks like, it is a text
    if font is not None:
        cell.font = font
    if fill is not None:
        cell.fill = fill
    return cell


def _widths(table: Table) -> list[int]:
    """As wide as the first rows need, within bounds."""
    some: Sequence[tuple[Cell, ...]] = table.rows[:200]
    longest = [max([len(name), *(len(written(row[at])) for row in some)]) for at, name in enumerate(table.columns)]
    return [min(max(length + 3, _NARROWEST), _WIDEST) for length in longest]

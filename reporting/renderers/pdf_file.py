"""A report as PDF: what it is, its totals and what they tie to, its charts, its table, and the trial balance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Spacer, Table, TableStyle

from finaegis.shared.money import Money
from reporting.contracts import Cell, Content, Imprint, Progress
from reporting.contracts import Table as Rows
from reporting.renderers import charts, fonts
from reporting.rules.cells import written

#: Rows of one flowable: the layout of a table costs more than its length.
ROWS_A_PIECE = 200
_MARGIN = 16 * mm
_WIDTH = landscape(A4)[0] - 2 * _MARGIN
_LINE, _SHADE = colors.HexColor("#d1d5db"), colors.HexColor("#dbeafe")
_BAD = colors.HexColor("#b91c1c")

_TITLE = ParagraphStyle("title", fontName=fonts.BOLD, fontSize=20, leading=26)
_HEADING = ParagraphStyle(
    "heading", fontName=fonts.BOLD, fontSize=12, leading=16, spaceBefore=10, spaceAfter=4, keepWithNext=1
)
_TEXT = ParagraphStyle("text", fontName=fonts.PLAIN, fontSize=8, leading=10)
_CELL = ParagraphStyle("cell", parent=_TEXT, fontSize=7, leading=8.5, splitLongWords=1)
_NUMBER = ParagraphStyle("number", parent=_CELL, alignment=TA_RIGHT)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName=fonts.BOLD)
_HEAD_NUMBER = ParagraphStyle("head number", parent=_HEAD, alignment=TA_RIGHT)


class _Document(BaseDocTemplate):
    """Pages with a foot, each of which is a sign of life."""

    def __init__(self, out: BinaryIO, *, title: str, foot: str, progress: Progress) -> None:
        super().__init__(
            out, pagesize=landscape(A4), title=title, author="FinAegis", leftMargin=_MARGIN, rightMargin=_MARGIN,
            topMargin=_MARGIN, bottomMargin=_MARGIN, invariant=0,
        )  # fmt: skip
        self._foot = foot
        self._progress = progress
        frame = Frame(_MARGIN, _MARGIN, _WIDTH, landscape(A4)[1] - 2 * _MARGIN, 0, 0, 0, 0, id="page")
        self.addPageTemplates(PageTemplate("page", [frame], onPageEnd=self._end_page))

    def _end_page(self, canvas: Any, _: object) -> None:
        canvas.saveState()
        canvas.setFont(fonts.PLAIN, 7)
        canvas.setFillColor(colors.HexColor("#6b7280"))
        canvas.drawString(_MARGIN, _MARGIN / 2, self._foot)
        canvas.drawRightString(_MARGIN + _WIDTH, _MARGIN / 2, f"page {canvas.getPageNumber()}")
        canvas.restoreState()
        self._progress("pages", canvas.getPageNumber())


def write_pdf(content: Content, imprint: Imprint, out: BinaryIO, *, progress: Progress) -> None:
    """Write the whole report."""
    fonts.register()
    foot = f"{content.title}, {imprint.business_date.isoformat()}, report {imprint.report_id}"
    document = _Document(out, title=content.title, foot=foot, progress=progress)
    document.build(list(_story(content, imprint)))


def _story(content: Content, imprint: Imprint) -> Iterator[Flowable]:
    yield Paragraph(_safe(f"{content.title}, {imprint.business_date.isoformat()}"), _TITLE)
    for name, value in imprint.lines():
        yield Paragraph(f"<b>{_safe(name)}</b>: {_safe(value)}", _TEXT)
    for note in content.notes:
        yield Paragraph(_safe(note), _TEXT)
    for chart in content.charts:
        yield Spacer(1, 6 * mm)
        yield charts.draw(chart, font=fonts.PLAIN, bold=fonts.BOLD)
    yield from _table(
        Rows(
            title="Totals",
            columns=("total", "currency", "amount", "rows"),
            rows=[(item.label, item.amount.currency, item.amount, item.count) for item in content.totals],
        )
    )
    yield from _table(_ties(content), bad=[at for at, item in enumerate(content.ties) if not item.holds])
    yield from _table(content.table)
    yield from _table(content.trial_balance)


def _ties(content: Content) -> Rows:
    return Rows(
        title="Ties to the ledger's trial balance",
        columns=("what", "currency", "report", "ledger", "difference", "state"),
        rows=[
            (
                item.label, item.reported.currency, item.reported, item.ledger, item.difference,
                "ties" if item.holds else "DIFFERS",
            )
            for item in content.ties
        ],
    )  # fmt: skip


def _table(rows: Rows, *, bad: Sequence[int] = ()) -> Iterator[Flowable]:
    """The table in pieces, each with its head; `bad` rows stand out."""
    yield Paragraph(_safe(rows.title), _HEADING)
    if not rows.rows:
        yield Paragraph("There is nothing to tell.", _TEXT)
        return
    numeric = [_is_numeric(rows, at) for at in range(len(rows.columns))]
    head = [
        Paragraph(_safe(name), _HEAD_NUMBER if right else _HEAD)
        for name, right in zip(rows.columns, numeric, strict=True)
    ]
    widths = _widths(rows)
    for start in range(0, len(rows.rows), ROWS_A_PIECE):
        some = rows.rows[start : start + ROWS_A_PIECE]
        body = [
            [Paragraph(_shown(cell), _NUMBER if right else _CELL) for cell, right in zip(row, numeric, strict=True)]
            for row in some
        ]
        style: list[Any] = [
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, _LINE),
            ("BACKGROUND", (0, 0), (-1, 0), _SHADE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 5),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            *[("BOX", (0, at + 1), (-1, at + 1), 1, _BAD) for at in range(len(some)) if start + at in bad],
        ]
        yield Table([head, *body], colWidths=widths, repeatRows=1, style=TableStyle(style), hAlign="LEFT")


def _is_numeric(rows: Rows, at: int) -> bool:
    return any(isinstance(row[at], Money) or _is_number(row[at]) for row in rows.rows[:ROWS_A_PIECE])


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, str) and not hasattr(cell, "isoformat") and cell is not None


def _widths(rows: Rows) -> list[float]:
    """The page's width by how long the cells of each column are, so that ids break and amounts do not."""
    some = rows.rows[:ROWS_A_PIECE]
    wished = [
        min(max([len(name) + 2, *(len(_plain(row[at])) + 2 for row in some)]), 26)
        for at, name in enumerate(rows.columns)
    ]
    narrow = 4.4 * sum(wished)
    unit = min(_WIDTH / sum(wished), 6.0) if narrow < _WIDTH else _WIDTH / sum(wished)
    return [length * unit for length in wished]


def _plain(cell: Cell) -> str:
    text = written(cell)
    if isinstance(cell, Money):
        whole, point, part = text.partition(".")
        return f"{int(whole):,}{point}{part}" if whole not in ("-0",) else text
    return text.removeprefix("'") if isinstance(cell, str) and not cell.startswith("'") else text


def _shown(cell: Cell) -> str:
    return _safe(_plain(cell))


def _safe(text: str) -> str:
    """The text as it is: it holds no mark-up, and no character that would be a box."""
    return escape(fonts.drawable(text))

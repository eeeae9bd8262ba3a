"""A report as a file: `render` writes it into a binary stream and tells how far it came."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from reporting.contracts import Content, Imprint, Progress, ReportFormat
from reporting.renderers.csv_file import write_csv
from reporting.renderers.pdf_file import write_pdf
from reporting.renderers.xlsx_file import write_xlsx

__all__ = ["render"]


class _Writer(Protocol):
    def __call__(self, content: Content, imprint: Imprint, out: BinaryIO, *, progress: Progress) -> None: ...


_WRITERS: dict[ReportFormat, _Writer] = {
    ReportFormat.CSV: write_csv,
    ReportFormat.XLSX: write_xlsx,
    ReportFormat.PDF: write_pdf,
}


def render(content: Content, format: ReportFormat, imprint: Imprint, out: BinaryIO, *, progress: Progress) -> None:
    """Write the report into `out` from where it stands."""
    _WRITERS[format](content, imprint, out, progress=progress)

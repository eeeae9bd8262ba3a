"""A report as CSV: its table alone, one header and one kind of row, as programs read it (RFC 4180, UTF-8).

Each row begins with the business date and ends with the report's id. Totals and what ties to the ledger stand in the
report's record, which REST and the console show; the other formats carry them too.
"""

from __future__ import annotations

import csv
import io
from typing import BinaryIO

from reporting.contracts import Content, Imprint, Progress
from reporting.rules.cells import written

#: Rows between two words about how far it came.
ROWS_A_WORD = 1000


def write_csv(content: Content, imprint: Imprint, out: BinaryIO, *, progress: Progress) -> None:
    """Write the table of the report."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(["business date", *content.table.columns, "report"])
    first, last = imprint.business_date.isoformat(), str(imprint.report_id)
    for count, row in enumerate(content.table.rows, start=1):
        writer.writerow([first, *map(written, row), last])
        if count % ROWS_A_WORD == 0:
            progress("rows", count)
    text.flush()
    text.detach()

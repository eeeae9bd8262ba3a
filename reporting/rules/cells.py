"""How a value is written into a cell: texts that no spreadsheet takes for a formula, amounts that lose nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from finaegis.shared.money import Money
from reporting.contracts import Cell

#: Texts that begin so are taken for formulas (OWASP, "CSV injection"), the full-width forms by some too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: What neither XML nor people read: control characters but tab and line ends, halves of surrogate pairs.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
#: A spreadsheet keeps numbers as binary floats: so many digits come back as they went in, more do not.
EXACT_DIGITS = 15


def neutral(text: str) -> str:
    """The text as one that is shown and never reckoned: what would begin a formula gets an apostrophe before it."""
    clean = _UNWRITABLE.sub("\ufffd", text)
    return f"'{clean}" if clean.startswith(_FORMULA) else clean


def written(cell: Cell) -> str:
    """The cell as text: amounts and numbers as plain decimals, days as 2026-01-05, moments in UTC, texts neutral."""
    if cell is None:
        return ""
    if isinstance(cell, Money):
        return cell.to_text()
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date):
        return cell.isoformat()
    return neutral(cell)


def number_of(cell: Cell) -> Decimal | None:
    """The exact number that a spreadsheet can keep; None for what is no number, and for one with too many digits."""
    if isinstance(cell, Money):
        number = cell.amount
    elif isinstance(cell, Decimal):
        number = cell
    elif isinstance(cell, int):
        number = Decimal(cell)
    else:
        return None
    digits = len(number.normalize().as_tuple().digits) if number else 1
    return number if digits <= EXACT_DIGITS else None


def places_of(cell: Cell) -> int:
    """How many decimal places the number is shown with."""
    number = cell.amount if isinstance(cell, Money) else cell
    if not isinstance(number, Decimal):
        return 0
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0

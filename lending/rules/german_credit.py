"""The German credit data: 1,000 real loan applications with their outcome, and how such a file is read.

A row of the file is 20 attributes and an outcome, separated by spaces; `data/german_credit.doc.txt` says what they
mean. Rows and folds are counted from 0, attributes from 1 as in that document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from lending.errors import InvalidCreditFile
from lending.rules.scorecard_table import Value

SHIPPED = Path(__file__).parents[1] / "data" / "german_credit.data"
ATTRIBUTES = 20
#: Attributes that are whole numbers; the others are codes such as A43.
NUMBERS = frozenset({2, 5, 8, 11, 13, 16, 18})
#: Attributes that a credit bureau knows, and an application does not ask for.
BUREAU = (1, 3, 6, 14, 16)
_OUTCOMES = {"1": False, "2": True}
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One application of the file; `bad` is its outcome (2 in the file: not repaid well)."""

    values: tuple[str, ...]
    bad: bool

    def value(self, attribute: int) -> str:
        """The value of an attribute, counted from 1, as the file writes it."""
        return self.values[attribute - 1]

    def scoring_values(self) -> dict[int, Value]:
        """All values by attribute, numbers as numbers, as a points table takes them."""
        return {
            number: Decimal(value) if number in NUMBERS else value for number, value in enumerate(self.values, start=1)
        }


def parse_rows(text: str) -> tuple[CreditRow, ...]:
    """Every row of a file in the format of the data set; empty lines at the end are no rows.

    Raises InvalidCreditFile naming the first line that does not fit, or for a file without rows.
    """
    rows = tuple(_row(line, number) for number, line in enumerate(text.rstrip().splitlines(), start=1))
    if not rows:
        raise InvalidCreditFile("the file has no rows")
    return rows


@cache
def read_rows() -> tuple[CreditRow, ...]:
    """The 1,000 rows that are shipped in `lending/data`, in the order of the file."""
    return parse_rows(SHIPPED.read_text(encoding="ascii"))


def _row(line: str, number: int) -> CreditRow:
    fields: Sequence[str] = line.split()
    if len(fields) != ATTRIBUTES + 1:
        raise InvalidCreditFile(f"line {number} has {len(fields)} fields, not {ATTRIBUTES + 1}")
    *values, outcome = fields
    for attribute, value in enumerate(values, start=1):
        if not _fits(attribute, value):
            raise InvalidCreditFile(f"line {number}: {value[:20]!r} is no value of attribute {attribute}")
    if outcome not in _OUTCOMES:
        raise InvalidCreditFile(f"line {number}: the outcome is 1 (good) or 2 (bad), not {outcome[:20]!r}")
    return CreditRow(values=tuple(values), bad=_OUTCOMES[outcome])


def _fits(attribute: int, value: str) -> bool:
    """Whether a value has the form of its attribute: digits, or the attribute's letter and number with one code."""
    if attribute in NUMBERS:
        return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
    return re.fullmatch(rf"A{attribute}\d{{1,2}}", value, re.ASCII) is not None

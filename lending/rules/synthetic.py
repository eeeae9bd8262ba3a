"""Applications made from rows of the credit data: what a row lacks is made up from it, and says so.

Sums are in DM there and read as EUR one to one. The same row at the same place always makes the same application.
"""

from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_EVEN, Decimal

from pydantic import TypeAdapter, ValidationError

from lending.contracts import ApplicationForm, Document
from lending.errors import InvalidCreditFile
from lending.rules.applications import facts_of
from lending.rules.german_credit import NUMBERS, CreditRow
from lending.rules.scorecard_attributes import NAMES
from workflows import NonRetryable

CURRENCY = "EUR"
#: Attributes that an applicant states.
_STATED = (4, 7, 8, 10, 11, 12, 15, 17, 18)
#: The middle of each class of attribute 8: what part of the disposable income an instalment takes.
_BURDEN = {"1": Decimal("0.40"), "2": Decimal("0.30"), "3": Decimal("0.225"), "4": Decimal("0.15")}
_USUAL_BURDEN = Decimal("0.25")
#: Gross income for each unit of disposable income.
_GROSS = Decimal("1.5")
_SERIALS = 1000
#: Groups below 50, each with a thousand serials.
MOST_ROWS = 49 * _SERIALS
_CENT = Decimal("0.01")
_FORM = TypeAdapter(ApplicationForm)


def form_of(row: CreditRow, position: int) -> ApplicationForm:
    """The application of a row; `position` counts from 0. Raises InvalidCreditFile if a row makes none.

    The last four digits of the SSN modulo 1000 are the position modulo 1000, so that the bureau simulator answers with
    the shipped row of that position. Areas from 900 on with a group below 50 were never given to anybody.
    """
    if position >= MOST_ROWS:
        raise InvalidCreditFile(f"an import takes at most {MOST_ROWS} rows")
    try:
        form = _FORM.validate_python(
            {
                "applicant": f"Synthetic Applicant {position:04d}",
                "ssn": f"900-{1 + position // _SERIALS:02d}-{_SERIALS + position % _SERIALS}",
                "income": income_of(row),
                "currency": CURRENCY,
                "amount": Decimal(row.value(5)),
                "term_months": int(row.value(2)),
                "documents": (Document(kind="payslip", reference=f"synthetic-{position:04d}-payslip"),),
                "attributes": {NAMES[number]: _stated(row, number) for number in _STATED},
            }
        )
        facts_of(form)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidCreditFile(f"line {position + 1} makes no application: {where}: {first['msg']}") from error
    except NonRetryable as error:
        raise InvalidCreditFile(f"line {position + 1} makes no application: {error}") from error
    return form


def income_of(row: CreditRow) -> Decimal:
    """A year's income, to the cent, under which the instalment takes the part that attribute 8 says."""
    instalment = Decimal(row.value(5)) / max(int(row.value(2)), 1)
    monthly = instalment / _BURDEN.get(row.value(8), _USUAL_BURDEN) * _GROSS
    return (12 * monthly).quantize(_CENT, ROUND_HALF_EVEN)


def key_of(row: CreditRow, position: int) -> str:
    """The business key of a row's application: its position and a digest of what it says."""
    digest = hashlib.sha256(" ".join(row.values).encode()).hexdigest()
    return f"german-credit:{position:04d}:{digest[:12]}"


def _stated(row: CreditRow, number: int) -> str | int:
    return int(row.value(number)) if number in NUMBERS else row.value(number)

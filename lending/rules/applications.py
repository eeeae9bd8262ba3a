"""What makes an application, and how much one person may owe."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pydantic import TypeAdapter, ValidationError

from finaegis.shared.money import Money, MoneyError
from lending.contracts import MAXIMUM_TERM, ApplicationForm, Facts
from lending.errors import AmountNotPositive, InvalidApplication, InvalidTerm
from lending.rules.currencies import check_currency, in_eur

#: Loans and offers of one person together, as a multiple of the income of a year that is stated.
EXPOSURE_MULTIPLE = Decimal(2)
_FORM = TypeAdapter(ApplicationForm)


def facts_of(form: ApplicationForm) -> Facts:
    """The facts of a form; the SSN stays behind.

    Raises InvalidApplication, CurrencyNotLent, AmountNotPositive or InvalidTerm for what makes no application.
    """
    if not form.applicant.strip() or not form.applicant.isprintable():
        raise InvalidApplication("the applicant's name is a text of printable characters")
    check_currency(form.currency)
    try:
        amount, income = Money(form.amount, form.currency), Money(form.income, form.currency)
    except MoneyError as error:
        raise InvalidApplication(str(error), code=error.code) from None
    if not amount:
        raise AmountNotPositive
    if not 1 <= form.term_months <= MAXIMUM_TERM:
        raise InvalidTerm(f"a loan runs for 1 to {MAXIMUM_TERM} months")
    return Facts(
        applicant=form.applicant.strip(),
        income=income,
        amount=amount,
        term_months=form.term_months,
        documents=form.documents,
        attributes=form.attributes,
    )


def within_exposure(facts: Facts, owed: Decimal) -> bool:
    """Whether the applicant may owe the amount beside what is `owed` (EUR) already: loans and open offers."""
    return owed + in_eur(facts.amount) <= in_eur(facts.income) * EXPOSURE_MULTIPLE


def form_of(given: Mapping[str, object]) -> ApplicationForm:
    """The form that a door was given by names; raises InvalidApplication, whose text never shows a value."""
    try:
        return _FORM.validate_python(dict(given))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
            for item in problems
        )
        raise InvalidApplication(told, code="invalid_input") from None

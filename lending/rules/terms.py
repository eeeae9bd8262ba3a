"""What a loan costs at a given risk, and the figures that are disclosed of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from finaegis.shared.money import Money, round_half_even
from lending.contracts import SCORE_RANGE, ScheduleEntry, Terms
from lending.errors import InvalidSchedule
from lending.rules.apr import Payment, annual_percentage_rate
from lending.rules.schedule import DAYS_A_MONTH, MONTHS_A_YEAR, FirstPeriod, amortise, anchor_of, first_period

DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """Scores up to and with `up_to` pay `annual_rate` (per cent) and `fee` (per cent of the principal, prepaid)."""

    up_to: Decimal
    annual_rate: Decimal
    fee: Decimal = Decimal(0)


#: The price list, by risk score; part of the policy. Above 70 only an officer approves, and the loan carries a fee.
GRADES = (
    Grade(up_to=Decimal(10), annual_rate=Decimal("4.90")),
    Grade(up_to=Decimal(20), annual_rate=Decimal("5.90")),
    Grade(up_to=Decimal(30), annual_rate=Decimal("6.90")),
    Grade(up_to=Decimal(40), annual_rate=Decimal("8.10")),
    Grade(up_to=Decimal(50), annual_rate=Decimal("9.40")),
    Grade(up_to=Decimal(60), annual_rate=Decimal("10.90")),
    Grade(up_to=Decimal(70), annual_rate=Decimal("12.50")),
    Grade(up_to=SCORE_RANGE[1], annual_rate=Decimal("15.90"), fee=Decimal("1.00")),
)


def grade_of(score: Decimal) -> Grade:
    """The grade of a risk score from 0 to 100. Raises InvalidSchedule for another one."""
    if not SCORE_RANGE[0] <= score <= SCORE_RANGE[1]:
        raise InvalidSchedule(f"a risk score is from {SCORE_RANGE[0]} to {SCORE_RANGE[1]}, not {score}")
    return next(grade for grade in GRADES if score <= grade.up_to)


def terms_for(*, score: Decimal, principal: Money, term_months: int) -> Terms:
    """The terms offered at a risk score: rate and fee of its grade, the rest estimated for a regular first period.

    Raises InvalidSchedule for a score, principal or term that no loan has.
    """
    grade = grade_of(score)
    fees = round_half_even(Fraction(principal.amount) * Fraction(grade.fee) / 100, principal.currency)
    instalments = amortise(principal=principal, annual_rate=grade.annual_rate, term_months=term_months)
    return _disclosed(
        principal=principal,
        annual_rate=grade.annual_rate,
        fees=fees,
        instalments=[item.amount for item in instalments],
        first=FirstPeriod(),
        days=None,
    )


def binding_terms(*, terms: Terms, schedule: Sequence[ScheduleEntry], disbursed_on: date) -> Terms:
    """The terms of a loan that was paid out: principal, rate and fees stand, the rest follows from its schedule.

    Raises InvalidSchedule for a schedule that is not one of these terms.
    """
    repaid = Money.total((entry.principal for entry in schedule), terms.principal.currency)
    if len(schedule) != terms.term_months or repaid != terms.principal:
        raise InvalidSchedule(
            f"{len(schedule)} instalments that repay {repaid} are no schedule of {terms.principal} "
            f"over {terms.term_months} months"
        )
    first_due = schedule[0].due_on
    # In a month too short for it the anchor does not show; any later month, or the payout's own day, tells it.
    anchor = max(anchor_of(disbursed_on=disbursed_on, first_due=first_due), *(entry.due_on.day for entry in schedule))
    return _disclosed(
        principal=terms.principal,
        annual_rate=terms.annual_rate,
        fees=terms.prepaid_fees,
        instalments=[entry.instalment for entry in schedule],
        first=first_period(disbursed_on=disbursed_on, first_due=first_due, anchor=anchor),
        days=(first_due - disbursed_on).days,
    )


def _disclosed(
    *,
    principal: Money,
    annual_rate: Decimal,
    fees: Money,
    instalments: Sequence[Money],
    first: FirstPeriod,
    days: int | None,
) -> Terms:
    total = Money.total(instalments, principal.currency)
    financed = principal - fees
    return Terms(
        principal=principal,
        annual_rate=annual_rate,
        term_months=len(instalments),
        instalment=instalments[0],
        prepaid_fees=fees,
        amount_financed=financed,
        total_interest=total - principal,
        total_of_payments=total,
        apr=_apr(financed, instalments, first, days),
    )


def _apr(financed: Money, instalments: Sequence[Money], first: FirstPeriod, days: int | None) -> Decimal:
    """The APR over the actual instalments, `days` calendar days after payout the first of them."""
    if len(instalments) == 1:
        # Appendix J (b)(5)(vi), (vii): the unit-period of a single payment is the whole term, in months or in days.
        in_days = days is not None and first.odd_days
        per_year = Decimal(DAYS_A_YEAR) / days if in_days and days else Decimal(MONTHS_A_YEAR) / first.months
        payments = [Payment(amount=instalments[0].amount, units=1)]
        return annual_percentage_rate(advance=financed.amount, payments=payments, units_per_year=per_year)
    fraction = Decimal(first.odd_days) / DAYS_A_MONTH
    payments = [
        Payment(amount=item.amount, units=first.months + position, fraction=fraction)
        for position, item in enumerate(instalments)
    ]
    return annual_percentage_rate(advance=financed.amount, payments=payments, units_per_year=Decimal(MONTHS_A_YEAR))

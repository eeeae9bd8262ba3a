"""The repayment schedule of a loan: level instalments, months that are all equal, odd days only in the first period."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from finaegis.shared.money import Money, round_half_even
from lending.contracts import ScheduleEntry
from lending.errors import InvalidSchedule

MONTHS_A_YEAR = 12
#: Odd days count as this part of a month each, whatever the month's length.
DAYS_A_MONTH = 30
#: The longest first period; a loan that rests longer is another product.
LONGEST_FIRST_PERIOD = 12


@dataclass(frozen=True, slots=True)
class FirstPeriod:
    """The time from payout to the first due date: whole months counted back from the due date, and odd days before."""

    months: int = 1
    odd_days: int = 0

    @property
    def length(self) -> Fraction:
        """In months."""
        return self.months + Fraction(self.odd_days, DAYS_A_MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """What is paid at the end of one period, and what is owed after it."""

    amount: Money
    interest: Money
    principal: Money
    balance: Money


def build_schedule(
    *,
    principal: Money,
    annual_rate: Decimal,
    term_months: int,
    disbursed_on: date,
    first_due: date,
    anchor: int | None = None,
) -> tuple[ScheduleEntry, ...]:
    """The binding schedule of a loan paid out on `disbursed_on`; `annual_rate` in per cent a year, zero allowed.

    `anchor` is the day of the month instalments are due on, without it `anchor_of` the two dates. A month without that
    day has its last day instead; no due date moves for a weekend or a holiday. Amounts are as `amortise` says. Raises
    InvalidSchedule for a principal of zero or less, a negative rate, a term below one month, an anchor that the first
    due date contradicts, or a first due date that is not after the payout or more than twelve months after it.
    """
    day = anchor_of(disbursed_on=disbursed_on, first_due=first_due) if anchor is None else anchor
    if not 1 <= day <= 31 or first_due != _on(first_due.year, first_due.month, day):
        raise InvalidSchedule(f"a first instalment on {first_due} does not go with instalments on day {day}")
    first = first_period(disbursed_on=disbursed_on, first_due=first_due, anchor=day)
    instalments = amortise(principal=principal, annual_rate=annual_rate, term_months=term_months, first=first)
    return tuple(
        ScheduleEntry(
            number=number,
            due_on=_month_later(first_due, number - 1, day),
            instalment=item.amount,
            interest=item.interest,
            principal=item.principal,
            balance=item.balance,
        )
        for number, item in enumerate(instalments, start=1)
    )


def first_due_after(disbursed_on: date) -> date:
    """A month after the payout: the same day of the next month, or that month's last day. Such a period is regular."""
    return _month_later(disbursed_on, 1, disbursed_on.day)


def anchor_of(*, disbursed_on: date, first_due: date) -> int:
    """The day of the month that instalments fall due on.

    The payout's day if the first due date is that day in its month, so that 31 January and 28 February mean the 31st;
    else the first due date's own.
    """
    day = disbursed_on.day
    return day if first_due == _on(first_due.year, first_due.month, day) else first_due.day


def first_period(*, disbursed_on: date, first_due: date, anchor: int) -> FirstPeriod:
    """Whole months, counted back from the first due date, and the days that are left (Appendix J (b)(5)(ii))."""
    if first_due <= disbursed_on:
        raise InvalidSchedule(f"the first instalment is due on {first_due}, not after the payout on {disbursed_on}")
    months = 0
    while (earlier := _month_later(first_due, -months - 1, anchor)) >= disbursed_on:
        months += 1
        if earlier == disbursed_on:
            break
    odd_days = (_month_later(first_due, -months, anchor) - disbursed_on).days
    if months + bool(odd_days) > LONGEST_FIRST_PERIOD:
        raise InvalidSchedule(f"the first instalment is due more than {LONGEST_FIRST_PERIOD} months after the payout")
    return FirstPeriod(months, odd_days)


def amortise(
    *, principal: Money, annual_rate: Decimal, term_months: int, first: FirstPeriod | None = None
) -> tuple[Instalment, ...]:
    """Level instalments for `term_months` months and their split; the first period is regular unless one is given.

    A month costs balance x annual rate / 12, the first period as many times that as it has months and thirtieths. The
    level instalment is the one that repays the loan exactly with that first period. It and each period's interest are
    rounded half even, once; the last instalment is the balance and its interest. No instalment exceeds what is owed.
    Raises InvalidSchedule as `build_schedule`, also where a long first period costs more than its instalment pays:
    unpaid interest would become principal.
    """
    if principal <= Money.zero(principal.currency):
        raise InvalidSchedule(f"the principal must be more than zero, not {principal}")
    if not annual_rate.is_finite() or annual_rate < 0:
        raise InvalidSchedule(f"the rate is a number of zero or more, not {annual_rate}")
    if term_months < 1:
        raise InvalidSchedule(f"the term is one month or more, not {term_months}")
    return tuple(_instalments(principal, Fraction(annual_rate) / 100 / MONTHS_A_YEAR, term_months, first))


def _instalments(principal: Money, rate: Fraction, term: int, first: FirstPeriod | None) -> Iterator[Instalment]:
    length = (first or FirstPeriod()).length
    level = round_half_even(Fraction(principal.amount) * _annuity(rate, term, length), principal.currency)
    balance = principal
    for number in range(1, term + 1):
        months = length if number == 1 else Fraction(1)
        interest = round_half_even(Fraction(balance.amount) * rate * months, principal.currency)
        owed = balance + interest
        amount = owed if number == term else min(level, owed)
        if amount < interest:
            raise InvalidSchedule(f"the first period costs {interest}, more than its instalment of {amount}")
        balance = owed - amount
        yield Instalment(amount=amount, interest=interest, principal=amount - interest, balance=balance)


def _annuity(rate: Fraction, term: int, first: Fraction) -> Fraction:
    """The level instalment for a principal of 1: its growth in the first period over the worth of the instalments then.

    With a first period of one month it is the usual rate / (1 - (1 + rate)^-term).
    """
    later = (1 - (1 + rate) ** (1 - term)) / rate if rate else Fraction(term - 1)
    return (1 + rate * first) / (1 + later)


def _month_later(day: date, months: int, anchor: int) -> date:
    """The anchor's day `months` months after the month of `day`."""
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    return _on(year, month + 1, anchor)


def _on(year: int, month: int, anchor: int) -> date:
    """The anchor's day in a month, or the month's last day."""
    return date(year, month, min(anchor, monthrange(year, month)[1]))

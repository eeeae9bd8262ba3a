"""Score, terms and schedule of a loan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finaegis.shared.money import Money

#: A risk score above this goes to an officer. It stands for a probability of default above 1/6.
REVIEW_ABOVE = Decimal(70)
SCORE_RANGE = (Decimal("0.00"), Decimal("100.00"))
MAXIMUM_REASONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReason:
    """An attribute that spoke against the applicant; `points` below their mean, `text` as a letter says it."""

    attribute: str
    points: Decimal
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the scorecard says: `pd` at six decimal places (half even), `score` at two (up), 0 to 100, high = risky.

    `reasons` are at most four, the furthest below its mean first; `missing` names the attributes that were not known
    and counted zero points.
    """

    points: Decimal
    pd: Decimal
    score: Decimal
    reasons: tuple[ScoreReason, ...]
    missing: tuple[str, ...]
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a loan costs. Rates in per cent a year: `annual_rate` that interest is reckoned at, `apr` to two decimals.

    `amount_financed` = `principal` - `prepaid_fees` is what the borrower gets. Until the loan is paid out all that
    follows from the schedule is an estimate.
    """

    principal: Money
    annual_rate: Decimal
    term_months: int
    instalment: Money
    prepaid_fees: Money
    amount_financed: Money
    total_interest: Money
    total_of_payments: Money
    apr: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry:
    """One instalment; `number` from 1, `balance` is the principal left after it."""

    number: int
    due_on: date
    instalment: Money
    interest: Money
    principal: Money
    balance: Money

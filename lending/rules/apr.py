"""The annual percentage rate by the actuarial method of Regulation Z, Appendix J to 12 CFR Part 1026.

One advance, any series of payments. Payments are placed in time by whole unit-periods and a fraction of one, counted
from the advance. Amounts come in as money, rates leave in per cent a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from lending.errors import InvalidSchedule

_CENT = Decimal("0.01")
_PRECISION = 50
#: Newton's step below which the rate of a unit-period stands still, far finer than any rate that is shown.
_STILL = Decimal("1e-30")
_MOST_STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment `units` whole unit-periods and `fraction` of one after the advance; `fraction` is from 0 to 1."""

    amount: Decimal
    units: int
    fraction: Decimal = Decimal(0)


def annual_percentage_rate(*, advance: Decimal, payments: Sequence[Payment], units_per_year: Decimal) -> Decimal:
    """Per cent a year, to two places (ties to even): the rate of a unit-period times the unit-periods in a year.

    Solves the general equation of Appendix J (b)(8), advance = sum of amount / ((1 + fraction x i)(1 + i)^units), for
    the rate i of a unit-period. Raises InvalidSchedule unless the advance is more than zero and the payments repay it.
    """
    if advance <= 0:
        raise InvalidSchedule(f"the amount financed must be more than zero, not {advance}")
    if sum((payment.amount for payment in payments), Decimal(0)) < advance:
        raise InvalidSchedule("the payments do not repay the amount financed")
    with localcontext() as context:
        context.prec = _PRECISION
        return (100 * units_per_year * _unit_rate(advance, payments)).quantize(_CENT, ROUND_HALF_EVEN)


def _unit_rate(advance: Decimal, payments: Sequence[Payment]) -> Decimal:
    """Newton's method from zero.

    The present value falls and is convex in the rate and is not below the advance at zero, so each step stays left of
    the solution and comes nearer to it: there is nothing to bracket.
    """
    rate = Decimal(0)
    for _ in range(_MOST_STEPS):
        excess, slope = -advance, Decimal(0)
        for payment in payments:
            simple, compound = 1 + payment.fraction * rate, 1 + rate
            present = payment.amount / (simple * compound**payment.units)
            excess += present
            slope -= present * (payment.fraction / simple + payment.units / compound)
        if not excess:
            return rate
        if not slope:
            break  # everything is paid at the instant of the advance, and more than it: no rate does that
        step = excess / slope
        rate -= step
        if abs(step) < _STILL:
            return rate
    raise InvalidSchedule("no rate makes the payments worth the amount financed")

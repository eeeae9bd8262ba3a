"""Arithmetic of bonds."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

_CENT = Decimal("0.01")


def par_bond_duration(yield_percent: Decimal, *, years: int = 10) -> Decimal:
    """Modified duration in years, to two places, of a bond at par with two coupons a year.

    At par the coupon equals the yield y, and the sum of discounted payments closes to (1 - (1 + y/2)^(-2n)) / y
    (Fabozzi, "Bond Markets, Analysis and Strategies", modified duration with C = y, P = 100); at a yield of zero it
    is n. `yield_percent` is in per cent a year, convertible twice a year.
    """
    if yield_percent == 0:
        return Decimal(years).quantize(_CENT)
    with localcontext() as context:
        context.prec = 40
        rate = yield_percent / 100
        return ((1 - (1 + rate / 2) ** (-2 * years)) / rate).quantize(_CENT, ROUND_HALF_EVEN)

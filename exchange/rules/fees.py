"""Fees and holds in minor units of the quote currency. A fee is rounded down for each fill, a hold is rounded up.

So holds always suffice: for a rate r no larger than h, floor(r·a) + ceil(h·b) is at most ceil(h·(a + b)).
"""

from __future__ import annotations

#: What a rate is a part of.
MILLION = 1_000_000


def fee(notional: int, ppm: int) -> int:
    """The fee of a fill worth `notional`, rounded down."""
    return notional * ppm // MILLION


def with_highest_fee(notional: int, ppm: int) -> int:
    """What a buyer may have to pay for `notional` at the highest rate: the amount to hold, rounded up."""
    return notional - (-notional * ppm // MILLION)


def most_lots(*, left: int, lot_cost: int, ppm: int) -> int:
    """The most lots that `left` pays, each costing `lot_cost`, with the fee of the whole fill rounded down.

    n + floor(n·p / M) <= left holds exactly while n·(M + p) < (left + 1)·M.
    """
    most_notional = ((left + 1) * MILLION - 1) // (MILLION + ppm)
    return most_notional // lot_cost

"""How good predicted probabilities are: rank order, calibration, and both by tenths."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

import numpy

from lending.rules import fitting_logistic
from lending.rules.scorecard_table import Decile, Quality

_PLACES = Decimal("0.0001")
_TENTHS = 10
#: Keeps the log-odds of a probability of 0 or 1 finite.
_EDGE = 1e-6


def quality(pds: Sequence[Decimal], bads: Sequence[bool], *, folds: int) -> Quality:
    """AUC, calibration and deciles of probabilities of default that were predicted for rows not used to fit them."""
    slope, intercept = calibration(pds, bads)
    return Quality(
        folds=folds,
        auc=auc(pds, bads),
        calibration_slope=slope,
        calibration_intercept=intercept,
        deciles=deciles(pds, bads),
    )


def auc(pds: Sequence[Decimal], bads: Sequence[bool]) -> Decimal:
    """The chance that a random bad has a higher PD than a random good, ties counting half; four places.

    Raises ValueError unless there are goods and bads.
    """
    bad = sum(bads)
    good = len(bads) - bad
    if not bad or not good:
        raise ValueError("the area under the curve needs goods and bads")
    above = Decimal(0)
    goods_below = 0
    at_level: dict[Decimal, list[int]] = {}
    for pd, is_bad in zip(pds, bads, strict=True):
        at_level.setdefault(pd, [0, 0])[is_bad] += 1
    for level in sorted(at_level):
        goods_here, bads_here = at_level[level]
        above += bads_here * (goods_below + Decimal(goods_here) / 2)
        goods_below += goods_here
    return (above / (bad * good)).quantize(_PLACES, ROUND_HALF_EVEN)


def calibration(pds: Sequence[Decimal], bads: Sequence[bool]) -> tuple[Decimal, Decimal]:
    """Slope and intercept of the outcomes on the log-odds of the PD: 1 and 0 are perfect.

    A slope below 1 says that predictions are too extreme. Both are 0 for predictions that do not differ.
    """
    if len(set(pds)) < 2:
        return Decimal(0), Decimal(0)
    chances = numpy.clip(numpy.array([float(pd) for pd in pds]), _EDGE, 1 - _EDGE)
    odds = numpy.log(chances / (1 - chances))
    found = fitting_logistic.fit(odds[:, None], numpy.array(bads, dtype=float), ridge=fitting_logistic.BARELY)
    return _rounded(float(found.coefficients[0])), _rounded(found.intercept)


def deciles(pds: Sequence[Decimal], bads: Sequence[bool]) -> tuple[Decile, ...]:
    """Tenths of the rows from the lowest PD to the highest: what was predicted, and what came."""
    ordered = sorted(zip(pds, bads, strict=True), key=lambda pair: pair[0])
    edges = [len(ordered) * part // _TENTHS for part in range(_TENTHS + 1)]
    tenths = [ordered[low:high] for low, high in pairwise(edges)]
    return tuple(
        Decile(
            rows=len(tenth),
            mean_pd=(sum((pd for pd, _ in tenth), Decimal(0)) / len(tenth)).quantize(_PLACES, ROUND_HALF_EVEN),
            bad_rate=(Decimal(sum(bad for _, bad in tenth)) / len(tenth)).quantize(_PLACES, ROUND_HALF_EVEN),
        )
        for tenth in tenths
        if tenth
    )


def _rounded(value: float) -> Decimal:
    return Decimal(value).quantize(_PLACES, ROUND_HALF_EVEN)

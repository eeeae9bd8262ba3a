"""Fitting the points table: bins, weights of evidence, a logistic regression on them, calibration, points.

Everything that looks at an outcome happens inside `fit_table`, on the rows it is given. The out-of-fold predictions
call it on the other folds' rows and nothing else, so no row has a part in its own prediction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import numpy

from lending.errors import InvalidCreditFile
from lending.rules import fitting_logistic
from lending.rules.fitting_bins import Bin, bins_of, place, runs_against
from lending.rules.fitting_logistic import Vector
from lending.rules.fitting_quality import quality
from lending.rules.german_credit import CreditRow
from lending.rules.scorecard_attributes import CANDIDATES, EXCLUDED, NAMES
from lending.rules.scorecard_table import POINTS_TO_DOUBLE, AttributePoints, BinPoints, LeftOut, PointsTable, Scorecard

FOLDS = 10
#: Below this area under the curve, out of fold, a table does not rank well enough to decide by.
LEAST_AUC = Decimal("0.75")
#: Folds inside a fit, which find how far its coefficients are too bold for rows it has not seen.
CALIBRATION_FOLDS = 5
#: Fewest goods and fewest bads that can be fitted, so that every fold of every fold has both.
FEWEST = 50
RIDGE = 1.0
#: A card that improves twice the log-likelihood of rows outside it by less ranks nothing: all get the base rate. The
#: figure is chi-square of one degree; by chance alone it is reached once in twenty times, and half of these fall.
LEAST_SIGNAL = 4.0
_POINTS = Decimal("0.01")
_MEAN = Decimal("0.0001")
_ODDS = Decimal("0.000001")
_WEAK = "one bin: its values do not differ enough in their bad rates"
_AGAINST = "its points would run against its bad rate"
_NO_SIGNAL = "no attribute predicts rows outside the fit"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was predicted for a row by a table fitted without its fold."""

    row: int
    fold: int
    pd: Decimal


@dataclass(frozen=True, slots=True)
class _Card:
    """A regression on weights of evidence: log-odds of good = intercept + sum of coefficient x weight."""

    bins: dict[int, tuple[Bin, ...]]
    intercept: float
    coefficients: dict[int, float]
    left_out: dict[int, str]

    def log_odds(self, rows: Sequence[CreditRow]) -> Vector:
        total = numpy.full(len(rows), self.intercept)
        for number, coefficient in self.coefficients.items():
            total += coefficient * _weights(number, self.bins[number], rows)
        return total


def fit_scorecard(rows: Sequence[CreditRow], *, source: str) -> tuple[Scorecard, tuple[Prediction, ...]]:
    """The table of all rows with its out-of-fold quality, and the out-of-fold predictions in the order of the rows.

    Raises InvalidCreditFile for fewer than FEWEST goods or bads.
    """
    bad = sum(row.bad for row in rows)
    if min(bad, len(rows) - bad) < FEWEST:
        raise InvalidCreditFile(f"{len(rows) - bad} good and {bad} bad rows: a fit needs {FEWEST} of each")
    predictions = out_of_fold(rows)
    found = quality([item.pd for item in predictions], [row.bad for row in rows], folds=FOLDS)
    table = fit_table(rows)
    return Scorecard(version=table.version, source=source, table=table, quality=found), predictions


def out_of_fold(rows: Sequence[CreditRow]) -> tuple[Prediction, ...]:
    """The PD of each row by points that were fitted, binned and calibrated on the other folds alone."""
    folds = folds_of(rows, FOLDS)
    pds: dict[int, Decimal] = {}
    for fold in range(FOLDS):
        found = fit_table([row for row, at in zip(rows, folds, strict=True) if at != fold])
        for position, row in enumerate(rows):
            if folds[position] == fold:
                pds[position] = found.probability_of_default(
                    sum(found.points_of(row.scoring_values()).values(), Decimal(0))
                )
    return tuple(Prediction(row=position, fold=folds[position], pd=pds[position]) for position in range(len(rows)))


def folds_of(rows: Sequence[CreditRow], count: int) -> list[int]:
    """A fold for each row: goods in turn and bads in turn, so each fold has its share of both and no chance is used."""
    seen = {False: 0, True: 0}
    folds = []
    for row in rows:
        folds.append(seen[row.bad] % count)
        seen[row.bad] += 1
    return folds


def fit_table(rows: Sequence[CreditRow]) -> PointsTable:
    """Centred, calibrated points fitted on these rows and on nothing else."""
    card = _fit_card(rows)
    intercept, slope = _calibration(rows)
    reasons = {**EXCLUDED, **card.left_out}
    if not slope:
        reasons.update(dict.fromkeys(card.coefficients, _NO_SIGNAL))
    offset = intercept + slope * card.intercept
    attributes = []
    for number, coefficient in card.coefficients.items() if slope else ():
        attribute, mean = _attribute(number, card.bins[number], slope * coefficient, rows=len(rows))
        attributes.append(attribute)
        offset += mean
    left_out = tuple(LeftOut(number=number, name=NAMES[number], reason=reasons[number]) for number in sorted(reasons))
    return PointsTable(base_odds=_decimal(math.exp(offset), _ODDS), attributes=tuple(attributes), left_out=left_out)


def _fit_card(rows: Sequence[CreditRow]) -> _Card:
    """Regress the outcome on the weights of evidence; leave out, the worst first, what has the wrong sign."""
    bins = {number: bins_of(number, rows) for number in CANDIDATES}
    left_out = {number: _WEAK for number in CANDIDATES if len(bins[number]) < 2}
    goods = numpy.array([not row.bad for row in rows], dtype=float)
    weights = {number: _weights(number, bins[number], rows) for number in CANDIDATES}
    while True:
        chosen = [number for number in CANDIDATES if number not in left_out]
        columns = numpy.column_stack([weights[number] for number in chosen]) if chosen else numpy.empty((len(rows), 0))
        found = fitting_logistic.fit(columns, goods, ridge=RIDGE)
        coefficients = dict(zip(chosen, map(float, found.coefficients), strict=True))
        against = [
            number
            for number in chosen
            if coefficients[number] == 0
            or runs_against(bins[number], [coefficients[number] * item.weight for item in bins[number]])
        ]
        if not against:
            return _Card(bins, found.intercept, coefficients, left_out)
        left_out[min(against, key=lambda number: coefficients[number])] = _AGAINST


def _calibration(rows: Sequence[CreditRow]) -> tuple[float, float]:
    """Intercept and slope that bring cards fitted on four fifths of the rows to the outcomes of the last fifth."""
    folds = numpy.array(folds_of(rows, CALIBRATION_FOLDS))
    goods = numpy.array([not row.bad for row in rows], dtype=float)
    log_odds = numpy.zeros(len(rows))
    for fold in range(CALIBRATION_FOLDS):
        card = _fit_card([row for row, at in zip(rows, folds, strict=True) if at != fold])
        inside = folds == fold
        log_odds[inside] = card.log_odds([row for row, at in zip(rows, folds, strict=True) if at == fold])
    base = math.log(goods.sum() / (len(rows) - goods.sum()))
    if numpy.ptp(log_odds) == 0:
        return base, 0.0
    found = fitting_logistic.fit(log_odds[:, None], goods, ridge=fitting_logistic.BARELY)
    slope = float(found.coefficients[0])
    return (found.intercept, slope) if slope > 0 and 2 * found.gain >= LEAST_SIGNAL else (base, 0.0)


def _weights(number: int, bins: Sequence[Bin], rows: Sequence[CreditRow]) -> Vector:
    """The weight of each row's value; 0, the population's average, for a code that no bin knows."""
    places = (place(number, row.value(number), bins) for row in rows)
    return numpy.array([0.0 if at is None else bins[at].weight for at in places])


def _attribute(number: int, bins: Sequence[Bin], coefficient: float, *, rows: int) -> tuple[AttributePoints, float]:
    """An attribute's centred points, and the log-odds that centring takes out of them."""
    mean = coefficient * sum(item.rows * item.weight for item in bins) / rows
    factor = float(POINTS_TO_DOUBLE) / math.log(2)
    centred = [_decimal((coefficient * item.weight - mean) * factor, _POINTS) for item in bins]
    total = sum((points * item.rows for points, item in zip(centred, bins, strict=True)), Decimal(0))
    shown = tuple(
        BinPoints(values=item.values, up_to=item.up_to, rows=item.rows, bad=item.bad, points=points)
        for item, points in zip(bins, centred, strict=True)
    )
    mean_points = (total / rows).quantize(_MEAN, ROUND_HALF_EVEN)
    return AttributePoints(number=number, name=NAMES[number], mean_points=mean_points, bins=shown), mean


def _decimal(value: float, places: Decimal) -> Decimal:
    return Decimal(value).quantize(places, ROUND_HALF_EVEN)

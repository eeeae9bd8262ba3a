"""The points table: which value of which attribute is worth how many points, and how good that was out of fold.

Points are good: more points, lower risk. An attribute's points are centred, so 0 is the population's average.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

SHIPPED = Path(__file__).parents[1] / "data" / "scorecard.json"
#: So many points double the odds of good to bad.
POINTS_TO_DOUBLE = Decimal(20)
#: Decimal places of a probability of default.
PD_PLACES = Decimal("0.000001")
_PRECISION = 40

#: A code such as A43, or a number.
Value = str | Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BinPoints:
    """Values that share points: `values` are codes, `up_to` the highest number of the bin (None: no limit).

    `rows` and `bad` count the applications it was fitted on.
    """

    values: tuple[str, ...] = ()
    up_to: int | None = None
    rows: int
    bad: int
    points: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributePoints:
    """An attribute's bins; `mean_points` is the average over the applications it was fitted on, 0 but for rounding."""

    number: int
    name: str
    mean_points: Decimal
    bins: tuple[BinPoints, ...]

    def points_for(self, value: Value) -> Decimal | None:
        """The points of a code, or of a number of zero or more; None for a code that no bin knows."""
        for item in self.bins:
            if isinstance(value, Decimal):
                if item.up_to is None or value <= item.up_to:
                    return item.points
            elif value in item.values:
                return item.points
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An attribute that has no points, and why."""

    number: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decile:
    """A tenth of the applications, by predicted PD: the mean of what was predicted and the rate of what came."""

    rows: int
    mean_pd: Decimal
    bad_rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How the predictions for applications outside the fit came out; deciles from the lowest PD to the highest."""

    folds: int
    auc: Decimal
    calibration_slope: Decimal
    calibration_intercept: Decimal
    deciles: tuple[Decile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTable:
    """Fitted points. `base_odds` are the odds of good to bad at 0 points; `left_out` are attributes without points."""

    base_odds: Decimal
    attributes: tuple[AttributePoints, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def version(self) -> str:
        """A name that is the table's own: other points or other bins give another."""
        points = _TABLE.dump_json(self, include={"base_odds", "attributes"})
        return f"points-{hashlib.sha256(points).hexdigest()[:12]}"

    def probability_of_default(self, points: Decimal) -> Decimal:
        """1 / (1 + odds of good to bad) at these points, to six places, ties to even."""
        with localcontext() as context:
            context.prec = _PRECISION
            odds = self.base_odds * (points * Decimal(2).ln() / POINTS_TO_DOUBLE).exp()
            return (1 / (1 + odds)).quantize(PD_PLACES, ROUND_HALF_EVEN)

    def points_of(self, values: Mapping[int, Value]) -> dict[int, Decimal]:
        """The points of each attribute of the table whose value is given and known, by its number."""
        found = {}
        for attribute in self.attributes:
            value = values.get(attribute.number)
            points = None if value is None else attribute.points_for(value)
            if points is not None:
                found[attribute.number] = points
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """A points table under its `version`; `source` says what it was fitted on, `quality` how it did out of fold."""

    version: str
    source: str
    table: PointsTable
    quality: Quality


_TABLE = TypeAdapter(PointsTable)
_FORM = TypeAdapter(Scorecard)


def read_scorecard(text: str) -> Scorecard:
    """The scorecard of a JSON text that `write_scorecard` made. Raises pydantic's ValidationError for anything else."""
    return _FORM.validate_json(text)


def write_scorecard(scorecard: Scorecard) -> str:
    """The scorecard as JSON for a file that people read and compare."""
    return _FORM.dump_json(scorecard, indent=2).decode() + "\n"


@cache
def shipped() -> Scorecard:
    """The scorecard in `lending/data`, which decisions are made by."""
    return read_scorecard(SHIPPED.read_text(encoding="utf-8"))

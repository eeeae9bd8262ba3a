"""The scorecard: from facts and a credit file to points, probability of default, score and reasons.

Attributes 9, 13, 19 and 20 of the credit data have no place in it: neither the facts nor the bureau carry them, and the
fit leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from lending.contracts import MAXIMUM_REASONS, BureauReport, Facts, Score, ScoreReason
from lending.rules.currencies import in_eur
from lending.rules.scorecard_attributes import NAMES, REASONS
from lending.rules.scorecard_table import PointsTable, Scorecard, Value, shipped

#: Goes up when the score's formula, the currency table or the price list changes; the points have their own version.
POLICY = "policy-1"
_CENT = Decimal("0.01")


def assess(facts: Facts, bureau: BureauReport | None) -> Score:
    """The score of an application by the scorecard that is shipped; None for a credit file that could not be had.

    An attribute that is not known counts 0 points, the population's average, and is named in `missing`. Raises
    CurrencyNotLent for an amount that cannot be told in EUR.
    """
    return score_by(shipped(), values=values_of(facts, bureau))


def score_by(scorecard: Scorecard, *, values: Mapping[int, Value]) -> Score:
    """The score of these values, by their number in the credit data."""
    table = scorecard.table
    points = table.points_of(values)
    total = sum(points.values(), Decimal(0))
    pd = table.probability_of_default(total)
    return Score(
        points=total,
        pd=pd,
        score=risk_score(pd),
        reasons=_reasons(table, points),
        missing=tuple(attribute.name for attribute in table.attributes if attribute.number not in points),
        policy_version=f"{POLICY}/{scorecard.version}",
    )


def risk_score(pd: Decimal) -> Decimal:
    """0 to 100 to two places, rounded up: 420 x PD while 6 x PD <= 1, else 64 + 36 x PD.

    Above 70 exactly if the PD is above 1/6, where declining a good is as dear as approving a bad under the data's cost
    matrix of 5 to 1. Rounding up keeps that exact, since 70 itself is on the grid.
    """
    exact = 420 * pd if 6 * pd <= 1 else 64 + 36 * pd
    return exact.quantize(_CENT, ROUND_CEILING)


def values_of(facts: Facts, bureau: BureauReport | None) -> dict[int, Value]:
    """What is known of an application, by number in the credit data: codes, and numbers with the amount in EUR."""
    known: dict[str, object] = {
        **facts.attributes.model_dump(),
        "term_months": facts.term_months,
        "amount": in_eur(facts.amount),
    }
    if bureau is not None and bureau.file_found:
        known |= {
            "checking_account": bureau.checking_account,
            "credit_history": bureau.credit_history,
            "savings": bureau.savings,
            "other_instalment_plans": bureau.other_instalment_plans,
            "existing_credits": bureau.existing_credits,
        }
    numbers = {name: number for number, name in NAMES.items()}
    return {numbers[name]: _value(found) for name, found in known.items() if found is not None}


def _value(found: object) -> Value:
    return found if isinstance(found, str | Decimal) else Decimal(str(found))


def _reasons(table: PointsTable, points: Mapping[int, Decimal]) -> tuple[ScoreReason, ...]:
    """The attributes that cost the applicant most against the average, the dearest first, ties by number."""
    below = [
        (attribute.mean_points - points[attribute.number], attribute)
        for attribute in table.attributes
        if attribute.number in points
    ]
    dearest = sorted(below, key=lambda pair: (-pair[0], pair[1].number))
    return tuple(
        ScoreReason(attribute=attribute.name, points=lacking.quantize(_CENT), text=REASONS[attribute.number])
        for lacking, attribute in dearest[:MAXIMUM_REASONS]
        if lacking.quantize(_CENT) > 0
    )

"""Which measures are taken against a high risk score, with their exact amounts. Pure: it only reckons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal, localcontext

from finaegis.shared.money import Money, scale_of
from treasury.contracts import (
    OPERATING,
    RISK_LIMIT,
    AssetClass,
    MitigationPlan,
    RiskInputs,
    RiskReason,
    Shift,
    allocated_kind,
)
from treasury.rules.allocation import STRATEGIES, divide
from treasury.rules.risk import (
    EQUITY_VOLATILITY,
    LIQUID_TARGET,
    REASON_FROM,
    VOLATILITY_CAP,
    liquid_amount,
    score_risk,
    whole,
    yearly_deviation,
)

#: A score above it freezes new allocations whatever its reasons.
FREEZE_ABOVE = Decimal(80)
#: The strategy whose shares a rebalance brings the allocated money to.
REBALANCED = "balanced"
_PRECISION = 40
#: Which ledger kind each balance of the inputs is.
_FIELDS = {OPERATING: "operating", **{allocated_kind(item): item.value for item in AssetClass}}


def plan_measures(inputs: RiskInputs) -> MitigationPlan:
    """The measures that fit an account's score and the reasons for it, each reckoned on what the one before leaves.

    - concentration: rebalance the allocated money to the shares of the balanced strategy.
    - liquidity: sell equities, then bonds, until the liquid share of the whole is at its target.
    - volatility: hedge equities until half of the volatility that gives all points is left.
    - size, a score above FREEZE_ABOVE, or one that the others leave above the limit: freeze new allocations.

    A measure that would not lower the score is left out. Shifts of a measure sum to zero, no balance gets negative.
    """
    scored = score_risk(inputs)
    state, expected = inputs, scored.score

    def taken(shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
        nonlocal state, expected
        after = apply_shifts(state, shifts)
        lower = score_risk(after).score
        if not shifts or lower >= expected:
            return ()
        state, expected = after, lower
        return shifts

    rebalance = taken(_rebalance(state)) if RiskReason.CONCENTRATION in scored.reasons else ()
    raise_liquidity = taken(_raise_liquidity(state)) if RiskReason.LIQUIDITY in scored.reasons else ()
    hedge = _hedge(state) if RiskReason.VOLATILITY in scored.reasons else None
    if hedge is not None:
        expected = score_risk(replace(state, hedged=state.hedged + hedge)).score
    return MitigationPlan(
        score=scored.score,
        reasons=scored.reasons,
        freeze=RiskReason.SIZE in scored.reasons or scored.score > FREEZE_ABOVE or expected > RISK_LIMIT,
        rebalance=rebalance,
        raise_liquidity=raise_liquidity,
        hedge=hedge,
        expected_score=expected,
    )


def apply_shifts(inputs: RiskInputs, shifts: Iterable[Shift]) -> RiskInputs:
    """The inputs after the shifts."""
    balances = {_FIELDS[shift.kind]: getattr(inputs, _FIELDS[shift.kind]) + shift.amount for shift in shifts}
    return replace(inputs, **balances)


def _rebalance(inputs: RiskInputs) -> tuple[Shift, ...]:
    allocated = inputs.cash + inputs.bonds + inputs.equities
    if not allocated:
        return ()
    wanted = divide(allocated, STRATEGIES[REBALANCED])
    changes = ((allocated_kind(part.type), part.amount - getattr(inputs, part.type.value)) for part in wanted)
    return tuple(Shift(kind=kind, amount=change) for kind, change in changes if change)


def _raise_liquidity(inputs: RiskInputs) -> tuple[Shift, ...]:
    """Equities first, which are never liquid; of bonds only their illiquid share adds anything."""
    currency = inputs.operating.currency
    with localcontext() as context:
        context.prec = _PRECISION
        missing = whole(inputs).amount * LIQUID_TARGET - liquid_amount(inputs)
        equities = min(inputs.equities, _up(missing, currency))
        gain = 1 - inputs.bond_liquid_share
        left = missing - equities.amount
        bonds = min(inputs.bonds, _up(left / gain, currency)) if gain else Money.zero(currency)
    sold = [(AssetClass.EQUITIES, equities), (AssetClass.BONDS, bonds)]
    out = [Shift(kind=allocated_kind(kind), amount=-amount) for kind, amount in sold if amount]
    return (Shift(kind=OPERATING, amount=equities + bonds), *out) if out else ()


def _hedge(inputs: RiskInputs) -> Money | None:
    currency = inputs.operating.currency
    unhedged = inputs.equities - min(inputs.equities, inputs.hedged)
    with localcontext() as context:
        context.prec = _PRECISION
        excess = yearly_deviation(inputs) - whole(inputs).amount * VOLATILITY_CAP * REASON_FROM
        notional = min(unhedged, _up(excess / EQUITY_VOLATILITY, currency))
    return notional or None


def _up(amount: Decimal, currency: str) -> Money:
    """The amount in whole minor units, rounded up; nothing for a negative one."""
    return Money.from_minor(max(0, int(amount.scaleb(scale_of(currency)).to_integral_value(ROUND_CEILING))), currency)

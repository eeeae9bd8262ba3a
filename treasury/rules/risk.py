"""The risk score of a treasury account: a pure function of its balances, hedges and instruments, in Decimal only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, localcontext
from types import MappingProxyType

from finaegis.shared.money import Money
from treasury.contracts import AssetClass, Instrument, RiskComponent, RiskInputs, RiskReason, RiskScore

#: Points that each component gives at most; they sum to 100.
WEIGHTS: Mapping[RiskReason, Decimal] = MappingProxyType(
    {
        RiskReason.CONCENTRATION: Decimal(25),
        RiskReason.LIQUIDITY: Decimal(30),
        RiskReason.VOLATILITY: Decimal(30),
        RiskReason.SIZE: Decimal(15),
    }
)
#: A component is a reason from this part of its weight on.
REASON_FROM = Decimal("0.5")
#: Liquid share of the whole from which liquidity gives no points: twice the floor of cash management.
LIQUID_TARGET = Decimal("0.40")
#: Standard deviation of a year's change of the 10-year yield, as a fraction: monthly changes of
#: `treasury/data/us_10y_yield_monthly.csv`, 1953-04 to 2026-06, times the root of 12 (a test derives it again).
YIELD_VOLATILITY = Decimal("0.0091")
#: Assumption: standard deviation of a year's return of broad equities. 16 % a year is what an implied volatility index
#: of 16 says, near its average of many years.
EQUITY_VOLATILITY = Decimal("0.16")
#: Volatility of the whole at which volatility gives all its points.
VOLATILITY_CAP = Decimal("0.12")
#: Size in USD at which size begins to give points, and how many powers of ten further it gives all.
SIZE_FROM = Decimal(100_000)
SIZE_DECADES = Decimal(3)

#: One unit of the currency in USD: a policy, not a market, so that the same balances give the same score on every day.
#: Rounded from the reference rates of the European Central Bank of 2025.
USD_PER_UNIT: Mapping[str, Decimal] = MappingProxyType(
    {
        "USD": Decimal(1),
        "EUR": Decimal("1.11"),
        "GBP": Decimal("1.30"),
        "CHF": Decimal("1.18"),
        "CAD": Decimal("0.71"),
        "AUD": Decimal("0.64"),
        "JPY": Decimal("0.0067"),
        "SEK": Decimal("0.10"),
        "NOK": Decimal("0.094"),
        "DKK": Decimal("0.149"),
        "PLN": Decimal("0.261"),
        "CZK": Decimal("0.045"),
        "KWD": Decimal("3.22"),
    }
)

_PLACES = Decimal("0.000001")
_CENT = Decimal("0.01")
_ZERO = Decimal(0)
_ONE = Decimal(1)
_PRECISION = 40


def class_figures(instruments: Sequence[Instrument], asset_class: AssetClass) -> tuple[Decimal, Decimal]:
    """Average duration in years and liquid share of a class, to six places: plain averages over its instruments.

    The ledger keeps money by class, not by instrument, and proposals are not holdings, so no instrument weighs more
    than another. Without any the class is uninvested: duration 0, liquid.
    """
    found = [item for item in instruments if item.asset_class is asset_class]
    if not found:
        return _ZERO, _ONE
    with localcontext() as context:
        context.prec = _PRECISION
        duration = sum((item.duration for item in found), _ZERO) / len(found)
        liquid = Decimal(sum(item.liquid for item in found)) / len(found)
        return duration.quantize(_PLACES, ROUND_HALF_EVEN), liquid.quantize(_PLACES, ROUND_HALF_EVEN)


def score_risk(inputs: RiskInputs) -> RiskScore:
    """The score of an account, from 0 to 100: the sum of four components, each between 0 and its weight.

    - concentration: the Herfindahl-Hirschman index of the three asset classes, the sum of squared shares of the whole
      (Hirschman, "National Power and the Structure of Foreign Trade", 1945; Herfindahl, 1950), the operating account
      counting as cash: money at one bank is concentrated too. Points = weight x HHI.
    - liquidity: what is missing to LIQUID_TARGET. Liquid are the operating account and the liquid shares of cash and
      bonds, never equities. Points = weight x max(0, 1 - liquid share / target), as in a coverage ratio of liquid
      assets to a requirement (Basel Committee, "Liquidity Coverage Ratio", bcbs238, 2013).
    - volatility: the standard deviation of a year's return of the whole. Of cash and bonds it is duration times that of
      the yield (first-order price change, Fabozzi, "Bond Markets, Analysis and Strategies"); hedged equities have none.
      Classes are added as if perfectly correlated, the upper bound of Markowitz (1952).
      Points = weight x min(1, volatility / VOLATILITY_CAP).
    - size: the power of ten of the whole in USD above SIZE_FROM; a currency that the table lacks counts in full.

    Weights and thresholds are the policy of this platform. The score is rounded up to two decimals, so above the limit
    is above it. An account without money has score 0. All balances are in one currency and not negative.
    """
    total = whole(inputs)
    if not total:
        measures = dict.fromkeys(RiskReason, _ZERO)
        return _scored(measures, measures)
    with localcontext() as context:
        context.prec = _PRECISION
        return _scored(*_measure(inputs, total.amount))


def whole(inputs: RiskInputs) -> Money:
    """All the money of the account."""
    return inputs.operating + inputs.cash + inputs.bonds + inputs.equities


def liquid_amount(inputs: RiskInputs) -> Decimal:
    """What can be had at once, in units of the currency, exact."""
    return (
        inputs.operating.amount
        + inputs.cash.amount * inputs.cash_liquid_share
        + inputs.bonds.amount * inputs.bond_liquid_share
    )


def yearly_deviation(inputs: RiskInputs) -> Decimal:
    """Standard deviation of a year's gain or loss, in units of the currency."""
    rates = (inputs.cash.amount * inputs.cash_duration + inputs.bonds.amount * inputs.bond_duration) * YIELD_VOLATILITY
    unhedged = max(_ZERO, inputs.equities.amount - inputs.hedged.amount)
    return rates + unhedged * EQUITY_VOLATILITY


def _measure(inputs: RiskInputs, total: Decimal) -> tuple[dict[RiskReason, Decimal], dict[RiskReason, Decimal]]:
    """What was measured, and which part of its weight each component gives."""
    classes = (inputs.operating.amount + inputs.cash.amount, inputs.bonds.amount, inputs.equities.amount)
    hhi = sum(((amount / total) ** 2 for amount in classes), _ZERO)
    liquid = liquid_amount(inputs) / total
    volatility = yearly_deviation(inputs) / total
    size = _size(total, inputs.operating.currency)
    measures = {
        RiskReason.CONCENTRATION: hhi,
        RiskReason.LIQUIDITY: liquid,
        RiskReason.VOLATILITY: volatility,
        RiskReason.SIZE: size,
    }
    parts = {
        RiskReason.CONCENTRATION: _between(hhi),
        RiskReason.LIQUIDITY: _between(1 - liquid / LIQUID_TARGET),
        RiskReason.VOLATILITY: _between(volatility / VOLATILITY_CAP),
        RiskReason.SIZE: size,
    }
    return measures, parts


def _size(total: Decimal, currency: str) -> Decimal:
    rate = USD_PER_UNIT.get(currency)
    return _ONE if rate is None else _between((total * rate / SIZE_FROM).log10() / SIZE_DECADES)


def _scored(measures: Mapping[RiskReason, Decimal], parts: Mapping[RiskReason, Decimal]) -> RiskScore:
    components = tuple(
        RiskComponent(
            reason=reason,
            measure=measures[reason].quantize(_PLACES, ROUND_HALF_EVEN),
            points=(weight * parts[reason]).quantize(_PLACES, ROUND_HALF_EVEN),
            weight=weight,
        )
        for reason, weight in WEIGHTS.items()
    )
    heavy = [item for item in components if item.points >= item.weight * REASON_FROM]
    heavy.sort(key=lambda item: item.points, reverse=True)
    return RiskScore(
        score=sum((item.points for item in components), _ZERO).quantize(_CENT, ROUND_CEILING),
        components=components,
        reasons=tuple(item.reason for item in heavy),
    )


def _between(part: Decimal) -> Decimal:
    return min(_ONE, max(_ZERO, part))

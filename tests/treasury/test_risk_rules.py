"""The risk score: what each component measures, and in which direction it moves."""

import csv
import itertools
import statistics
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from finaegis.shared.money import Money
from treasury.contracts import RiskInputs, RiskReason
from treasury.rules.risk import (
    LIQUID_TARGET,
    USD_PER_UNIT,
    WEIGHTS,
    YIELD_VOLATILITY,
    score_risk,
    whole,
)

MINOR = st.integers(0, 10**14)
PART = st.integers(0, 10**6).map(lambda millionths: Decimal(millionths).scaleb(-6))
YEARS = st.integers(0, 30 * 10**6).map(lambda millionths: Decimal(millionths).scaleb(-6))
CLASSES = ("operating", "cash", "bonds", "equities")


def usd(amount):
    return Money(Decimal(amount), "USD")


def holding(operating=0, cash=0, bonds=0, equities=0, hedged=0, currency="USD", **figures):
    amounts = {"operating": operating, "cash": cash, "bonds": bonds, "equities": equities, "hedged": hedged}
    return RiskInputs(
        **{name: Money(Decimal(amount), currency) for name, amount in amounts.items()},
        **{
            "cash_duration": Decimal("0.15"),
            "bond_duration": Decimal("5"),
            "cash_liquid_share": Decimal("0.75"),
            "bond_liquid_share": Decimal("0.5"),
            **figures,
        },
    )


@st.composite
def holdings(draw):
    minors = {name: Money.from_minor(draw(MINOR), "USD") for name in (*CLASSES, "hedged")}
    return RiskInputs(
        **minors,
        cash_duration=draw(YEARS),
        bond_duration=draw(YEARS),
        cash_liquid_share=draw(PART),
        bond_liquid_share=draw(PART),
    )


def points(inputs, reason):
    (found,) = [item for item in score_risk(inputs).components if item.reason is reason]
    return found.points


# --- Figures that can be checked by hand -----------------------------------------------------------------------------


def test_a_portfolio_scores_what_the_formula_says():
    scored = score_risk(holding(cash=1_000_000, bonds=2_000_000, equities=7_000_000))

    measured = {item.reason.value: (str(item.measure), str(item.points)) for item in scored.components}
    assert measured == {
        "concentration": ("0.540000", "13.500000"),  # .1² + .2² + .7² of 25
        "liquidity": ("0.175000", "16.875000"),  # .1 x .75 + .2 x .5; 1 - .175/.4 of 30
        "volatility": ("0.121236", "30.000000"),  # (.1 x .15 + .2 x 5) x .0091 + .7 x .16, above the cap
        "size": ("0.666667", "10.000000"),  # 100 times 100,000 is two of three decades
    }
    assert scored.score == Decimal("70.38")  # 70.375, rounded up
    assert scored.reasons == (
        RiskReason.VOLATILITY, RiskReason.LIQUIDITY, RiskReason.CONCENTRATION, RiskReason.SIZE,
    )  # fmt: skip


def test_an_account_without_money_has_no_risk():
    scored = score_risk(holding())

    assert (scored.score, scored.reasons) == (Decimal("0.00"), ())


@pytest.mark.parametrize(
    ("inputs", "score"),
    [
        (holding(operating=100_000), "25.00"),  # nothing but one bank
        (holding(operating=100_000_000), "40.00"),
        (holding(equities=100_000_000), "100.00"),
        (holding(equities=100_000_000, hedged=100_000_000), "70.00"),
        (holding(bonds=100_000, bond_liquid_share=Decimal(1), bond_duration=Decimal(0)), "25.00"),
    ],
)
def test_corners(inputs, score):
    assert score_risk(inputs).score == Decimal(score)


def test_the_same_wealth_in_another_currency_has_the_same_size():
    assert points(holding(operating=10_000_000), RiskReason.SIZE) == points(
        holding(operating=10_000_000 / USD_PER_UNIT["EUR"].quantize(Decimal("0.01")) // 1, currency="EUR"),
        RiskReason.SIZE,
    ).quantize(Decimal("0.001"))


def test_a_currency_that_the_table_lacks_counts_as_large():
    assert points(holding(operating=1, currency="BRL"), RiskReason.SIZE) == WEIGHTS[RiskReason.SIZE]


def test_weights_sum_to_one_hundred():
    assert sum(WEIGHTS.values()) == 100


def test_the_volatility_of_yields_is_that_of_the_real_series():
    path = Path(__file__).parents[2] / "treasury/data/us_10y_yield_monthly.csv"
    rates = [float(row["Rate"]) for row in csv.DictReader(path.open())]
    changes = [later - earlier for earlier, later in itertools.pairwise(rates)]

    yearly = statistics.stdev(changes) * 12**0.5 / 100

    assert round(yearly, 4) == float(YIELD_VOLATILITY)


# --- Which way it moves ----------------------------------------------------------------------------------------------


@given(holdings())
def test_a_score_is_a_decimal_from_0_to_100_and_each_component_within_its_weight(inputs):
    scored = score_risk(inputs)

    assert isinstance(scored.score, Decimal) and 0 <= scored.score <= 100
    assert all(0 <= item.points <= item.weight for item in scored.components)
    assert scored.score >= sum(item.points for item in scored.components)
    assert scored.score == scored.score.quantize(Decimal("0.01"))


@given(holdings())
def test_the_same_inputs_have_the_same_score(inputs):
    assert score_risk(inputs) == score_risk(replace(inputs))


@given(holdings(), st.sampled_from(["cash", "bonds", "equities"]), st.sampled_from(["bonds", "equities"]), MINOR)
def test_moving_from_a_smaller_class_to_a_larger_one_never_lowers_concentration(inputs, source, target, minor):
    classes = {"cash": inputs.cash + inputs.operating, "bonds": inputs.bonds, "equities": inputs.equities}
    assume(source != target and classes[source] <= classes[target])
    amount = min(Money.from_minor(minor, "USD"), getattr(inputs, source))

    after = replace(inputs, **{source: getattr(inputs, source) - amount, target: getattr(inputs, target) + amount})

    assert points(after, RiskReason.CONCENTRATION) >= points(inputs, RiskReason.CONCENTRATION)


@given(holdings(), MINOR)
def test_turning_ready_money_into_equities_never_lowers_liquidity_or_volatility_points(inputs, minor):
    amount = min(Money.from_minor(minor, "USD"), inputs.operating)

    after = replace(inputs, operating=inputs.operating - amount, equities=inputs.equities + amount)

    assert points(after, RiskReason.LIQUIDITY) >= points(inputs, RiskReason.LIQUIDITY)
    assert points(after, RiskReason.VOLATILITY) >= points(inputs, RiskReason.VOLATILITY)


@given(holdings(), YEARS)
def test_longer_bonds_never_lower_the_score(inputs, more):
    after = replace(inputs, bond_duration=inputs.bond_duration + more)

    assert score_risk(after).score >= score_risk(inputs).score


@given(holdings(), PART)
def test_more_liquid_bonds_never_raise_the_score(inputs, share):
    assume(share >= inputs.bond_liquid_share)

    assert score_risk(replace(inputs, bond_liquid_share=share)).score <= score_risk(inputs).score


@given(holdings(), MINOR)
def test_a_larger_hedge_never_raises_the_score(inputs, minor):
    after = replace(inputs, hedged=inputs.hedged + Money.from_minor(minor, "USD"))

    assert score_risk(after).score <= score_risk(inputs).score


@given(holdings(), st.integers(2, 1000))
def test_the_same_portfolio_many_times_larger_never_scores_lower(inputs, times):
    larger = replace(inputs, **{name: getattr(inputs, name) * times for name in (*CLASSES, "hedged")})

    before, after = score_risk(inputs), score_risk(larger)

    assert after.score >= before.score
    assert [item.points for item in after.components][:3] == [item.points for item in before.components][:3]


@given(holdings())
def test_enough_ready_money_gives_no_liquidity_points(inputs):
    assume(whole(inputs))
    short = inputs.operating.amount < whole(inputs).amount * LIQUID_TARGET

    assert short or points(inputs, RiskReason.LIQUIDITY) == 0

"""Which measures a score and its reasons call for, and that their amounts are exact and help."""

from decimal import Decimal

import pytest
from hypothesis import given

from finaegis.shared.money import Money
from tests.treasury.test_risk_rules import holding, holdings, usd
from treasury.contracts import RiskReason, Shift
from treasury.rules.mitigation import FREEZE_ABOVE, apply_shifts, plan_measures
from treasury.rules.risk import score_risk, whole

AGGRESSIVE = {"cash": 1_000_000, "bonds": 2_000_000, "equities": 7_000_000}


def shifts(**amounts):
    kinds = {"operating": "operating", **{name: f"allocated_{name}" for name in ("cash", "bonds", "equities")}}
    return tuple(Shift(kind=kinds[name], amount=usd(amount)) for name, amount in amounts.items())


def test_an_aggressive_account_is_rebalanced_made_liquid_and_hedged():
    plan = plan_measures(holding(**AGGRESSIVE))

    assert plan.rebalance == shifts(cash=1_000_000, bonds=2_000_000, equities=-3_000_000)
    assert plan.raise_liquidity == shifts(operating=500_000, equities=-500_000)
    assert plan.hedge == usd("904562.50")
    assert plan.freeze is True  # its size is a reason
    assert plan.expected_score == Decimal("33.63")


@pytest.mark.parametrize(
    ("inputs", "taken"),
    [
        (holding(operating=50_000), set()),  # one bank, but no allocation that could be moved
        (holding(cash=20_000, bonds=40_000, equities=40_000), {"hedge"}),
        (holding(cash=30_000, equities=70_000, hedged=70_000), {"rebalance"}),
        (holding(cash=30_000, bonds=35_000, equities=35_000, hedged=35_000, cash_liquid_share=Decimal(0),
                 bond_liquid_share=Decimal(0)), {"raise_liquidity"}),
        (holding(operating=40_000_000, bonds=30_000_000, equities=30_000_000, hedged=30_000_000,
                 bond_duration=Decimal(0)), {"freeze"}),
    ],
)  # fmt: skip
def test_each_reason_calls_for_its_own_measure(inputs, taken):
    plan = plan_measures(inputs)

    measures = {"freeze": plan.freeze, "rebalance": plan.rebalance, "raise_liquidity": plan.raise_liquidity,
                "hedge": plan.hedge}  # fmt: skip
    assert {name for name, found in measures.items() if found} == taken


def test_a_very_high_score_freezes_whatever_its_reasons():
    inputs = holding(equities=250_000)

    plan = plan_measures(inputs)

    assert plan.score > FREEZE_ABOVE and RiskReason.SIZE not in plan.reasons
    assert plan.freeze is True


def test_bonds_are_sold_when_equities_do_not_suffice():
    inputs = holding(bonds=900_000, equities=100_000, bond_liquid_share=Decimal("0.1"), hedged=100_000)

    plan = plan_measures(inputs)
    after = apply_shifts(apply_shifts(inputs, plan.rebalance), plan.raise_liquidity)

    (liquid,) = [item for item in score_risk(after).components if item.reason is RiskReason.LIQUIDITY]
    assert liquid.points == 0


@given(holdings())
def test_measures_move_what_is_there_to_the_last_minor_unit_and_lower_the_score(inputs):
    plan = plan_measures(inputs)

    for taken in (plan.rebalance, plan.raise_liquidity):
        assert not Money.total((shift.amount for shift in taken), "USD")
    after = apply_shifts(apply_shifts(inputs, plan.rebalance), plan.raise_liquidity)
    assert whole(after) == whole(inputs)
    assert min(after.operating, after.cash, after.bonds, after.equities) >= Money.zero("USD")
    assert plan.hedge is None or Money.zero("USD") < plan.hedge <= after.equities
    assert plan.expected_score <= plan.score
    assert (plan.rebalance, plan.raise_liquidity, plan.hedge) == ((), (), None) or plan.expected_score < plan.score


@given(holdings())
def test_what_is_left_above_the_limit_is_frozen(inputs):
    plan = plan_measures(inputs)

    assert plan.freeze or plan.expected_score <= 70

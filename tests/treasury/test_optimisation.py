"""The portfolio proposed for each strategy, by figures worked out by hand, and what every proposal keeps."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finaegis.shared.money import Money
from tests.bounds import bounded
from tests.treasury.instruments import DAY, instrument, valid
from treasury.contracts import Allocation, AssetClass, Constraints
from treasury.errors import Infeasible
from treasury.rules import allocation as rules
from treasury.rules.optimisation import best_portfolio, optimise

STRATEGIES = ["conservative", "balanced", "aggressive", "all cash"]


def propose(strategy="balanced", amount="100000.00", *, instruments=None, as_of=DAY, **constraints):
    total = Money(Decimal(amount), "USD")
    weights = rules.weights_of(strategy)
    allocation = Allocation(
        allocations=rules.divide(total, weights), total_allocated=total, timestamp=datetime(2026, 7, 15, tzinfo=UTC)
    )
    return optimise(
        allocation=allocation,
        classes=weights,
        instruments=valid(as_of) if instruments is None else instruments,
        constraints=Constraints(**constraints),
        as_of=as_of,
    )


def amounts(proposal):
    return {position.code: str(position.amount.amount) for position in proposal.positions}


def prices(proposal):
    return {(item.name, item.subject): str(item.shadow_price.amount) for item in proposal.binding}


def test_balanced_fills_the_best_instruments_up_to_their_limits():
    proposal = propose("balanced")

    assert amounts(proposal) == {
        "CASH-MMF": "20000.00",
        "BOND-BANK7Y-B": "35000.00",
        "BOND-CORP5Y-C": "5000.00",
        "EQ-WORLD-W": "30000.00",
        "EQ-BROAD-M": "10000.00",
    }
    # 0.20 x 3.90 + 0.35 x 5.77 + 0.05 x 5.42 + 0.30 x 6.80 + 0.10 x 6.50
    assert proposal.reached_yield == Decimal("5.760500")
    assert str(proposal.yearly_income.amount) == "5760.50"
    # (0.20 x 0.10 + 0.35 x 5.80 + 0.05 x 4.40) / 0.60
    assert proposal.average_duration == Decimal("3.783333")
    assert proposal.liquid_share == Decimal("0.200000")
    # 0.30 of the best equity displaces the second best: 0.30 points on 100000 a year, and so on.
    assert prices(proposal) == {
        ("instrument_limit", "EQ-WORLD-W"): "300.00",
        ("issuer_limit", "BANK_B"): "350.00",
        ("liquidity_floor", None): "-50.00",
    }


def test_conservative_spreads_the_bank_over_bonds_only():
    proposal = propose("conservative")

    assert amounts(proposal) == {
        "CASH-MMF": "25000.00",
        "CASH-TBILL3M": "15000.00",
        "BOND-BANK7Y-B": "35000.00",
        "BOND-CORP5Y-C": "15000.00",
        "EQ-WORLD-W": "10000.00",
    }
    assert proposal.reached_yield == Decimal("5.057500")


def test_aggressive_is_held_by_duration_and_liquidity():
    proposal = propose("aggressive")

    assert amounts(proposal) == {
        "CASH-TBILL3M": "10000.00",
        "BOND-BANK7Y-B": "10000.00",
        "BOND-UST10Y": "6650.25",
        "BOND-UST2Y": "3349.75",
        "EQ-BROAD-M": "35000.00",
        "EQ-LOWVOL-V": "5000.00",
        "EQ-WORLD-W": "30000.00",
    }
    assert proposal.average_duration == Decimal("4.000000")
    # UST10Y for UST2Y: 0.40 points for 6.09 years; one year on 0.30 of the whole is worth 0.30 x 0.40 / 6.09 points.
    assert prices(proposal)[("max_duration", None)] == "19.70"


def test_all_cash_takes_the_term_deposit_up_to_the_issuer_limit():
    proposal = propose("all cash")

    assert amounts(proposal) == {"CASH-MMF": "25000.00", "CASH-TBILL3M": "40000.00", "CASH-TD90-B": "35000.00"}
    assert proposal.reached_yield == Decimal("4.000000")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("amount", ["0.01", "0.07", "100000.00", "1000000000000000.01"])
def test_the_defaults_suit_every_strategy_and_the_class_totals_stay(strategy, amount):
    proposal = propose(strategy, amount)

    for part in rules.divide(Money(Decimal(amount), "USD"), rules.weights_of(strategy)):
        inside = [position.amount.to_minor() for position in proposal.positions if position.type == part.type]
        assert sum(inside) == part.amount.to_minor()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_defaults_suit_every_strategy_on_and_after_the_day_of_the_file(strategy):
    for day in (date(2026, 7, 1), date(2026, 8, 1), date(2026, 11, 25), date(2030, 1, 1)):
        assert propose(strategy, as_of=day).liquid_share >= Decimal("0.20")


def test_a_target_out_of_reach_is_a_reported_shortfall():
    proposal = propose("balanced", target_yield="20")

    assert proposal.target_yield == Decimal(20)
    assert proposal.shortfall == Decimal("14.239500")
    assert amounts(proposal) == amounts(propose("balanced"))


def test_a_reached_target_has_no_shortfall():
    assert propose("balanced", target_yield="5.7605").shortfall == 0
    assert propose("balanced", target_yield="1").shortfall == 0


def test_a_minimum_within_reach_and_a_target_beyond_it():
    proposal = propose("balanced", min_yield="5.0", target_yield="6.0")

    assert proposal.reached_yield == Decimal("5.760500")
    assert proposal.shortfall == Decimal("0.239500")


def test_a_minimum_that_is_just_reached_binds_without_a_price():
    proposal = propose("balanced", min_yield="5.7605")

    assert prices(proposal)[("min_yield", None)] == "0.00"


@pytest.mark.parametrize(
    ("strategy", "constraints", "conflicts"),
    [
        ("balanced", {"min_yield": "50"}, ["min_yield (50)"]),
        # Without the limits on single names the yield would reach 5.77: they clash with the minimum only together.
        ("balanced", {"min_yield": "5.760501"}, None),
        ("balanced", {"max_duration": "0"}, ["max_duration (0)"]),
        ("all cash", {"max_duration": "0", "issuer_limit": "0.35"}, ["max_duration (0)", "issuer_limit BANK_A (0.35)"]),
        ("balanced", {"liquidity_floor": "0.61"}, ["liquidity_floor (0.61)"]),
        (
            "balanced",
            {"issuer_limit": "0.10"},
            ["issuer_limit FUND_M (0.10)", "issuer_limit FUND_V (0.10)", "issuer_limit FUND_W (0.10)"],
        ),
    ],
)
def test_what_cannot_be_met_is_named(strategy, constraints, conflicts):
    with pytest.raises(Infeasible) as refused:
        propose(strategy, **constraints)

    assert refused.value.code == "infeasible"
    if conflicts is None:
        assert "min_yield (5.760501)" in refused.value.conflicts
        assert len(refused.value.conflicts) > 1
    else:
        assert sorted(refused.value.conflicts) == sorted(conflicts)
    assert all(name in str(refused.value) for name in refused.value.conflicts)


def test_of_equal_yields_the_shorter_wins_and_then_the_earlier_code():
    offered = [
        instrument("C", "cash", "4.00", duration="0.10", limit="0.50", sovereign=True),
        instrument("B", "cash", "4.00", duration="0.20", sovereign=True),
        instrument("A", "cash", "4.00", duration="0.20", limit="0.30", sovereign=True),
    ]

    proposal = propose("all cash", instruments=offered)

    assert amounts(proposal) == {"A": "30000.00", "B": "20000.00", "C": "50000.00"}


def test_sovereigns_have_no_issuer_limit_and_others_share_one():
    offered = [
        instrument("GOV", "cash", "3.00", sovereign=True, issuer="STATE"),
        instrument("BANK-1", "cash", "5.00", issuer="BANK"),
        instrument("BANK-2", "cash", "4.90", issuer="BANK"),
    ]

    assert amounts(propose("all cash", instruments=offered)) == {"BANK-1": "35000.00", "GOV": "65000.00"}


def test_equities_never_count_as_liquid():
    offered = [instrument("EQ", "equities", "9.00", liquid=True, sovereign=True), *valid()]

    assert propose("aggressive", instruments=offered).liquid_share == Decimal("0.200000")


def test_a_limit_given_with_the_request_only_tightens():
    tighter = propose("all cash", instrument_limits={"CASH-MMF": "0.05"})
    looser = propose("all cash", instrument_limits={"CASH-MMF": "0.90"})

    assert amounts(tighter)["CASH-MMF"] == "5000.00"
    assert amounts(looser)["CASH-MMF"] == "25000.00"


def test_a_limit_on_an_unknown_instrument_is_warned_about():
    proposal = propose("all cash", instrument_limits={"CASH-GONE": "0.05"})

    assert any("CASH-GONE" in warning for warning in proposal.warnings)


def test_a_class_without_instruments_stays_uninvested_with_a_warning():
    equities_only = [item for item in valid() if item.asset_class is AssetClass.EQUITIES]

    proposal = propose("balanced", instruments=equities_only)

    assert {part.type.value: str(part.amount.amount) for part in proposal.uninvested} == {
        "cash": "20000.00",
        "bonds": "40000.00",
    }
    # 0.30 x 6.80 + 0.10 x 6.50 on the whole; the idle 60 % is liquid, without yield or duration.
    assert proposal.reached_yield == Decimal("2.690000")
    assert proposal.liquid_share == Decimal("0.600000")
    assert proposal.average_duration == 0
    assert [warning for warning in proposal.warnings if "stays uninvested" in warning] == [
        "no cash instrument in USD on 2026-07-15: 20000.00 USD stays uninvested",
        "no bonds instrument in USD on 2026-07-15: 40000.00 USD stays uninvested",
    ]


def test_uninvested_equities_are_not_liquid():
    without = [item for item in valid() if item.asset_class is not AssetClass.EQUITIES]

    assert propose("aggressive", instruments=without).liquid_share <= Decimal("0.300000")


def test_without_any_instrument_everything_stays_idle():
    proposal = propose("balanced", instruments=[])

    assert (proposal.positions, proposal.reached_yield, proposal.shortfall) == ((), 0, 0)
    with pytest.raises(Infeasible):
        propose("balanced", instruments=[], min_yield="0.01")


def test_stale_figures_are_warned_about():
    assert not propose("balanced", as_of=date(2026, 7, 31)).warnings
    assert propose("balanced", as_of=date(2026, 8, 1)).warnings == (
        "the figures of BOND-UST10Y are stale since 2026-08-01",
    )


def test_the_order_of_the_instruments_does_not_matter():
    assert propose("aggressive", instruments=list(reversed(valid()))) == propose("aggressive")


shares = st.integers(0, 20).map(lambda value: Decimal(value) / 20)


@settings(max_examples=bounded(60, thorough=600), deadline=None)
@given(st.sampled_from(STRATEGIES), shares, shares, st.integers(0, 12).map(lambda v: Decimal(v) / 2))
def test_every_limit_holds_exactly_before_rounding_and_prices_have_their_sign(strategy, issuer, floor, duration):
    constraints = Constraints(issuer_limit=issuer, liquidity_floor=floor, max_duration=duration)
    weights = rules.weights_of(strategy)
    try:
        portfolio = best_portfolio(classes=weights, instruments=valid(), constraints=constraints)
    except Infeasible as refused:
        assert refused.conflicts
        return

    assert all(share >= 0 for share in portfolio.shares)
    assert sum(portfolio.shares) == 1
    held = dict(zip((item.code for item in portfolio.instruments), portfolio.shares, strict=True))
    for name in {item.issuer for item in portfolio.instruments if not item.sovereign}:
        assert sum(held[item.code] for item in portfolio.instruments if item.issuer == name) <= Fraction(issuer)
    assert portfolio.average_duration <= Fraction(duration)
    assert portfolio.liquid_share >= Fraction(floor)
    for limit in portfolio.limits:
        price = portfolio.shadow_price(limit)
        assert price <= 0 if limit.name == "liquidity_floor" else price >= 0


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("name", "looser"), [("max_duration", "0.0001"), ("liquidity_floor", "-0.0001")])
def test_a_shadow_price_is_what_a_little_more_room_earns(strategy, name, looser):
    base = Constraints()
    moved = base.model_copy(update={name: getattr(base, name) + Decimal(looser)})
    before, after = (
        best_portfolio(classes=rules.weights_of(strategy), instruments=valid(), constraints=constraints)
        for constraints in (base, moved)
    )

    (limit,) = [item for item in before.limits if item.name == name]

    assert after.reached_yield - before.reached_yield == before.shadow_price(limit) * Fraction(looser)


def test_a_replaced_figure_changes_the_proposal():
    better = [replace(item, yield_percent=Decimal("9")) if item.code == "CASH-ON-A" else item for item in valid()]

    assert amounts(propose("all cash", instruments=better))["CASH-ON-A"] == "35000.00"

"""The terms of a loan: the price of a risk, and what is disclosed before and after the payout."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from finaegis.shared.money import Money
from lending.contracts import REVIEW_ABOVE
from lending.errors import InvalidSchedule
from lending.rules.schedule import build_schedule, first_due_after
from lending.rules.terms import GRADES, binding_terms, grade_of, terms_for

D = Decimal


def terms(score="35.00", principal="10000.00", term=36):
    return terms_for(score=D(score), principal=Money(principal, "USD"), term_months=term)


def bound(offered, on, first=None):
    """The binding terms of a loan paid out on that day."""
    day = date.fromisoformat(on)
    first_due = first_due_after(day) if first is None else date.fromisoformat(first)
    schedule = build_schedule(
        principal=offered.principal,
        annual_rate=offered.annual_rate,
        term_months=offered.term_months,
        disbursed_on=day,
        first_due=first_due,
    )
    return binding_terms(terms=offered, schedule=schedule, disbursed_on=day)


def test_a_higher_risk_never_pays_a_lower_rate():
    rates = [grade_of(D(score)).annual_rate for score in range(101)]

    assert all(lower <= higher for lower, higher in pairwise(rates))
    assert rates[0] < rates[-1]


def test_a_score_on_the_limit_of_a_grade_belongs_to_it():
    assert grade_of(D("70.00")) != grade_of(D("70.01"))
    assert grade_of(D("100.00")) == GRADES[-1]


def test_what_the_policy_approves_by_itself_carries_no_fee():
    assert {grade.fee for grade in GRADES if grade.up_to <= REVIEW_ABOVE} == {D(0)}


@pytest.mark.parametrize("score", ["-0.01", "100.01"])
def test_a_score_outside_its_range_has_no_terms(score):
    with pytest.raises(InvalidSchedule):
        terms(score)


def test_the_figures_of_an_offer_add_up():
    offered = terms()

    assert offered.instalment == Money("313.83", "USD")
    assert offered.total_of_payments == offered.principal + offered.total_interest
    assert offered.amount_financed == offered.principal - offered.prepaid_fees


def test_without_fees_and_odd_days_the_apr_is_the_rate():
    assert terms().apr == terms().annual_rate == D("8.10")


def test_prepaid_fees_lower_what_is_financed_and_raise_the_apr():
    offered = terms("85.00")

    assert offered.prepaid_fees == Money("100.00", "USD")
    assert offered.amount_financed == Money("9900.00", "USD")
    # 36 payments of 351.08 for 9,900: 1 % of fees on top of 15.90 %, by a root finder 16.617.
    assert offered.apr == D("16.62")


def test_a_fee_is_rounded_half_even_to_the_currency():
    assert terms("85.00", principal="100.50").prepaid_fees == Money("1.00", "USD")
    assert terms("85.00", principal="101.50").prepaid_fees == Money("1.02", "USD")


def test_a_regular_payout_binds_what_was_offered():
    offered = terms()

    assert bound(offered, "2026-05-20") == offered


def test_a_payout_at_the_end_of_a_month_is_regular_too():
    offered = terms(term=1)

    assert bound(offered, "2026-01-31") == offered


def test_odd_days_change_the_disclosed_figures_and_not_the_rate():
    offered = terms()

    found = bound(offered, "2026-01-13", "2026-03-01")

    assert found.annual_rate == offered.annual_rate
    assert found.total_interest > offered.total_interest
    assert found.instalment > offered.instalment
    # The schedule accrues as Appendix J discounts, so the APR without fees stays the rate.
    assert found.apr == offered.annual_rate


def test_a_single_payment_counts_its_term_in_days_when_that_is_no_whole_number_of_months():
    # Appendix J (b)(5)(vii): 45 days, 365 / 45 unit-periods a year.
    found = bound(terms(term=1, principal="1000.00"), "2026-01-15", "2026-03-01")

    # Back from 1 March to 1 February, and 17 days from 15 January until then.
    interest = (D(1000) * D("8.10") / 1200 * (1 + D(17) / 30)).quantize(D("0.01"))
    assert found.total_interest.amount == interest
    assert found.apr == (interest / 1000 * 365 / 45 * 100).quantize(D("0.01"))


def test_terms_are_not_bound_by_the_schedule_of_another_loan():
    day = date(2026, 5, 20)
    other = build_schedule(
        principal=Money("9999.99", "USD"),
        annual_rate=D("8.10"),
        term_months=36,
        disbursed_on=day,
        first_due=first_due_after(day),
    )

    with pytest.raises(InvalidSchedule):
        binding_terms(terms=terms(), schedule=other, disbursed_on=day)
    with pytest.raises(InvalidSchedule):
        binding_terms(terms=terms(), schedule=(), disbursed_on=day)

"""The repayment schedule: dates, odd days, level instalments, and a last one that leaves nothing."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finaegis.shared.money import Money
from lending.errors import InvalidSchedule
from lending.rules.schedule import anchor_of, build_schedule, first_due_after, first_period

D = Decimal


def schedule(principal="10000.00", rate="12.00", term=12, on="2026-01-15", first=None, currency="USD", anchor=None):
    day = date.fromisoformat(on)
    return build_schedule(
        principal=Money(principal, currency),
        annual_rate=D(rate),
        term_months=term,
        disbursed_on=day,
        first_due=first_due_after(day) if first is None else date.fromisoformat(first),
        anchor=anchor,
    )


def texts(amounts):
    return [amount.to_text() for amount in amounts]


def test_a_regular_loan_period_by_period():
    # 3,000 at 12 % over 3 months: 3000 x 0.01 / (1 - 1.01^-3) = 1020.0663...
    found = schedule("3000.00", "12.00", 3)

    assert [entry.number for entry in found] == [1, 2, 3]
    assert texts(entry.instalment for entry in found) == ["1020.07", "1020.07", "1020.06"]
    assert texts(entry.interest for entry in found) == ["30.00", "20.10", "10.10"]
    assert texts(entry.principal for entry in found) == ["990.07", "999.97", "1009.96"]
    assert texts(entry.balance for entry in found) == ["2009.93", "1009.96", "0.00"]


def test_interest_is_the_balance_times_a_twelfth_of_the_rate_whatever_the_months_length():
    found = schedule("10000.00", "9.40", 24, on="2026-01-31")

    for before, entry in pairwise(found):
        exact = before.balance.amount * D("9.40") / 1200
        assert entry.interest.amount == exact.quantize(D("0.01"), "ROUND_HALF_EVEN")


def test_half_a_minor_unit_of_interest_goes_to_the_even_one():
    # One month at 12 %: 0.50 and 1.50 cost half a cent and one and a half.
    assert schedule("0.50", "12.00", 1)[0].interest == Money("0.00", "USD")
    assert schedule("1.50", "12.00", 1)[0].interest == Money("0.02", "USD")


def test_due_days_keep_the_anchor_and_take_the_last_day_where_a_month_lacks_it():
    found = schedule(term=5, on="2026-10-31")

    assert [entry.due_on.isoformat() for entry in found] == [
        "2026-11-30",
        "2026-12-31",
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
    ]


def test_a_leap_year_lends_its_day():
    assert [entry.due_on.day for entry in schedule(term=3, on="2027-12-30", first="2028-01-30")] == [30, 29, 30]


def test_no_due_day_moves_for_a_weekend():
    # 1 August 2026 is a Saturday, 1 November 2026 a Sunday.
    found = schedule(term=4, on="2026-07-01")

    assert [entry.due_on.day for entry in found] == [1, 1, 1, 1]
    assert {entry.due_on.weekday() for entry in found} >= {5, 6}


@pytest.mark.parametrize(
    ("on", "first", "months", "odd_days"),
    [
        ("2026-01-15", "2026-02-15", 1, 0),
        # Counted back from 1 March: 1 February, and 19 days from 13 January until then.
        ("2026-01-13", "2026-03-01", 1, 19),
        # Shorter than a month: no full month, 27 days.
        ("2026-02-02", "2026-03-01", 0, 27),
        ("2026-01-02", "2026-02-01", 0, 30),
        # Back from 28 February with the anchor 31 is 31 January.
        ("2026-01-31", "2026-02-28", 1, 0),
        ("2026-01-10", "2026-04-10", 3, 0),
    ],
)
def test_the_first_period_is_counted_back_from_the_first_due_date(on, first, months, odd_days):
    day, due = date.fromisoformat(on), date.fromisoformat(first)

    found = first_period(disbursed_on=day, first_due=due, anchor=anchor_of(disbursed_on=day, first_due=due))

    assert (found.months, found.odd_days) == (months, odd_days)


def test_an_odd_day_costs_a_thirtieth_of_a_month():
    # One month and 19 days at 1 % a month on 10,000.
    found = schedule(on="2026-01-13", first="2026-03-01")

    assert found[0].interest == Money("163.33", "USD")
    assert found[1].interest.amount == (found[0].balance.amount / 100).quantize(D("0.01"))


def test_a_short_first_period_costs_its_days_alone():
    assert schedule(on="2026-02-02", first="2026-03-01")[0].interest == Money("90.00", "USD")


def test_odd_days_are_spread_over_the_level_instalments_and_not_left_to_the_last():
    regular, odd = schedule(), schedule(on="2026-01-13", first="2026-03-01")

    assert odd[0].instalment > regular[0].instalment
    assert abs(odd[-1].instalment.amount - odd[0].instalment.amount) < D("0.10")


def test_a_zero_rate_is_repaid_in_equal_parts_with_the_rest_in_the_last():
    found = schedule("1000.00", "0", 3)

    assert texts(entry.instalment for entry in found) == ["333.33", "333.33", "333.34"]
    assert {entry.interest.to_text() for entry in found} == {"0.00"}


def test_a_currency_without_minor_units_is_scheduled_in_whole_units():
    found = schedule("100000", "6.90", 6, currency="JPY")

    assert Money.total((entry.principal for entry in found), "JPY") == Money("100000", "JPY")
    assert {entry.instalment.amount.as_tuple().exponent for entry in found} == {0}


def test_a_named_anchor_decides_where_the_first_month_cannot_show_it():
    found = schedule(term=2, on="2026-01-28", first="2026-02-28", anchor=31)

    assert [entry.due_on.isoformat() for entry in found] == ["2026-02-28", "2026-03-31"]
    # Back from the end of February is the end of January: 3 days short of it.
    assert found[0].interest == Money("110.00", "USD")


def test_interest_that_the_first_instalment_would_not_pay_never_becomes_principal():
    # Six months at 1 % a month cost 600, an instalment over ten years is about 150.
    with pytest.raises(InvalidSchedule, match="more than its instalment"):
        schedule(term=120, first="2026-07-15")


@given(
    minor=st.integers(1, 10_000_000),
    rate=st.decimals("0", "15", places=2),
    term=st.integers(1, 120),
    on=st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    wait=st.integers(1, 33),
)
def test_every_schedule_repays_exactly_what_was_lent(minor, rate, term, on, wait):
    principal = Money.from_minor(minor, "EUR")
    first_due = date.fromordinal(on.toordinal() + wait)

    found = build_schedule(
        principal=principal, annual_rate=rate, term_months=term, disbursed_on=on, first_due=first_due
    )

    zero = Money.zero("EUR")
    assert len(found) == term
    assert Money.total((entry.principal for entry in found), "EUR") == principal
    assert found[-1].balance == zero
    assert all(entry.instalment == entry.principal + entry.interest for entry in found)
    assert all(min(entry.balance, entry.interest, entry.principal) >= zero for entry in found)
    assert all(earlier.due_on < later.due_on for earlier, later in pairwise(found))


@pytest.mark.parametrize(
    "wrong",
    [
        {"principal": "0.00"},
        {"principal": "-1.00"},
        {"rate": "-0.01"},
        {"rate": "NaN"},
        {"term": 0},
        {"first": "2026-01-15"},
        {"first": "2027-02-15"},
        {"anchor": 14},
        {"anchor": 32},
    ],
)
def test_what_makes_no_schedule_is_refused(wrong):
    with pytest.raises(InvalidSchedule) as refused:
        schedule(**wrong)

    assert refused.value.code == "invalid_schedule"

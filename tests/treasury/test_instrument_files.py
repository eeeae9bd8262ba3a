"""The first content: what is valid when, without looking ahead."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.treasury.instruments import shipped, valid
from treasury.rules.bonds import par_bond_duration
from treasury.rules.instruments import TEN_YEAR_BOND, first_of_next_month


def ten_year(day):
    (found,) = [item for item in valid(day) if item.code == TEN_YEAR_BOND]
    return found


def test_eleven_instruments_of_three_classes_are_valid_from_the_day_of_the_file():
    found = valid(date(2026, 7, 1))

    assert len(found) == 11
    assert {item.asset_class.value for item in found} == {"cash", "bonds", "equities"}
    assert {item.currency for item in found} == {"USD"}


def test_only_the_observed_yield_is_known_before_that_day():
    assert [item.code for item in valid(date(2026, 6, 30))] == [TEN_YEAR_BOND]


def test_an_average_holds_for_the_month_after_it():
    # The averages of May and June 2026 are 4.48 and 4.47.
    assert ten_year(date(2026, 6, 1)).yield_percent == Decimal("4.48")
    assert ten_year(date(2026, 6, 30)).yield_percent == Decimal("4.48")
    assert ten_year(date(2026, 7, 1)).yield_percent == Decimal("4.47")


def test_the_history_is_whole_and_without_gaps():
    history = [item for item in shipped() if item.code == TEN_YEAR_BOND]

    assert len(history) == 879
    assert history[0].valid_from == date(1953, 5, 1)
    assert all(item.valid_to == later.valid_from for item, later in pairwise(history))


def test_the_last_average_stays_and_is_stale_from_the_day_its_successor_was_due():
    latest = ten_year(date(2027, 3, 1))

    assert latest.valid_to is None
    assert not latest.stale_on(date(2026, 7, 31))
    assert latest.stale_on(date(2026, 8, 1))
    assert [item.code for item in valid(date(2027, 3, 1)) if item.stale_on(date(2027, 3, 1))] == [TEN_YEAR_BOND]


def test_assumptions_and_observations_say_which_they_are():
    assert all(item.source.startswith("real: ") == (item.code == TEN_YEAR_BOND) for item in shipped())
    assert all(item.source.startswith("assumption: ") for item in shipped() if item.code != TEN_YEAR_BOND)


def test_yield_and_duration_of_the_table_are_those_of_the_yield_file():
    assert (ten_year(date(2026, 7, 1)).yield_percent, ten_year(date(2026, 7, 1)).duration) == (
        Decimal("4.47"),
        Decimal("7.99"),
    )


@pytest.mark.parametrize(
    ("yield_percent", "duration"), [("0", "10.00"), ("0.62", "9.68"), ("4.47", "7.99"), ("15.32", "5.04")]
)
def test_duration_of_a_par_bond(yield_percent, duration):
    assert par_bond_duration(Decimal(yield_percent)) == Decimal(duration)


def test_the_duration_is_the_slope_of_the_price():
    # Price of 1 of a 10-year par bond at 4 %, coupons twice a year, at yields one basis point apart.
    def price(rate):
        return sum(0.02 / (1 + rate / 2) ** k for k in range(1, 21)) + 1 / (1 + rate / 2) ** 20

    slope = (price(0.0399) - price(0.0401)) / 0.0002

    assert float(par_bond_duration(Decimal(4))) == pytest.approx(slope, abs=0.01)


@pytest.mark.parametrize(
    ("day", "following"), [(date(2026, 1, 31), date(2026, 2, 1)), (date(2026, 12, 1), date(2027, 1, 1))]
)
def test_first_of_next_month(day, following):
    assert first_of_next_month(day) == following

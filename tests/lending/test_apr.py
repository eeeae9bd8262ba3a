"""The annual percentage rate: the examples that Regulation Z publishes in Appendix J (c), and its refusals."""

from decimal import Decimal

import pytest

from lending.errors import InvalidSchedule
from lending.rules.apr import Payment, annual_percentage_rate

D = Decimal


def level(amount, count, *, units, fraction=D(0)):
    """Equal payments, one for each unit-period, the first after `units` and `fraction`."""
    return [Payment(amount=D(amount), units=units + position, fraction=fraction) for position in range(count)]


@pytest.mark.parametrize(
    ("advance", "payments", "units_per_year", "published"),
    [
        # (c)(1)(i): monthly payments, regular first period. Advance 1-10-78, first payment 2-10-78.
        ("5000", level("230", 24, units=1), "12", "9.69"),
        # (ii): monthly payments, long first period. Advance 2-10-78, first payment 4-1-78: one month and 19 days.
        ("6000", level("200", 36, units=1, fraction=D(19) / 30), "12", "11.82"),
        # (iii): semimonthly payments, short first period of 6 days.
        ("5000", level("219.17", 24, units=0, fraction=D(6) / 15), "24", "10.34"),
        # (iv): quarterly payments, long first period: a quarter, a month and 9 days.
        ("10000", level("385", 40, units=1, fraction=D(39) / 90), "4", "8.97"),
        # (v): weekly payments, long first period of 4 weeks and 4 days.
        ("500", level("17.60", 30, units=4, fraction=D(4) / 7), "52", "14.96"),
    ],
)
def test_the_published_examples_come_out(advance, payments, units_per_year, published):
    found = annual_percentage_rate(advance=D(advance), payments=payments, units_per_year=D(units_per_year))

    assert found == D(published)


def test_the_rate_makes_the_payments_worth_the_advance():
    payments = [
        Payment(amount=D("120.55"), units=1, fraction=D("0.3")),
        Payment(amount=D("0"), units=2, fraction=D("0.3")),
        Payment(amount=D("950.10"), units=7, fraction=D("0.3")),
    ]

    found = annual_percentage_rate(advance=D(1000), payments=payments, units_per_year=D(12))

    def worth(rate):
        unit = float(rate) / 1200
        return sum(float(p.amount) / ((1 + 0.3 * unit) * (1 + unit) ** p.units) for p in payments)

    assert worth(found + D("0.005")) < 1000 < worth(found - D("0.005"))


def test_payments_that_only_repay_cost_nothing():
    assert annual_percentage_rate(advance=D(1200), payments=level("100", 12, units=1), units_per_year=D(12)) == 0


def test_a_very_dear_loan_has_a_rate_too():
    # 100 now for 300 in a month: 200 % a month.
    assert annual_percentage_rate(advance=D(100), payments=level("300", 1, units=1), units_per_year=D(12)) == 2400


@pytest.mark.parametrize("advance", ["0", "-1"])
def test_nothing_financed_has_no_rate(advance):
    with pytest.raises(InvalidSchedule, match="more than zero"):
        annual_percentage_rate(advance=D(advance), payments=level("100", 1, units=1), units_per_year=D(12))


def test_payments_below_the_advance_have_no_rate():
    with pytest.raises(InvalidSchedule, match="do not repay"):
        annual_percentage_rate(advance=D(1000), payments=level("100", 9, units=1), units_per_year=D(12))


def test_payments_at_the_instant_of_the_advance_have_no_rate():
    with pytest.raises(InvalidSchedule, match="no rate"):
        annual_percentage_rate(advance=D(100), payments=level("101", 1, units=0), units_per_year=D(12))

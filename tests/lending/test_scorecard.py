"""The score of an application: what counts, what is unknown, what is told to the applicant."""

import random
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from lending.contracts import Attributes, BureauReport, Facts
from lending.errors import CurrencyNotLent
from lending.rules.german_credit import read_rows
from lending.rules.scorecard import assess, risk_score, score_by
from lending.rules.scorecard_attributes import EXCLUDED
from lending.rules.scorecard_table import shipped

D = Decimal
#: The best and the worst of every attribute.
GOOD = {
    "purpose": "car_used",
    "employment": "7_years_or_more",
    "instalment_rate": 1,
    "other_debtors": "guarantor",
    "property": "real_estate",
    "housing": "own",
}
GOOD_FILE = {
    "checking_account": "A14",
    "credit_history": "A34",
    "savings": "A64",
    "other_instalment_plans": "A143",
    "existing_credits": 1,
}
BAD = {
    "purpose": "car_new",
    "employment": "unemployed",
    "instalment_rate": 4,
    "other_debtors": "none",
    "property": "none",
    "housing": "rent",
}
BAD_FILE = {**GOOD_FILE, "checking_account": "A11", "credit_history": "A30", "savings": "A61"}


def facts(attributes=GOOD, amount="3000.00", currency="EUR", term=12):
    return Facts(
        applicant="Ada Example",
        income=Money("40000.00", currency),
        amount=Money(amount, currency),
        term_months=term,
        attributes=Attributes(**attributes),
    )


def report(values=GOOD_FILE):
    return BureauReport(file_found=True, reference="CB-1", **values)


# --- From PD to score ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pd", "score"),
    [
        ("0.000000", "0.00"),
        ("0.100000", "42.00"),
        ("0.000001", "0.01"),
        # On both sides of one sixth, the two nearest values of six places.
        ("0.166666", "70.00"),
        ("0.166667", "70.01"),
        ("0.500000", "82.00"),
        ("1.000000", "100.00"),
    ],
)
def test_the_score_of_a_pd(pd, score):
    assert risk_score(D(pd)) == D(score)


def test_a_score_is_above_70_exactly_if_the_pd_is_above_one_sixth():
    near = [D(millionths) / 1_000_000 for millionths in range(166_000, 167_400)]

    assert all((risk_score(pd) > 70) == (6 * pd > 1) for pd in near)


def test_a_higher_pd_never_has_a_lower_score():
    scores = [risk_score(D(step) / 10_000) for step in range(10_001)]

    assert scores == sorted(scores)


def test_pd_and_score_have_their_places():
    found = assess(facts(), report())

    assert (found.pd.as_tuple().exponent, found.score.as_tuple().exponent) == (-6, -2)


# --- What counts -----------------------------------------------------------------------------------------------------


def test_a_good_application_scores_below_the_line_and_a_bad_one_above():
    assert assess(facts(), report()).score < 70 < assess(facts(BAD, term=48), report(BAD_FILE)).score


def test_an_unknown_attribute_counts_nothing_and_is_named():
    whole = assess(facts(), report())
    without = assess(facts({**GOOD, "housing": None}), report())

    points = shipped().table.points_of({15: "A152"})[15]
    assert without.points == whole.points - points
    assert (whole.missing, without.missing) == ((), ("housing",))


def test_without_a_credit_file_what_a_bureau_knows_is_missing():
    expected = ("checking_account", "credit_history", "savings", "other_instalment_plans")

    assert assess(facts(), None).missing == expected
    assert assess(facts(), BureauReport(file_found=False, reference="CB-1")).missing == expected


def test_someone_of_whom_nothing_is_known_has_the_odds_of_zero_points():
    nobody = score_by(shipped(), values={})

    assert nobody.points == 0
    assert nobody.pd == (1 / (1 + shipped().table.base_odds)).quantize(D("0.000001"))


def test_a_code_that_the_fit_never_saw_counts_nothing_and_is_named():
    # A47, vacation, has no row in the data.
    assert "purpose" in assess(facts({**GOOD, "purpose": "vacation"}), report()).missing


def test_twenty_points_double_the_odds():
    table = shipped().table

    def odds(points):
        pd = table.probability_of_default(D(points))
        return (1 - pd) / pd

    assert abs(odds(20) / odds(0) - 2) < D("0.0001")


def test_the_amount_counts_in_eur():
    # 5,000 USD are 4,500 EUR, below the table's edge of 4,716; 5,000 EUR are above it.
    assert assess(facts(amount="5000.00", currency="USD"), report()).points == assess(facts(), report()).points
    assert assess(facts(amount="5000.00"), report()).points < assess(facts(), report()).points


def test_a_currency_without_a_fixed_rate_is_refused():
    with pytest.raises(CurrencyNotLent):
        assess(facts(currency="ZAR"), report())


def test_prohibited_attributes_change_nothing():
    generator = random.Random(9)
    codes = {number: sorted({row.value(number) for row in read_rows()}) for number in EXCLUDED}
    for row in generator.sample(read_rows(), 50):
        values = row.scoring_values()
        other = {**values, **{number: generator.choice(codes[number]) for number in EXCLUDED}}

        assert score_by(shipped(), values=other) == score_by(shipped(), values=values)


def test_neither_application_nor_credit_file_asks_for_a_prohibited_attribute():
    asked = set(Attributes.model_fields) | set(BureauReport.__dataclass_fields__) | set(Facts.__dataclass_fields__)

    assert not asked & {"personal_status_and_sex", "sex", "age", "telephone", "foreign_worker", "nationality"}


# --- Reasons ---------------------------------------------------------------------------------------------------------


def test_reasons_are_the_four_furthest_below_their_mean_the_worst_first():
    found = assess(facts(BAD, term=48), report(BAD_FILE))

    assert [reason.attribute for reason in found.reasons] == [
        "credit_history",
        "checking_account",
        "term_months",
        "employment",
    ]
    assert [reason.points for reason in found.reasons] == sorted((item.points for item in found.reasons), reverse=True)


def test_what_stands_above_its_mean_is_no_reason():
    found = assess(facts({**GOOD, "housing": "rent"}), report())

    assert [reason.attribute for reason in found.reasons] == ["housing"]


def test_what_is_unknown_is_no_reason():
    assert score_by(shipped(), values={}).reasons == ()


def test_reasons_are_told_in_words_and_not_in_codes():
    texts = {reason.text for reason in assess(facts(BAD), report(BAD_FILE)).reasons}

    assert len(texts) == 4
    assert all(len(text.split()) > 2 and "A1" not in text for text in texts)


def test_the_policy_version_names_the_points():
    assert assess(facts(), report()).policy_version == f"policy-1/{shipped().version}"

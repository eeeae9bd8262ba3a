"""What makes an application, what sends it to a person, and what a notice says: pure rules."""

from dataclasses import replace
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from lending.contracts import (
    BureauReport,
    Checks,
    DocumentCheck,
    DocumentStatus,
    FraudCheck,
    ReviewCause,
    Score,
    ScoreReason,
    Verdict,
)
from lending.errors import InvalidApplication, LendingError
from lending.rules.applications import facts_of, form_of, within_exposure
from lending.rules.currencies import in_eur
from lending.rules.notices import decline_reasons
from lending.rules.policy import judge
from tests.lending.applying import form

CLEAN = Checks(
    credit=BureauReport(file_found=True, reference="1"),
    fraud=FraudCheck(hit=False, reference="2"),
    documents=DocumentCheck(status=DocumentStatus.VERIFIED),
)
BODY = {
    "applicant": "Ada",
    "ssn": "123-45-6789",
    "income": "60000.00",
    "currency": "USD",
    "amount": "5000.00",
    "term_months": 24,
}


def score(value="50.00", reasons=()):
    return Score(
        points=Decimal(0), pd=Decimal(0), score=Decimal(value), reasons=reasons, missing=(), policy_version="v"
    )


def reason(text):
    return ScoreReason(attribute=text, points=Decimal(1), text=text)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": Decimal(0)}, "amount_not_positive"),
        ({"amount": Decimal("10.005")}, "amount_too_precise"),
        ({"income": Decimal("1e30")}, "amount_too_large"),
        ({"currency": "XXX"}, "currency_not_lent"),
        ({"currency": "BTC"}, "currency_not_lent"),
        ({"term_months": 0}, "invalid_term"),
        ({"term_months": 121}, "invalid_term"),
        ({"applicant": " "}, "invalid_application"),
        ({"applicant": "Ada\x07"}, "invalid_application"),
    ],
)
def test_facts_that_make_no_application_are_refused(changes, code):
    with pytest.raises(LendingError) as refused:
        facts_of(form(**changes))

    assert refused.value.code == code


def test_facts_keep_everything_but_the_number():
    facts = facts_of(form())

    assert (facts.applicant, facts.amount, facts.income) == (
        "Ada Lovelace",
        Money("2096.00", "EUR"),
        Money("60000.00", "EUR"),
    )
    assert not hasattr(facts, "ssn")


def test_a_form_takes_words_and_codes_of_the_credit_data():
    made = form_of({**BODY, "attributes": {"purpose": "car_used", "housing": "A152", "dependants": 2}})

    assert made.attributes.model_dump(exclude_none=True) == {"purpose": "A41", "housing": "A152", "dependants": 2}
    assert made.amount == Decimal("5000.00")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 5000.0},
        {"amount": 5000},
        {"amount": "-5"},
        {"amount": "1e3"},
        {"attributes": {"age": 40}},
        {"attributes": {"checking_account": "A11"}},
        {"attributes": {"housing": "castle"}},
        {"documents": [{"kind": "payslip"}]},
        {"email": "no address"},
        {"email": "a@b.c\nBcc: d@e.f"},
        {"term_months": "x"},
    ],
)
def test_a_form_that_does_not_fit_is_refused_without_its_values(changes):
    with pytest.raises(InvalidApplication) as refused:
        form_of({**BODY, **changes})

    assert refused.value.code == "invalid_input"
    assert "6789" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "verdict"), [("0.00", Verdict.APPROVE), ("70.00", Verdict.APPROVE), ("70.01", Verdict.REVIEW)]
)
def test_above_seventy_a_person_decides(value, verdict):
    assert judge(score=score(value), checks=CLEAN, within_exposure=True)[0] is verdict


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"credit": None}, ReviewCause.BUREAU_UNAVAILABLE),
        ({"credit": BureauReport(file_found=False, reference="1")}, ReviewCause.NO_CREDIT_FILE),
        ({"fraud": None}, ReviewCause.FRAUD_UNAVAILABLE),
        ({"fraud": FraudCheck(hit=True, reference="2")}, ReviewCause.FRAUD),
        ({"documents": None}, ReviewCause.DOCUMENTS_UNAVAILABLE),
        ({"documents": DocumentCheck(status=DocumentStatus.FAILED)}, ReviewCause.DOCUMENTS_FAILED),
        ({"documents": DocumentCheck(status=DocumentStatus.INCOMPLETE)}, ReviewCause.DOCUMENTS_INCOMPLETE),
    ],
)
def test_a_finding_goes_to_a_person_whatever_the_score(changes, cause):
    found = judge(score=score("0.00"), checks=replace(CLEAN, **changes), within_exposure=True)

    assert found == (Verdict.REVIEW, (cause,))


def test_every_cause_is_named():
    found = judge(score=score("90.00"), checks=Checks(credit=None, fraud=None, documents=None), within_exposure=False)

    assert found[1] == (
        ReviewCause.SCORE,
        ReviewCause.FRAUD_UNAVAILABLE,
        ReviewCause.DOCUMENTS_UNAVAILABLE,
        ReviewCause.BUREAU_UNAVAILABLE,
        ReviewCause.EXPOSURE,
    )


def test_a_notice_names_what_was_used_and_at_most_four():
    weighed = [reason(text) for text in "abcd"]

    assert decline_reasons([ReviewCause.SCORE], weighed) == ("a", "b", "c", "d")
    assert len(decline_reasons([ReviewCause.SCORE, ReviewCause.FRAUD], weighed)) == 4
    assert decline_reasons([ReviewCause.FRAUD], weighed) == ("We were unable to verify your identity",)


def test_a_cause_is_told_once_however_it_came_about():
    assert len(decline_reasons([ReviewCause.FRAUD, ReviewCause.FRAUD_UNAVAILABLE], ())) == 1


def test_every_cause_but_the_score_has_its_words():
    for cause in ReviewCause:
        assert decline_reasons([cause], [reason("weighed")])


@pytest.mark.parametrize(("owed", "fits"), [("0", True), ("117904", True), ("117904.01", False)])
def test_one_person_owes_at_most_two_years_income(owed, fits):
    assert within_exposure(facts_of(form()), Decimal(owed)) is fits


def test_amounts_are_compared_in_euro_by_the_fixed_table():
    assert in_eur(Money("100.00", "USD")) == Decimal("90.00")
    assert in_eur(Money("1000", "JPY")) == Decimal("6.0")

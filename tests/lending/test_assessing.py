"""Scoring and deciding by the policy; offers, how long they stand, and the loans that come of them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from lending import operations, queries
from lending.contracts import ApplicationStatus, LoanStatus, OfferStatus, ReviewCause, Verdict
from lending.errors import NoOffer, OfferExpired, UnknownApplication, WrongStatus
from lending.models import Decision, Loan
from tests.lending.applying import FRAUD, NO_FILE, RISKY, form
from workflows import Sensitive

pytestmark = pytest.mark.django_db

SAME = "900-77-2002"


def accept(application):
    return operations.accept_offer(application_id=application.id, accepted_by="olga")


def test_a_low_score_is_approved_with_an_offer(applicants, env):
    application, assessment = applicants.assessed()

    overview = queries.get_overview(application.id)
    assert assessment.verdict is Verdict.APPROVE
    assert assessment.offer_id == overview.offer.id
    assert overview.status is ApplicationStatus.APPROVED
    assert overview.risk_score == assessment.score.score <= 70
    assert overview.offer.expires_at == env.now + timedelta(days=30)
    assert overview.offer.terms.principal == application.facts.amount


def test_a_high_score_is_for_a_person_and_makes_no_offer(applicants):
    application, assessment = applicants.assessed(RISKY, amount=Decimal("5951.00"), term_months=48)

    assert assessment.verdict is Verdict.REVIEW
    assert assessment.score.score > 70
    assert assessment.causes == (ReviewCause.SCORE,)
    assert queries.get_overview(application.id).offer is None


@pytest.mark.parametrize(
    ("ending", "changes", "cause"),
    [
        (FRAUD, {}, ReviewCause.FRAUD),
        (NO_FILE, {}, ReviewCause.NO_CREDIT_FILE),
        ("2002", {"documents": ()}, ReviewCause.DOCUMENTS_INCOMPLETE),
        ("2002", {"income": Decimal("1000.00")}, ReviewCause.EXPOSURE),
    ],
)
def test_a_finding_never_changes_the_score_and_is_for_a_person(applicants, ending, changes, cause):
    _, assessment = applicants.assessed(ending, **changes)

    assert assessment.verdict is Verdict.REVIEW
    assert cause in assessment.causes


def test_a_fraud_hit_leaves_the_score_as_it_is(applicants):
    application, checks = applicants.checked(FRAUD)
    clean = type(checks)(credit=checks.credit, fraud=None, documents=checks.documents)

    with_hit = operations.assess_application(application_id=application.id, checks=checks)
    other = applicants.submit(FRAUD)

    assert operations.assess_application(application_id=other.id, checks=clean).score == with_hit.score


def test_an_assessment_is_made_once(applicants):
    application, checks = applicants.checked()

    first = operations.assess_application(application_id=application.id, checks=checks)
    again = operations.assess_application(application_id=application.id, checks=checks)

    assert first == again
    assert Decision.objects.count() == 1


def test_the_decision_keeps_the_version_of_the_policy(applicants):
    application, assessment = applicants.assessed()

    (decision,) = queries.get_overview(application.id).decisions
    assert (decision.verdict, decision.actor) == (Verdict.APPROVE, "policy")
    assert decision.policy_version == assessment.score.policy_version != ""


def test_a_withdrawn_application_is_not_assessed(applicants):
    application, checks = applicants.checked()
    operations.withdraw_application(application_id=application.id)

    with pytest.raises(WrongStatus):
        operations.assess_application(application_id=application.id, checks=checks)


def test_an_application_that_is_unknown_is_refused(env):
    with pytest.raises(UnknownApplication):
        operations.request_review(application_id="00000000-0000-0000-0000-000000000001")


def test_a_review_is_to_be_decided_within_thirty_days_after_the_application(applicants, env):
    application, _ = applicants.assessed(RISKY, amount=Decimal("5951.00"), term_months=48)
    env.now += timedelta(days=2)

    review = operations.request_review(application_id=application.id)
    again = operations.request_review(application_id=application.id)

    assert review == again
    assert review.deadline == application.submitted_at + timedelta(days=30)
    assert queries.get_application(application.id).status is ApplicationStatus.IN_REVIEW


def test_loans_and_offers_of_one_person_count_together(applicants):
    """2,000 a year may owe 4,000: a loan of 2,096 leaves no room for another."""

    def apply():
        application = operations.submit_application(form(ssn=Sensitive(SAME), income=Decimal("2000.00")))
        return application, operations.assess_application(
            application_id=application.id, checks=applicants.checks(application)
        )

    first, assessment = apply()
    assert assessment.verdict is Verdict.APPROVE
    accept(first)

    _, second = apply()

    assert (second.verdict, second.causes) == (Verdict.REVIEW, (ReviewCause.EXPOSURE,))


def test_exposure_is_the_principal_of_loans_and_standing_offers(applicants, env):
    application, _ = applicants.assessed()
    applicant = Decision.objects.get(application_id=application.id).application.applicant_id

    assert queries.exposure_in_eur(applicant) == Decimal("2096.00")
    accept(application)
    assert queries.exposure_in_eur(applicant) == Decimal("2096.00")
    env.now += timedelta(days=30)
    assert queries.exposure_in_eur(applicant) == 0


def test_accepting_makes_the_loan_once(applicants, env):
    application, _ = applicants.assessed()

    first, again = accept(application), accept(application)

    assert (first.id, first.created, again.created) == (again.id, True, False)
    assert (first.status, first.accepted_at, first.disbursed_on) == (LoanStatus.ACCEPTED, env.now, None)
    overview = queries.get_overview(application.id)
    assert (overview.status, overview.loan_id) == (ApplicationStatus.ACCEPTED, first.id)
    assert overview.offer.status is OfferStatus.ACCEPTED
    assert Loan.objects.count() == 1


def test_an_offer_stands_until_its_last_moment(applicants, env):
    application, _ = applicants.assessed()
    env.now += timedelta(days=30) - timedelta(microseconds=1)

    assert accept(application).created


def test_an_expired_offer_is_not_accepted(applicants, env):
    application, _ = applicants.assessed()
    env.now += timedelta(days=30)

    with pytest.raises(OfferExpired):
        accept(application)

    assert Loan.objects.count() == 0


def test_an_application_without_an_offer_is_not_accepted(applicants):
    with pytest.raises(NoOffer):
        accept(applicants.in_review())


def test_a_withdrawn_offer_is_not_accepted(applicants):
    application, _ = applicants.assessed()
    operations.withdraw_application(application_id=application.id)

    with pytest.raises(WrongStatus):
        accept(application)

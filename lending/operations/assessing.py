"""Scoring an application and deciding it by the policy, or asking a person to."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from lending import queries
from lending.contracts import REVIEW_TIME, ApplicationStatus, Assessment, Checks, Review, Score, Verdict
from lending.errors import WrongStatus
from lending.models import Application, Decision, Offer
from lending.models import Assessment as AssessmentRow
from lending.operations.offers import make_offer
from lending.operations.rows import locked_application
from lending.rules import policy, scorecard
from lending.rules.applications import within_exposure
from workflows import clock


def assess_application(*, application_id: UUID, checks: Checks) -> Assessment:
    """Score the application and decide it by the policy: approved with an offer, or to be reviewed by a person.

    What the applicant may owe in all is judged under the applicant's lock, and the offer counts from then on. A
    repeated call gives the stored assessment. Raises UnknownApplication, WrongStatus, CurrencyNotLent.
    """
    with transaction.atomic():
        row = locked_application(application_id)
        known = AssessmentRow.objects.filter(application=row).first()
        if known is not None:
            return _stored(row, known)
        if row.status != ApplicationStatus.SUBMITTED:
            raise WrongStatus("application", row.id, row.status)
        facts = row.facts
        score = scorecard.assess(facts, checks.credit)
        fits = within_exposure(facts, queries.exposure_in_eur(row.applicant_id))
        verdict, causes = policy.judge(score=score, checks=checks, within_exposure=fits)
        assessment = AssessmentRow.objects.create(
            application=row,
            policy_version=score.policy_version,
            score_hundredths=int(score.score.scaleb(2)),
            pd_millionths=int(score.pd.scaleb(6)),
            score_json=AssessmentRow.score.dump(score),
            causes_json=AssessmentRow.causes.dump(causes),
            assessed_at=clock.now(),
        )
        record_decision(row, assessment, verdict=verdict)
        offer = make_offer(row, score) if verdict is Verdict.APPROVE else None
        return Assessment(verdict=verdict, score=score, causes=causes, offer_id=None if offer is None else offer.id)


def request_review(*, application_id: UUID) -> Review:
    """Put the application into the queue of reviews; it is to be decided within 30 days after it was handed in.

    A repeated call changes nothing. Raises UnknownApplication, WrongStatus.
    """
    with transaction.atomic():
        row = locked_application(application_id)
        if row.status == ApplicationStatus.SUBMITTED:
            row.status = ApplicationStatus.IN_REVIEW
            row.review_deadline = row.submitted_at + REVIEW_TIME
            row.save(update_fields=["status", "review_deadline"])
        if row.review_deadline is None:
            raise WrongStatus("application", row.id, row.status)
        return Review(application_id=row.id, deadline=row.review_deadline)


def record_decision(
    row: Application, assessment: AssessmentRow, *, verdict: Verdict, officer: str = "", reason: str = ""
) -> Decision:
    """Append a decision with the version of the policy and the score that it was made by."""
    score: Score = assessment.score
    return Decision.objects.create(
        application=row,
        verdict=verdict.value,
        officer=officer,
        reason=reason,
        policy_version=assessment.policy_version,
        score_hundredths=assessment.score_hundredths,
        causes_json=assessment.causes_json,
        reasons_json=Decision.reasons.dump(score.reasons),
        decided_at=clock.now(),
    )


def _stored(row: Application, known: AssessmentRow) -> Assessment:
    verdict = Decision.objects.get(application=row, officer="").verdict
    offer = Offer.objects.filter(application=row).first() if verdict == Verdict.APPROVE else None
    return Assessment(
        verdict=Verdict(verdict),
        score=known.score,
        causes=known.causes,
        offer_id=None if offer is None else offer.id,
    )

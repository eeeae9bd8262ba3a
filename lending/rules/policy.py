"""What the policy makes of score and checks: approved at once, or decided by a person."""

from __future__ import annotations

from collections.abc import Iterator

from lending.contracts import REVIEW_ABOVE, Checks, DocumentStatus, ReviewCause, Score, Verdict


def judge(*, score: Score, checks: Checks, within_exposure: bool) -> tuple[Verdict, tuple[ReviewCause, ...]]:
    """The verdict, and every cause for a review.

    A score above 70 goes to a person. So does a finding of a check, or a check that could not be made, whatever the
    score: findings never change it.
    """
    causes = tuple(_causes(score, checks, within_exposure))
    return (Verdict.REVIEW if causes else Verdict.APPROVE), causes


def _causes(score: Score, checks: Checks, within_exposure: bool) -> Iterator[ReviewCause]:
    if score.score > REVIEW_ABOVE:
        yield ReviewCause.SCORE
    if checks.fraud is None:
        yield ReviewCause.FRAUD_UNAVAILABLE
    elif checks.fraud.hit:
        yield ReviewCause.FRAUD
    if checks.documents is None:
        yield ReviewCause.DOCUMENTS_UNAVAILABLE
    elif checks.documents.status is DocumentStatus.FAILED:
        yield ReviewCause.DOCUMENTS_FAILED
    elif checks.documents.status is DocumentStatus.INCOMPLETE:
        yield ReviewCause.DOCUMENTS_INCOMPLETE
    if checks.credit is None:
        yield ReviewCause.BUREAU_UNAVAILABLE
    elif not checks.credit.file_found:
        yield ReviewCause.NO_CREDIT_FILE
    if not within_exposure:
        yield ReviewCause.EXPOSURE

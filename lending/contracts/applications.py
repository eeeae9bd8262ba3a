"""Applications, how they are decided, and the offers and letters that follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

from lending.contracts.facts import Facts
from lending.contracts.findings import BureauReport, DocumentCheck, FraudCheck
from lending.contracts.scoring import Score, ScoreReason, Terms

#: Reg B, 12 CFR 1002.9(a)(1): notice within 30 days after a completed application.
REVIEW_TIME = timedelta(days=30)
#: How long an offer stands; it must be accepted and paid out within.
OFFER_TIME = timedelta(days=30)


class ApplicationStatus(StrEnum):
    """Where an application stands; all but the first three are closed."""

    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


OPEN_APPLICATIONS = (ApplicationStatus.SUBMITTED, ApplicationStatus.IN_REVIEW, ApplicationStatus.APPROVED)


class Verdict(StrEnum):
    """What was decided: by the policy (approve, review) or by an officer (approve, decline)."""

    APPROVE = "approve"
    DECLINE = "decline"
    REVIEW = "review"


class OfficerDecision(StrEnum):
    """What an officer may decide on a review."""

    APPROVE = "approve"
    DECLINE = "decline"


class ReviewCause(StrEnum):
    """Why a person has to look at an application."""

    SCORE = "score"
    FRAUD = "fraud"
    DOCUMENTS_FAILED = "documents_failed"
    DOCUMENTS_INCOMPLETE = "documents_incomplete"
    NO_CREDIT_FILE = "no_credit_file"
    BUREAU_UNAVAILABLE = "bureau_unavailable"
    FRAUD_UNAVAILABLE = "fraud_unavailable"
    DOCUMENTS_UNAVAILABLE = "documents_unavailable"
    EXPOSURE = "exposure"


class OfferStatus(StrEnum):
    """An offer is open until it is accepted, expires or is withdrawn."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class CheckKind(StrEnum):
    """The three checks of an application."""

    CREDIT = "credit"
    FRAUD = "fraud"
    DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What the three checks found; None where one could not be made."""

    credit: BureauReport | None
    fraud: FraudCheck | None
    documents: DocumentCheck | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Score of an application and what the policy makes of it; an approval comes with its offer."""

    verdict: Verdict
    score: Score
    causes: tuple[ReviewCause, ...] = ()
    offer_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An application on record, and who entered it."""

    application_id: UUID
    entered_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A request for an officer's decision, and by when it has to be made."""

    application_id: UUID
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What an officer decided; an approval comes with its offer."""

    application_id: UUID
    decision: OfficerDecision
    officer: str
    offer_id: UUID | None = None


class LetterKind(StrEnum):
    """Why a letter goes out."""

    OFFER = "offer"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter of an application as it was written; `sent_at` is None until the mail system took it."""

    kind: LetterKind
    recipient: str
    subject: str
    body: str
    written_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The terms that an approved applicant may accept until `expires_at`."""

    id: UUID
    application_id: UUID
    terms: Terms
    status: OfferStatus
    offered_at: datetime
    expires_at: datetime
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision on record; `actor` is `policy` or who decided."""

    verdict: Verdict
    actor: str
    reason: str
    risk_score: Decimal
    policy_version: str
    causes: tuple[ReviewCause, ...]
    reasons: tuple[ScoreReason, ...]
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application as it stands. `risk_score` is None until it was scored."""

    id: UUID
    run_id: UUID
    status: ApplicationStatus
    facts: Facts
    entered_by: str
    submitted_at: datetime
    email: str | None
    risk_score: Decimal | None
    causes: tuple[ReviewCause, ...]
    review_deadline: datetime | None
    closed_at: datetime | None
    loan_id: UUID | None = None
    #: Whether this call submitted it (submitting operations only).
    created: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationOverview(Application):
    """An application with its checks, decisions and letters (oldest first) and its offer."""

    score: Score | None
    checks: Checks
    decisions: tuple[Decision, ...]
    offer: Offer | None
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResults:
    """The findings in a result: what each check said, the score behind it, and why a person had to look."""

    credit: BureauReport | None
    fraud: FraudCheck | None
    documents: DocumentCheck | None
    score: Score
    review: tuple[ReviewCause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationResult:
    """The result of an application's run. `decision` tells a decline from a review that is still to be decided."""

    approved: bool
    risk_score: Decimal
    results: CheckResults
    decision: Literal["approved", "declined", "review"]
    application_id: UUID
    offer_id: UUID | None = None

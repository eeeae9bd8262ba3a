"""The decision of an officer on an application in review.

Where a run waits for it, the decision reaches it as an update, and the run records it. The update carries a signed
statement of who decides: an update sent through another door has none and counts nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare

from lending import contracts, queries
from lending.contracts import ApplicationStatus, OfficerDecision, Ruling, Verdict
from lending.errors import (
    AlreadyDecided,
    DecisionUnproven,
    InvalidDecision,
    LendingError,
    NotInReview,
    SameOfficer,
    WrongStatus,
)
from lending.models import Application, Assessment, Decision, Offer
from lending.operations.assessing import record_decision
from lending.operations.offers import make_offer
from lending.operations.rows import checked_reason, locked_application, officer_name
from workflows import clock
from workflows import operations as engine
from workflows import queries as runs
from workflows.operations import NotAllowedInState, UpdateFailed, UpdatePending, UpdateRejected

_SALT = "lending.decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The application after a decision; `pending` when its run has not taken the decision yet."""

    application: contracts.Application
    pending: bool


def decide_application(application_id: UUID, *, decision: str, reason: str, actor: engine.Actor) -> Decided:
    """Approve or decline an application in review, with a reason, as somebody else than who entered it.

    The caller has checked the permission `lending.decide_application`. The same decision of the same officer again
    gives the application as it stands. Never call it inside a transaction: it waits for the run. Raises
    UnknownApplication, InvalidDecision, ReasonMissing, OfficerUnknown, SameOfficer, NotInReview, AlreadyDecided,
    WrongStatus while the run is held, and LendingError with the code of what kept the run from taking it.
    """
    officer, why, verdict = officer_name(actor), checked_reason(reason), _decision(decision)
    application = queries.get_application(application_id)
    if _is_repeated(application_id, verdict, officer, why):
        return Decided(application=application, pending=False)
    _check(application.status, application.entered_by, application_id, officer)
    statement = _sign(application_id, verdict, officer, why)
    if runs.get_run(application.run_id).closed_at is not None:
        conclude_review(
            application_id=application_id, decision=verdict, reason=why, officer=officer, statement=statement
        )
        return Decided(application=queries.get_application(application_id), pending=False)
    try:
        engine.update_run(
            application.run_id,
            "decide",
            verdict,
            why,
            officer,
            statement,
            id=hashlib.sha256(f"{verdict}\x1f{officer}\x1f{why}".encode()).hexdigest(),
        )
    except UpdatePending:
        return Decided(application=queries.get_application(application_id), pending=True)
    except NotAllowedInState as refusal:
        raise WrongStatus("run", application.run_id, refusal.state) from refusal
    except (UpdateFailed, UpdateRejected) as failure:
        # Somebody else came first, say: in that case its own refusal tells more than the update's failure.
        application = queries.get_application(application_id)
        _check(application.status, application.entered_by, application_id, officer)
        raise LendingError(str(failure), code=failure.code) from failure
    return Decided(application=queries.get_application(application_id), pending=False)


def conclude_review(
    *, application_id: UUID, decision: OfficerDecision, reason: str, officer: str, statement: str
) -> Ruling:
    """Record the officer's decision: an offer is made, or the application is declined.

    The same decision again gives what was recorded. Raises DecisionUnproven, UnknownApplication, SameOfficer,
    NotInReview, AlreadyDecided.
    """
    if not _is_signed(statement, application_id, decision, officer, reason):
        raise DecisionUnproven
    with transaction.atomic():
        row = locked_application(application_id)
        if not _is_repeated(application_id, decision, officer, reason):
            _check(row.status, row.entered_by, row.id, officer)
            _conclude(row, decision, reason, officer)
        offer = Offer.objects.filter(application=row).first()
        return Ruling(
            application_id=row.id,
            decision=decision,
            officer=officer,
            offer_id=None if offer is None else offer.id,
        )


def _conclude(row: Application, decision: OfficerDecision, reason: str, officer: str) -> None:
    assessment = Assessment.objects.get(application=row)
    record_decision(row, assessment, verdict=Verdict(decision.value), officer=officer, reason=reason)
    if decision is OfficerDecision.APPROVE:
        make_offer(row, assessment.score)
        return
    row.status, row.closed_at = ApplicationStatus.DECLINED, clock.now()
    row.save(update_fields=["status", "closed_at"])


def _check(status: str, entered_by: str, application_id: UUID, officer: str) -> None:
    if officer == entered_by:
        raise SameOfficer
    if status == ApplicationStatus.IN_REVIEW:
        return
    if Decision.objects.filter(application_id=application_id).exclude(officer="").exists():
        raise AlreadyDecided
    raise NotInReview("application", application_id, status)


def _decision(word: str) -> OfficerDecision:
    try:
        return OfficerDecision(word)
    except ValueError:
        raise InvalidDecision from None


def _is_repeated(application_id: UUID, decision: OfficerDecision, officer: str, reason: str) -> bool:
    return Decision.objects.filter(
        application_id=application_id, verdict=decision.value, officer=officer, reason=reason
    ).exists()


def _sign(application_id: UUID, decision: OfficerDecision, officer: str, reason: str) -> str:
    return signing.Signer(salt=_SALT).signature("\x1f".join((str(application_id), decision, officer, reason)))


def _is_signed(statement: str, application_id: UUID, decision: OfficerDecision, officer: str, reason: str) -> bool:
    made = _sign(application_id, decision, officer, reason)
    return constant_time_compare(statement, made)

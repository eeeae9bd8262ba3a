"""The decision of an officer on a compliance case.

The decision reaches the account's saga as an update, and its run records it. The update carries a signed statement of
who decides: an update sent through another door has none and counts nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare

from treasury import contracts, queries
from treasury.contracts import REJECTED_CAUSE, CaseDecision, CaseRuling, CaseStatus
from treasury.errors import (
    CaseDecided,
    CaseRunHeld,
    DecisionUnproven,
    OfficerUnknown,
    ReasonMissing,
    SameOfficer,
    TreasuryError,
)
from treasury.models import ComplianceCase
from treasury.operations.freezes import freeze_account, lift_freeze
from treasury.operations.locking import locked_account
from treasury.rules.compliance import decision_of
from workflows import clock
from workflows import operations as engine
from workflows import queries as runs
from workflows.operations import NotAllowedInState, UpdateFailed, UpdatePending, UpdateRejected

_SALT = "treasury.case_decision"
_REASON_LENGTH = 2000
_ENDED = {CaseDecision.CLEAR: CaseStatus.CLEARED, CaseDecision.REJECT: CaseStatus.REJECTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedCase:
    """The case after a decision; `pending` when its run has not taken the decision yet."""

    case: contracts.ComplianceCase
    pending: bool


def decide_case(case_id: UUID, *, decision: str, reason: str, actor: engine.Actor) -> DecidedCase:
    """Clear or reject an open case, with a reason, as somebody who is not involved in it.

    The caller has checked the permission `treasury.decide_compliancecase`. The same decision of the same officer again
    gives the case as it stands. Never call it inside a transaction: it waits for the run. Raises UnknownCase,
    CaseDecisionInvalid, ReasonMissing, OfficerUnknown, SameOfficer, CaseDecided, CaseRunHeld, and TreasuryError with
    the code of what kept the run from taking it.
    """
    officer, why, word = _officer_name(actor), _checked_reason(reason), decision_of(decision)
    case = queries.get_case(case_id)
    if _is_repeated(case, word, officer, why):
        return DecidedCase(case=case, pending=False)
    _check(case, officer)
    statement = _sign(case_id, word, officer, why)
    run_id = _live_run(case.run_id)
    if run_id is None:
        conclude_case(
            key=f"case:{case_id}", case_id=case_id, decision=word, reason=why, officer=officer, statement=statement
        )
        return DecidedCase(case=queries.get_case(case_id), pending=False)
    try:
        engine.update_run(
            run_id,
            "decide",
            case_id,
            word,
            why,
            officer,
            statement,
            id=hashlib.sha256(f"{case_id}\x1f{word}\x1f{officer}\x1f{why}".encode()).hexdigest(),
        )
    except UpdatePending:
        return DecidedCase(case=queries.get_case(case_id), pending=True)
    except NotAllowedInState as refusal:
        raise CaseRunHeld(run_id, refusal.state) from refusal
    except (UpdateFailed, UpdateRejected) as failure:
        # Somebody else came first, say: in that case its own refusal tells more than the update's failure.
        case = queries.get_case(case_id)
        if _is_repeated(case, word, officer, why):
            return DecidedCase(case=case, pending=False)
        _check(case, officer)
        raise TreasuryError(str(failure), code=failure.code) from failure
    return DecidedCase(case=queries.get_case(case_id), pending=False)


def conclude_case(
    *,
    key: str,
    case_id: UUID,
    decision: CaseDecision,
    reason: str,
    officer: str,
    statement: str,
    run_id: UUID | None = None,
) -> CaseRuling:
    """Record the officer's decision; a rejection freezes the account and ends its other cases, all together.

    The same decision again gives what was recorded. Raises DecisionUnproven, UnknownCase, SameOfficer, CaseDecided.
    """
    if not constant_time_compare(statement, _sign(case_id, decision, officer, reason)):
        raise DecisionUnproven
    account_id = queries.get_case(case_id).account_id
    with transaction.atomic():
        locked_account(account_id)
        case = queries.get_case(case_id)
        if not _is_repeated(case, decision, officer, reason):
            _check(case, officer)
            _end(case, decision, reason, officer)
            if decision is CaseDecision.REJECT:
                freeze_account(key=key, account_id=account_id, cause=REJECTED_CAUSE, run_id=run_id)
        return CaseRuling(case_id=case_id, account_id=account_id, decision=decision, officer=officer)


def lift_rejection(*, key: str, undone_key: str, account_id: UUID, run_id: UUID | None = None) -> None:
    """Lift the freeze that a rejection placed. The decision itself stays: it was taken.

    Where nothing was frozen the key is voided, so that a late attempt does not freeze. Raises what `lift_freeze` does.
    """
    lift_freeze(key=key, undone_key=undone_key, account_id=account_id, run_id=run_id)


def _end(case: contracts.ComplianceCase, decision: CaseDecision, reason: str, officer: str) -> None:
    now = clock.now()
    ComplianceCase.objects.filter(pk=case.id).update(
        status=_ENDED[decision], decided_by=officer, reason=reason, closed_at=now
    )
    if decision is CaseDecision.REJECT:
        others = ComplianceCase.objects.filter(account_id=case.account_id, status=CaseStatus.OPEN)
        others.update(status=CaseStatus.SUPERSEDED, closed_at=now)


def _check(case: contracts.ComplianceCase, officer: str) -> None:
    if officer in case.involved:
        raise SameOfficer
    if case.status is not CaseStatus.OPEN:
        raise CaseDecided(case.id, case.status)


def _is_repeated(case: contracts.ComplianceCase, decision: CaseDecision, officer: str, reason: str) -> bool:
    return (case.status, case.decided_by, case.reason) == (_ENDED[decision], officer, reason)


def _live_run(run_id: UUID | None) -> UUID | None:
    """The present link of the run that opened the case, unless it is closed."""
    while run_id is not None:
        run = runs.get_run(run_id)
        if run.continued_by is None:
            return None if run.closed_at is not None else run_id
        run_id = run.continued_by
    return None


def _officer_name(actor: engine.Actor) -> str:
    if isinstance(actor, str) and actor.strip():
        return actor
    if isinstance(actor, AbstractBaseUser) and not isinstance(actor, AnonymousUser):
        return actor.get_username()
    raise OfficerUnknown


def _checked_reason(reason: str) -> str:
    trimmed = reason.strip()
    if not trimmed or len(trimmed) > _REASON_LENGTH or "\x00" in trimmed:
        raise ReasonMissing
    return trimmed


def _sign(case_id: UUID, decision: CaseDecision, officer: str, reason: str) -> str:
    return signing.Signer(salt=_SALT).signature("\x1f".join((str(case_id), decision, officer, reason)))

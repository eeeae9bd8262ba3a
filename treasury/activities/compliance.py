"""What compliance does, step by step. Each activity calls one operation or query."""

from __future__ import annotations

from uuid import UUID

from treasury import operations, queries
from treasury.contracts import CaseDecision, CaseRuling, CaseStatus, Finding, OpenedCase
from treasury.errors import UndoneKeyMissing
from workflows import Retry, activity, activity_info

#: An outage of a third party; after it an officer checks by hand.
_OUTAGE = Retry(max_attempts=8, initial=2.0, backoff=2.0, maximum=300.0)


@activity(retry=_OUTAGE)
def check_identity(*, account_id: UUID) -> tuple[Finding, ...]:
    """Have the holder's documents verified."""
    return operations.check_identity(key=activity_info().idempotency_key, account_id=account_id)


@activity(retry=_OUTAGE)
def screen_holder(*, account_id: UUID) -> tuple[Finding, ...]:
    """Look the holder up in the sanctions lists."""
    return operations.screen_holder(key=activity_info().idempotency_key, account_id=account_id)


@activity(retry=_OUTAGE)
def screen_counterparty(*, movement_id: UUID) -> tuple[Finding, ...]:
    """Look a movement's other side up in the sanctions lists, where it is known."""
    return operations.screen_counterparty(key=activity_info().idempotency_key, movement_id=movement_id)


@activity
def judge_movement(*, movement_id: UUID) -> tuple[Finding, ...]:
    """Hold a movement against threshold and structuring rule."""
    return queries.judge_movement(movement_id)


@activity(transactional=True)
def withdraw_case(*, account_id: UUID) -> CaseStatus:
    """Withdraw a case that is still open; a recorded no-op for one that was decided. Runs only as an undo."""
    info = activity_info()
    if info.undone_key is None:
        raise UndoneKeyMissing
    return operations.withdraw_case(
        key=info.idempotency_key, undone_key=info.undone_key, account_id=account_id, run_id=info.run_id
    )


@activity(transactional=True, undo=withdraw_case, undo_when="attempted")
def open_case(*, account_id: UUID, movement_id: UUID | None, findings: tuple[Finding, ...]) -> OpenedCase:
    """Open a case about an opening or a movement."""
    info = activity_info()
    return operations.open_case(
        key=info.idempotency_key,
        account_id=account_id,
        movement_id=movement_id,
        findings=findings,
        run_id=info.run_id,
    )


@activity(transactional=True)
def escalate_case(*, case_id: UUID) -> CaseStatus:
    """Mark a case whose time is over; it stays open. A mark is not undone: the time was over."""
    return operations.escalate_case(case_id)


@activity(transactional=True)
def lift_rejection(*, account_id: UUID, decision: CaseDecision) -> None:
    """Lift the freeze of a rejected account; a recorded no-op for a case that was cleared. Runs only as an undo."""
    info = activity_info()
    if info.undone_key is None:
        raise UndoneKeyMissing
    if decision is CaseDecision.REJECT:
        operations.lift_rejection(
            key=info.idempotency_key, undone_key=info.undone_key, account_id=account_id, run_id=info.run_id
        )


@activity(transactional=True, undo=lift_rejection)
def conclude_case(*, case_id: UUID, decision: CaseDecision, reason: str, officer: str, statement: str) -> CaseRuling:
    """Record an officer's decision; a rejection freezes the account with it."""
    info = activity_info()
    return operations.conclude_case(
        key=info.idempotency_key,
        case_id=case_id,
        decision=decision,
        reason=reason,
        officer=officer,
        statement=statement,
        run_id=info.run_id,
    )

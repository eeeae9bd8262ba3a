"""Checks of holders and movements, and the cases that come of them."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from treasury import contracts, queries
from treasury.contracts import (
    CASE_PERIOD,
    CaseStatus,
    CaseTrigger,
    DocumentCheck,
    DocumentStatus,
    Finding,
    OpenedCase,
    ScreeningSubject,
)
from treasury.errors import CaseVoided, IdempotencyConflict, UnknownCase
from treasury.models import CaseFinding, ComplianceCase
from treasury.operations.locking import locked_account
from treasury.ports import chosen
from treasury.rules import compliance as rules
from treasury.rules.keys import part
from workflows import clock


def check_identity(*, key: str, account_id: UUID) -> tuple[Finding, ...]:
    """Have the holder's documents verified; none at all are incomplete, and nobody is asked.

    Raises UnknownAccount and the errors of `finaegis.shared.third_party`.
    """
    account, holder = queries.get_account(account_id), queries.get_holder(account_id)
    if not holder.documents:
        return rules.identity_findings(DocumentCheck(status=DocumentStatus.INCOMPLETE))
    check = chosen.document_verification().verify(key=key, holder=account.name, documents=holder.documents)
    return rules.identity_findings(check)


def screen_holder(*, key: str, account_id: UUID) -> tuple[Finding, ...]:
    """Look the holder up in the sanctions lists. Raises UnknownAccount and the errors of third parties."""
    account, holder = queries.get_account(account_id), queries.get_holder(account_id)
    return _screen(key, account.name, holder.country)


def screen_counterparty(*, key: str, movement_id: UUID) -> tuple[Finding, ...]:
    """Look a movement's other side up, where it is known. Raises UnknownMovement and the errors of third parties."""
    movement = queries.get_movement(movement_id)
    if not movement.counterparty.strip():
        return ()
    return _screen(key, movement.counterparty, movement.country)


def open_case(
    *,
    key: str,
    account_id: UUID,
    movement_id: UUID | None,
    findings: tuple[Finding, ...],
    run_id: UUID | None = None,
) -> OpenedCase:
    """Open a case about an account's opening (no movement) or a movement, for an officer to decide in 30 days.

    A movement has one case: it is given however often it is asked for. The same key gives the case that exists, for
    another account or movement IdempotencyConflict. Raises CaseVoided when
    it was undone before, UnknownAccount, UnknownMovement, InvalidKey.
    """
    part(key, "case")
    if not findings:
        raise ValueError("a case has findings")
    with transaction.atomic():
        account = locked_account(account_id)
        known = ComplianceCase.objects.filter(key=key).first()
        if known is not None:
            if known.status == CaseStatus.VOID:
                raise CaseVoided(f"case {key} was undone before it was opened")
            if (known.account_id, known.movement_id) != (account_id, movement_id):
                raise IdempotencyConflict(key)
            return _opened(known)
        if movement_id is not None:
            if queries.get_movement(movement_id).account_id != account_id:
                raise IdempotencyConflict(key)
            same = ComplianceCase.objects.filter(movement_id=movement_id).first()
            if same is not None:
                return _opened(same)
        now = clock.now()
        row = ComplianceCase(
            account=account,
            key=key,
            trigger=CaseTrigger.OPENING if movement_id is None else CaseTrigger.MOVEMENT,
            movement_id=movement_id,
            opened_at=now,
            deadline=now + CASE_PERIOD,
            run_id=run_id,
        )
        row.save(force_insert=True)
        CaseFinding.objects.bulk_create(
            CaseFinding(case=row, place=place, kind=item.kind, detail=item.detail)
            for place, item in enumerate(findings, start=1)
        )
        return _opened(row)


def withdraw_case(*, key: str, undone_key: str, account_id: UUID, run_id: UUID | None = None) -> CaseStatus:
    """Undo the opening of the case that was opened with `undone_key`; gives how the case stands then.

    One that was decided stays as it is: a decision is a fact. One that was never opened is recorded as void, so that a
    late attempt does not open it.
    """
    part(key, "withdrawn")
    with transaction.atomic():
        account = locked_account(account_id)
        now = clock.now()
        row = ComplianceCase.objects.select_for_update().filter(key=undone_key).first()
        if row is None:
            ComplianceCase(
                account=account, key=undone_key, trigger=CaseTrigger.OPENING, status=CaseStatus.VOID,
                opened_at=now, deadline=now, closed_at=now, run_id=run_id,
            ).save(force_insert=True)  # fmt: skip
            return CaseStatus.VOID
        if row.account_id != account_id:
            raise IdempotencyConflict(undone_key)
        if row.status == CaseStatus.OPEN:
            row.status, row.closed_at = CaseStatus.WITHDRAWN, now
            row.save(update_fields=["status", "closed_at"])
        return CaseStatus(row.status)


def escalate_case(case_id: UUID) -> contracts.CaseStatus:
    """Mark an open case as overdue: it stays open, and stands first in its queue. Any other stays as it is.

    Raises UnknownCase.
    """
    with transaction.atomic():
        row = ComplianceCase.objects.select_for_update().filter(pk=case_id).first()
        if row is None:
            raise UnknownCase(case_id)
        if row.status == CaseStatus.OPEN and row.overdue_at is None:
            row.overdue_at = clock.now()
            row.save(update_fields=["overdue_at"])
        return CaseStatus(row.status)


def _screen(key: str, name: str, country: str | None) -> tuple[Finding, ...]:
    subject = ScreeningSubject(name=name, country=country)
    return rules.screening_findings(name, chosen.sanctions_screening().screen(key=key, subject=subject))


def _opened(row: ComplianceCase) -> OpenedCase:
    return OpenedCase(
        case_id=row.id,
        deadline=row.deadline,
        involved=row.involved,
        overdue=row.overdue_at is not None,
        status=CaseStatus(row.status),
    )

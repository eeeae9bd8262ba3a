"""What an officer decides: returned payments, and matches with a sanctions list."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from ledger import operations as ledger
from ledger.contracts import Leg
from wallet import contracts
from wallet.contracts import (
    EXTERNAL,
    IN_TRANSIT,
    SUSPENSE,
    SUSPENSE_OWNER,
    WALLET,
    CaseKind,
    CaseStatus,
    DestinationStatus,
    EventKind,
    Resolution,
    WithdrawalStatus,
)
from wallet.errors import (
    CaseResolved,
    IdempotencyConflict,
    InvalidResolution,
    NotReturnable,
    ReasonMissing,
    UnknownCase,
)
from wallet.models import Case, Destination, Withdrawal
from wallet.operations.rows import end, ledger_account, locked_withdrawal, record
from wallet.rules.keys import part
from workflows import clock

_RESOLUTIONS = {
    CaseKind.SANCTIONS: frozenset({Resolution.CLEARED, Resolution.CONFIRMED}),
    CaseKind.RETURN: frozenset({Resolution.CREDITED, Resolution.RETAINED}),
}


def record_return(*, key: str, withdrawal_id: UUID, reason: str, actor: str) -> contracts.Case:
    """The rail sent a completed withdrawal back: its money waits in transit, and a case is open.

    The same key with the same withdrawal gives the case that exists. Raises UnknownWithdrawal, NotReturnable,
    ReasonMissing, IdempotencyConflict, InvalidKey.
    """
    reason = _checked_reason(reason)
    money_key = part(key, "return")
    with transaction.atomic():
        row = locked_withdrawal(withdrawal_id)
        known = Case.objects.filter(key=key).first()
        if known is not None:
            if (known.withdrawal_id, known.kind) != (withdrawal_id, CaseKind.RETURN):
                raise IdempotencyConflict(key)
            return known.as_contract()
        if row.status != WithdrawalStatus.COMPLETED:
            raise NotReturnable(row.id, row.status)
        outside = ledger.open_account(owner=EXTERNAL, kind=EXTERNAL, currency=row.currency, may_go_negative=True)
        ledger.transfer(
            key=money_key,
            legs=[Leg(outside.id, -row.amount), Leg(ledger_account(row.account, IN_TRANSIT).id, row.amount)],
            description="withdrawal returned by the rail",
            run_id=row.run_id,
        )
        end(row, WithdrawalStatus.RETURNED, EventKind.RETURNED, reason="returned", actor=actor, detail=reason)
        case = Case(
            withdrawal=row, kind=CaseKind.RETURN, details=reason, opened_at=clock.now(), opened_by=actor, key=key
        )
        try:
            case.save(force_insert=True)
        except IntegrityError:  # the key was used for another withdrawal at the same moment
            raise IdempotencyConflict(key) from None
    return case.as_contract()


def resolve_case(case_id: UUID, *, resolution: Resolution, reason: str, actor: str) -> contracts.Case:
    """End a case, once, with what it decides about money or destination.

    Sanctions: `cleared` allows the destination again, `confirmed` leaves it blocked. Return: `credited` puts the money
    back on the customer's account, `retained` sets it aside. The same resolution again gives the case as it is. Raises
    UnknownCase, InvalidResolution, CaseResolved, ReasonMissing.
    """
    reason = _checked_reason(reason)
    with transaction.atomic():
        found = Case.objects.filter(pk=case_id).first()
        if found is None:
            raise UnknownCase(case_id)
        row = locked_withdrawal(found.withdrawal_id)
        case = Case.objects.select_for_update().get(pk=case_id)
        if case.status == CaseStatus.RESOLVED:
            if case.resolution != resolution:
                raise CaseResolved(f"this case was resolved as {case.resolution}")
            return case.as_contract()
        if resolution not in _RESOLUTIONS[CaseKind(case.kind)]:
            raise InvalidResolution(f"a case of kind {case.kind} is not resolved as {resolution}")
        _carry_out(row, resolution)
        case.status = CaseStatus.RESOLVED
        case.resolution = resolution
        case.resolution_reason = reason
        case.resolved_by = actor
        case.resolved_at = clock.now()
        case.save()
        record(row, EventKind.CASE_RESOLVED, actor=actor, detail=f"{resolution}: {reason}")
    return case.as_contract()


def _carry_out(row: Withdrawal, resolution: Resolution) -> None:
    if resolution == Resolution.CLEARED:
        blocked = Destination.objects.filter(pk=row.destination_id, status=DestinationStatus.BLOCKED)
        blocked.update(status=DestinationStatus.ALLOWED)
    elif resolution == Resolution.CREDITED:
        _move_returned(row, ledger_account(row.account, WALLET).id, "returned withdrawal credited")
        row.status = WithdrawalStatus.RETURN_CREDITED
        row.save(update_fields=["status"])
    elif resolution == Resolution.RETAINED:
        kept = ledger.open_account(owner=SUSPENSE_OWNER, kind=SUSPENSE, currency=row.currency)
        _move_returned(row, kept.id, "returned withdrawal retained")


def _move_returned(row: Withdrawal, to_account_id: UUID, description: str) -> None:
    ledger.transfer(
        key=f"wallet:{row.id}/return-resolved",
        legs=[Leg(ledger_account(row.account, IN_TRANSIT).id, -row.amount), Leg(to_account_id, row.amount)],
        description=description,
        run_id=row.run_id,
    )


def _checked_reason(reason: str) -> str:
    text = reason.strip()
    if not text:
        raise ReasonMissing
    return text[:2000]

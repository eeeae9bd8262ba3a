"""Freezing treasury accounts, and lifting that. Whoever freezes lifts its own freeze and no other."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from treasury import contracts
from treasury.contracts import AccountStatus, FreezeStatus
from treasury.errors import FreezeVoided, IdempotencyConflict, InvalidFreeze
from treasury.events import TreasuryAccountFrozen, TreasuryAccountUnfrozen
from treasury.models import Freeze, TreasuryAccount, TreasuryAggregate
from treasury.operations.locking import locked_account
from treasury.rules.keys import part
from workflows import clock

_CAUSE_LENGTH = 200


def freeze_account(*, key: str, account_id: UUID, cause: str, run_id: UUID | None = None) -> contracts.Freeze:
    """Freeze an account: it takes no new allocations until every freeze of it is lifted.

    Records TreasuryAccountFrozen. The same key gives the freeze that was placed, for another account or cause
    IdempotencyConflict. Raises UnknownAccount, InvalidFreeze, InvalidKey, and FreezeVoided when it was undone before.
    """
    if not cause.strip() or len(cause) > _CAUSE_LENGTH or not cause.isprintable():
        raise InvalidFreeze(f"cause must be 1 to {_CAUSE_LENGTH} printable characters")
    recorded = part(key, "frozen")
    with transaction.atomic():
        account = locked_account(account_id)
        known = Freeze.objects.filter(key=key).first()
        if known is not None:
            return _repeated(known, account_id, cause)
        now = clock.now()
        row = Freeze(account=account, key=key, cause=cause, run_id=run_id, placed_at=now)
        row.save(force_insert=True)
        _set_status(account, AccountStatus.FROZEN)
        event = TreasuryAccountFrozen(account_id=account_id, freeze_id=row.id, cause=cause, run_id=run_id)
        TreasuryAggregate.retrieve(account_id).record(event, key=recorded).persist(at=now)
        return row.as_contract()


def lift_freeze(*, key: str, undone_key: str, account_id: UUID, run_id: UUID | None = None) -> contracts.Freeze:
    """Lift the freeze that was placed with `undone_key`; the account is active again once none is left.

    Records TreasuryAccountUnfrozen. A freeze that was never placed is recorded as void, so that a late attempt does not
    place it. Repeating it gives the same answer. Raises UnknownAccount, and IdempotencyConflict for a freeze of another
    account.
    """
    recorded = part(key, "lifted")
    with transaction.atomic():
        account = locked_account(account_id)
        now = clock.now()
        row = Freeze.objects.filter(key=undone_key).first()
        if row is None:
            void = Freeze(
                account=account, key=undone_key, cause="undone before it was placed", run_id=run_id,
                status=FreezeStatus.VOID, placed_at=now, lifted_at=now,
            )  # fmt: skip
            void.save(force_insert=True)
            return void.as_contract()
        if row.account_id != account_id:
            raise IdempotencyConflict(undone_key)
        if row.status != FreezeStatus.PLACED:
            return row.as_contract()
        row.status, row.lifted_at = FreezeStatus.LIFTED, now
        row.save(update_fields=["status", "lifted_at"])
        if not Freeze.objects.filter(account=account, status=FreezeStatus.PLACED).exists():
            _set_status(account, AccountStatus.ACTIVE)
        event = TreasuryAccountUnfrozen(account_id=account_id, freeze_id=row.id, cause=row.cause, run_id=run_id)
        TreasuryAggregate.retrieve(account_id).record(event, key=recorded).persist(at=now)
        return row.as_contract()


def _repeated(known: Freeze, account_id: UUID, cause: str) -> contracts.Freeze:
    if known.account_id != account_id:
        raise IdempotencyConflict(known.key)
    if known.status == FreezeStatus.VOID:
        raise FreezeVoided(known.key)
    if known.cause != cause:
        raise IdempotencyConflict(known.key)
    return known.as_contract()


def _set_status(account: TreasuryAccount, status: AccountStatus) -> None:
    account.status = status
    account.save(update_fields=["status"])

"""Setting money aside on an account, and resolving that once: captured, released or expired."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from uuid import UUID

from django.db import transaction

from finaegis.shared.money import Money
from ledger import contracts, models, rules
from ledger.contracts import HoldStatus, Leg
from ledger.errors import CaptureTooLarge, HoldNotOpen, InvalidKey, InvalidTransfer, UnknownHold
from ledger.models import Act
from ledger.operations import keys
from ledger.operations.posting import check_currency, lock_accounts, move, post
from ledger.queries.reading import hold_value
from workflows import clock


def place_hold(*, key: str, account_id: UUID, amount: Money, run_id: UUID | None = None) -> contracts.Hold:
    """Set an amount aside: it leaves what is available, not the balance.

    The same key with the same account and amount gives the stored hold, as it stands now. Raises
    `AmountNotPositive`, `UnknownAccount`, `CurrencyMismatch`, `InsufficientFunds`, `IdempotencyConflict`, and
    `KeyVoided` if the key was released before it was used.
    """
    rules.check_positive(amount)
    hold_id = uuid.uuid4()
    with transaction.atomic():
        payload = rules.digest("hold", str(account_id), amount.to_text(), amount.currency)
        used = keys.claim_or_repeat(key, Act.HOLD, payload, hold_id)
        if used is not None:
            return hold_value(models.Hold.objects.get(pk=used.made_id))
        account = lock_accounts([account_id])[account_id]
        check_currency(account, amount)
        move(account, 0, held=amount.to_minor())
        row = models.Hold(
            id=hold_id,
            key=key,
            account=account,
            currency=account.currency,
            amount_minor=amount.to_minor(),
            captured_minor=0,
            status=HoldStatus.HELD,
            run_id=run_id,
            placed_at=clock.now(),
        )
        row.save(force_insert=True)
        account.save(update_fields=["held_minor"])
        return hold_value(row)


def capture_hold(
    *, key: str, hold_key: str, amount: Money, to_account_id: UUID, run_id: UUID | None = None
) -> contracts.Hold:
    """Take an amount out of a hold: one transfer, under `key`, to the account named; the rest is released.

    The same key with the same payload gives the stored hold. Raises `AmountNotPositive`, `UnknownHold`, `HoldNotOpen`,
    `CaptureTooLarge`, `InvalidTransfer` (to the account that holds it), and what a transfer refuses.
    """
    rules.check_positive(amount)
    transfer_id = uuid.uuid4()
    with transaction.atomic():
        payload = rules.digest("capture", hold_key, str(to_account_id), amount.to_text(), amount.currency)
        used = keys.claim_or_repeat(key, Act.CAPTURE, payload, transfer_id)
        if used is not None:
            return hold_value(models.Hold.objects.get(capture_id=used.made_id))
        row = _locked(hold_key)
        if row.status != HoldStatus.HELD:
            raise HoldNotOpen(hold_key, row.status)
        if amount.currency == row.currency and amount > row.amount:
            raise CaptureTooLarge(held=row.amount, asked=amount)
        if to_account_id == row.account_id:
            raise InvalidTransfer("a capture takes the money to another account")
        post(
            transfer_id=transfer_id,
            key=key,
            legs=(Leg(row.account_id, -amount), Leg(to_account_id, amount)),
            description="capture of a hold",
            run_id=run_id,
            no_longer_held={row.account_id: row.amount_minor},
        )
        row.captured_minor = amount.to_minor()
        row.capture_id = transfer_id
        _resolve(row, HoldStatus.CAPTURED)
        return hold_value(row)


def release_hold(*, key: str, hold_key: str) -> contracts.Hold | None:
    """Give back what is held; for a hold that was resolved before, a recorded no-op that gives it as it is.

    If `hold_key` was never used it is voided, a later hold with it is refused, and there is no hold to give back:
    None. Repeating a key changes nothing. Raises `UnknownHold` if `hold_key` belongs to something else,
    `IdempotencyConflict`.
    """
    return _end(key, hold_key, Act.RELEASE, HoldStatus.RELEASED, _meet_or_void)


def expire_hold(*, key: str, hold_key: str) -> contracts.Hold:
    """Give back what is held because its time is over; a recorded no-op if it was resolved before.

    Unlike a release it voids nothing: raises `UnknownHold` if no such hold was placed, `IdempotencyConflict`.
    """
    hold = _end(key, hold_key, Act.EXPIRY, HoldStatus.EXPIRED, _locked)
    assert hold is not None
    return hold


def _end(
    key: str, hold_key: str, act: Act, status: HoldStatus, meet: Callable[[str], models.Hold | None]
) -> contracts.Hold | None:
    if key == hold_key:
        raise InvalidKey("ending a hold needs a key of its own")
    payload = rules.digest(act.value, hold_key)
    with transaction.atomic():
        used = keys.find_repetition(key, act, payload)
        if used is None:
            row = meet(hold_key)
            used = keys.claim_or_repeat(key, act, payload, None if row is None else row.id)
            if used is None and row is not None and row.status == HoldStatus.HELD:
                account = lock_accounts([row.account_id])[row.account_id]
                move(account, 0, held=-row.amount_minor)
                account.save(update_fields=["held_minor"])
                _resolve(row, status)
        row = models.Hold.objects.filter(key=hold_key).first()
        return None if row is None else hold_value(row)


def _meet_or_void(hold_key: str) -> models.Hold | None:
    """The hold, locked; None once its key is void."""
    used = keys.void_or_lock(hold_key)
    if used.act == Act.VOID:
        return None
    return _locked(hold_key)


def _locked(hold_key: str) -> models.Hold:
    row = models.Hold.objects.select_for_update(no_key=True).filter(key=hold_key).first()
    if row is None:
        raise UnknownHold(hold_key)
    return row


def _resolve(row: models.Hold, status: HoldStatus) -> None:
    row.status = status
    row.resolved_at = clock.now()
    row.save(update_fields=["status", "captured_minor", "capture", "resolved_at"])

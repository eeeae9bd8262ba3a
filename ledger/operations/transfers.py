"""Moving money, and moving it back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db import transaction

from ledger import contracts, models, rules
from ledger.contracts import Leg, Reversal
from ledger.errors import InvalidKey, NotReversible
from ledger.models import Act, UsedKey
from ledger.operations import keys
from ledger.operations.posting import check_description, post
from ledger.queries.reading import transfer_value

#: Acts whose key stands for a transfer that an undo may reverse. Undoing an undo is a new transfer.
_REVERSIBLE = frozenset({Act.TRANSFER, Act.CAPTURE})


def transfer(
    *,
    key: str,
    legs: Sequence[Leg],
    description: str = "",
    run_id: UUID | None = None,
    value_date: date | None = None,
) -> contracts.Transfer:
    """Move money between accounts: the legs sum to zero in every currency.

    The same key with the same legs, description and value date gives the stored transfer. The value date is the open
    business date unless given. Raises `InvalidTransfer`, `Unbalanced`, `UnknownAccount`, `CurrencyMismatch`,
    `InsufficientFunds` (a debit beyond what is available, unless the account may go negative), `BalanceTooLarge`,
    `BusinessDayClosed`, `IdempotencyConflict`, and `KeyVoided` if the key was undone before.
    """
    rules.check_legs(legs)
    check_description(description)
    transfer_id = uuid.uuid4()
    with transaction.atomic():
        payload = rules.transfer_payload(legs, description, value_date)
        used = keys.claim_or_repeat(key, Act.TRANSFER, payload, transfer_id)
        if used is not None:
            return _stored(used.made_id)
        return post(
            transfer_id=transfer_id,
            key=key,
            legs=legs,
            description=description,
            run_id=run_id,
            value_date=value_date,
        )


def reverse_transfer(*, key: str, undone_key: str, description: str = "", run_id: UUID | None = None) -> Reversal:
    """Undo the transfer that was made, or captured, with `undone_key`.

    Posts the opposite transfer under `key`; if another key undid it before, gives that reversal, so the money goes back
    once whoever asks. If `undone_key` was never used it is voided, and a later transfer with it is refused. Repeating
    a key gives the stored outcome. Raises `IdempotencyConflict`, `NotReversible` (the key of a hold, or of an undo),
    `InsufficientFunds` if the money is no longer there.
    """
    check_description(description)
    if key == undone_key:
        raise InvalidKey("an undo needs a key of its own")
    payload = rules.digest("reversal", undone_key, description)
    with transaction.atomic():
        used = keys.find_repetition(key, Act.REVERSAL, payload)
        if used is not None:
            return _outcome(used)
        undone = _reversible(keys.void_or_lock(undone_key))
        reversal_id = None if undone is None else _reversal_id(undone) or uuid.uuid4()
        used = keys.claim_or_repeat(key, Act.REVERSAL, payload, reversal_id)
        if used is not None:  # the same undo, at the same moment, came first
            return _outcome(used)
        if undone is None or reversal_id is None:
            return Reversal("void", None)
        if _reversal_id(undone) is not None:
            return Reversal("reversed", _stored(reversal_id))
        posted = post(
            transfer_id=reversal_id,
            key=key,
            legs=rules.opposite(transfer_value(undone).legs),
            description=description,
            run_id=run_id,
            reverses=undone.id,
        )
        return Reversal("reversed", posted)


def _reversible(used: UsedKey) -> models.Transfer | None:
    """The transfer a key stands for, None if the key is void."""
    if used.act == Act.VOID:
        return None
    if used.act not in _REVERSIBLE:
        raise NotReversible(used.key, used.act)
    return models.Transfer.objects.get(pk=used.made_id)


def _reversal_id(undone: models.Transfer) -> UUID | None:
    return models.Transfer.objects.filter(reverses=undone).values_list("pk", flat=True).first()


def _outcome(used: UsedKey) -> Reversal:
    if used.subject_id is None:
        return Reversal("void", None)
    return Reversal("reversed", _stored(used.subject_id))


def _stored(transfer_id: UUID) -> contracts.Transfer:
    return transfer_value(models.Transfer.objects.prefetch_related("postings").get(pk=transfer_id))

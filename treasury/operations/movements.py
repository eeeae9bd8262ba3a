"""Money that comes into a treasury account from outside, and goes out of it."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from treasury import contracts, queries
from treasury.contracts import EXTERNAL, OPERATING, Direction
from treasury.errors import AccountFrozen, IdempotencyConflict, InsufficientFunds, InvalidMovement
from treasury.events import LargeMovementRecorded
from treasury.models import Movement, TreasuryAccount
from treasury.operations.locking import locked_account
from treasury.rules.keys import part
from treasury.rules.movements import check_amount, check_counterparty
from workflows import clock, events


def record_movement(
    *,
    key: str,
    account_id: UUID,
    direction: str,
    amount: Money,
    counterparty: str = "",
    country: str | None = None,
    recorded_by: str = "",
) -> contracts.Movement:
    """Book money in from outside, or out of the operating account, with a row that compliance examines.

    One that has to be examined is published as LargeMovementRecorded. The same key with the same facts gives the
    movement that exists (`created` tells which), with others IdempotencyConflict. Raises UnknownAccount, AccountFrozen
    where compliance rejected the account, InvalidMovement, CurrencyMismatch, AmountNotPositive, InsufficientFunds,
    InvalidKey.
    """
    money_key = part(key, "movement")
    check_counterparty(counterparty, country)
    way = _direction(direction)
    with transaction.atomic():
        account = locked_account(account_id)
        known = Movement.objects.filter(key=key).first()
        if known is not None:
            facts = (account_id, way.value, amount, counterparty, country or "")
            if (known.account_id, known.direction, known.amount, known.counterparty, known.country) != facts:
                raise IdempotencyConflict(key)
            return known.as_contract()
        check_amount(amount, account.currency)
        if queries.is_rejected(account_id):
            raise AccountFrozen(account_id)
        if way is Direction.OUT and queries.get_available(account.as_contract()) < amount:
            raise InsufficientFunds(f"less than {amount} is available")
        return note_movement(
            account, way, amount, key=key, money_key=money_key, counterparty=counterparty, country=country,
            recorded_by=recorded_by, description=f"money {way.value}",
        )  # fmt: skip


def note_movement(
    account: TreasuryAccount,
    direction: Direction,
    amount: Money,
    *,
    key: str,
    money_key: str,
    counterparty: str,
    country: str | None,
    recorded_by: str,
    description: str,
) -> contracts.Movement:
    """Move the money and write the row, in the caller's transaction and under the account's lock."""
    outside = ledger.open_account(owner=EXTERNAL, kind=EXTERNAL, currency=account.currency, may_go_negative=True)
    operating = ledger_queries.find_account(owner=account.ledger_owner, kind=OPERATING, currency=account.currency)
    assert operating is not None
    inwards = amount if direction is Direction.IN else -amount
    ledger.transfer(
        key=money_key,
        legs=[Leg(outside.id, -inwards), Leg(operating.id, inwards)],
        description=description,
    )
    row = Movement(
        account=account,
        key=key,
        direction=direction.value,
        currency=account.currency,
        amount_minor=amount.to_minor(),
        counterparty=counterparty,
        country=country or "",
        moved_at=clock.now(),
        recorded_by=recorded_by,
    )
    row.save(force_insert=True)
    if queries.judge_movement(row.id):
        events.publish(LargeMovementRecorded(account_id=account.id, movement_id=row.id))
    return contracts.Movement(
        id=row.id,
        account_id=account.id,
        direction=direction,
        amount=amount,
        counterparty=counterparty,
        country=country,
        moved_at=row.moved_at,
        recorded_by=recorded_by,
        created=True,
    )


def _direction(word: str) -> Direction:
    try:
        return Direction(word)
    except ValueError:
        raise InvalidMovement("a movement goes in or out") from None

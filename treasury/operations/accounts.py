"""Opening treasury accounts."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.db import IntegrityError, transaction

from finaegis.shared.money import Money, scale_of
from ledger import operations as ledger
from treasury import contracts, queries
from treasury.contracts import LEDGER_KINDS, Direction, HolderFacts
from treasury.errors import AmountNotPositive, CurrencyMismatch, IdempotencyConflict, InvalidAccount
from treasury.events import TreasuryAccountCreated
from treasury.models import AccountHolder, TreasuryAccount, TreasuryAggregate
from treasury.operations.movements import note_movement
from treasury.rules.keys import part
from workflows import clock, events

_NAME_LENGTH = 200
_TYPE_LENGTH = 40


_NOTHING_TOLD = HolderFacts()


def open_treasury_account(
    *,
    name: str,
    currency: str,
    initial_balance: Money | None = None,
    account_type: str = "operating",
    holder: HolderFacts = _NOTHING_TOLD,
    opened_by: str = "",
    key: str,
) -> contracts.TreasuryAccount:
    """Open an account with its four ledger accounts and, if given, its opening balance from outside.

    Records TreasuryAccountCreated and publishes it. `holder` is what compliance checks, `opened_by` the user who does
    not decide about it; the opening balance is the account's first movement. The same key with the same facts gives the
    account that exists (`created` tells which); with others it raises IdempotencyConflict. Raises InvalidAccount,
    InvalidKey, CurrencyMismatch, AmountNotPositive or money's UnknownCurrency for facts that do not fit; an opening
    balance of zero is none.
    """
    _check(name, account_type, currency, initial_balance)
    created_key, opening_key = part(key, "created"), part(key, "opening")
    opening = initial_balance or None
    account = TreasuryAccount(
        name=name,
        currency=currency,
        account_type=account_type,
        opened_at=clock.now(),
        opening_key=key,
        initial_minor=None if opening is None else opening.to_minor(),
    )
    with transaction.atomic():
        # Insert or read: of two openings with one key the second waits for the first and then reads its account.
        try:
            with transaction.atomic():
                account.save(force_insert=True)
        except IntegrityError:
            return _existing(account, holder)
        open_ledger_accounts(account)
        AccountHolder.objects.create(
            account=account,
            country=holder.country or "",
            documents_json=AccountHolder.documents_text(holder),
            opened_by=opened_by,
        )
        event = TreasuryAccountCreated(
            account_id=account.id,
            account_type=account_type,
            name=name,
            currency=currency,
            initial_balance=opening,
        )
        TreasuryAggregate.retrieve(account.id).record(event, key=created_key).persist(at=account.opened_at)
        events.publish(event)
        if opening is not None:
            # After the event that starts the account's sagas: a large one reaches them.
            note_movement(
                account, Direction.IN, opening, key=opening_key, money_key=opening_key, counterparty="", country=None,
                recorded_by=opened_by, description=f"opening balance of {name}",
            )  # fmt: skip
    return replace(account.as_contract(), created=True)


def open_ledger_accounts(account: TreasuryAccount) -> dict[str, UUID]:
    """Open the ledger accounts of a treasury account, one for each kind; gives their ids by kind."""
    return {
        kind: ledger.open_account(owner=account.ledger_owner, kind=kind, currency=account.currency).id
        for kind in LEDGER_KINDS
    }


def _check(name: str, account_type: str, currency: str, initial_balance: Money | None) -> None:
    for label, value, longest in (("name", name, _NAME_LENGTH), ("account_type", account_type, _TYPE_LENGTH)):
        if not value.strip() or len(value) > longest or not value.isprintable():
            raise InvalidAccount(f"{label} must be 1 to {longest} printable characters")
    scale_of(currency)
    if initial_balance is None:
        return
    if initial_balance.currency != currency:
        raise CurrencyMismatch(expected=currency, found=initial_balance.currency)
    if initial_balance < Money.zero(currency):
        raise AmountNotPositive(f"an opening balance cannot be negative, as {initial_balance} is")


def _existing(asked: TreasuryAccount, holder: HolderFacts) -> contracts.TreasuryAccount:
    found = TreasuryAccount.objects.filter(opening_key=asked.opening_key).first()
    facts = ("name", "currency", "account_type", "initial_minor")
    if (
        found is None
        or any(getattr(found, fact) != getattr(asked, fact) for fact in facts)
        or queries.get_holder(found.id) != holder
    ):
        raise IdempotencyConflict(str(asked.opening_key))
    return found.as_contract()

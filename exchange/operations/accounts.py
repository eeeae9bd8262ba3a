"""Opening trading accounts, and putting money on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import IntegrityError, transaction

from exchange import contracts
from exchange.contracts import EXTERNAL, TRADING
from exchange.errors import AmountNotPositive, IdempotencyConflict, InvalidTradingAccount
from exchange.models import TradingAccount
from exchange.models.account import HOLDER_LENGTH, NAME_LENGTH
from exchange.operations.rows import account_row, open_ledger_accounts, trading_account_id
from exchange.rules.keys import part
from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger.contracts import Leg
from workflows import clock


def open_trading_account(
    *, key: str, holder: str, name: str, initial_balances: Sequence[Money] = ()
) -> contracts.TradingAccount:
    """Open a holder's trading account, with its opening balances from outside.

    A holder has one account. The same key with the same facts gives the account that exists (`created` tells which).
    Raises InvalidTradingAccount, AmountNotPositive, InvalidKey, and IdempotencyConflict: the key was used with other
    facts, or the holder has an account already.
    """
    opening_key = part(key, "opening")
    holder, name = _checked("holder", holder, HOLDER_LENGTH), _checked("name", name, NAME_LENGTH)
    if len({amount.currency for amount in initial_balances}) != len(initial_balances):
        raise InvalidTradingAccount("an account is opened with one balance of each currency")
    for amount in initial_balances:
        _check_positive(amount)
    digest = _digest(holder, name, initial_balances)
    with transaction.atomic():
        known = TradingAccount.objects.filter(opening_key=key).first()
        if known is not None:
            return _same(known, digest)
        row = TradingAccount(
            holder=holder, name=name, opened_at=clock.now(), opening_key=key, opening_digest=digest
        )  # fmt: skip
        # Of two openings with one key, or for one holder, the second finds the first.
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            first = TradingAccount.objects.filter(opening_key=key).first()
            if first is None:
                raise IdempotencyConflict(key, f"{holder!r} has a trading account already") from None
            return _same(first, digest)
        for amount in initial_balances:
            _fund(row.id, amount, key=f"{opening_key}/{amount.currency}", description="opening balance")
    return replace(row.as_contract(), created=True)


def deposit(*, key: str, account_id: UUID, amount: Money) -> contracts.TradingAccount:
    """Put money from outside on a trading account, once per key.

    Raises UnknownAccount, AmountNotPositive, InvalidKey, and the ledger's IdempotencyConflict.
    """
    deposit_key = part(key, "deposit")
    _check_positive(amount)
    with transaction.atomic():
        row = account_row(account_id)
        _fund(row.id, amount, key=deposit_key, description="deposit")
    return row.as_contract()


def _fund(account_id: UUID, amount: Money, *, key: str, description: str) -> None:
    open_ledger_accounts(account_id, amount.currency)
    outside = ledger.open_account(owner=EXTERNAL, kind=EXTERNAL, currency=amount.currency, may_go_negative=True)
    ledger.transfer(
        key=key,
        legs=[Leg(outside.id, -amount), Leg(trading_account_id(account_id, amount.currency), amount)],
        description=f"{description} of a {TRADING} account",
    )


def _checked(what: str, text: str, longest: int) -> str:
    text = text.strip()
    if not text or len(text) > longest or not text.isprintable():
        raise InvalidTradingAccount(f"a {what} is 1 to {longest} printable characters")
    return text


def _check_positive(amount: Money) -> None:
    if amount.to_minor() <= 0:
        raise AmountNotPositive(f"a deposit is more than zero, not {amount}")


def _digest(holder: str, name: str, amounts: Sequence[Money]) -> str:
    facts = [holder, name, sorted([amount.currency, amount.to_text()] for amount in amounts)]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _same(known: TradingAccount, digest: str) -> contracts.TradingAccount:
    if known.opening_digest != digest:
        raise IdempotencyConflict(known.opening_key)
    return known.as_contract()

"""Opening accounts, and locking several at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction

from finaegis.shared.money import MoneyError, scale_of
from ledger import contracts, models
from ledger.errors import AccountConflict, InvalidAccount, UnknownCurrency
from ledger.models import KIND_LENGTH, OWNER_LENGTH
from ledger.operations import posting
from ledger.operations.business_day import value_date_of
from ledger.operations.keys import is_storable
from ledger.queries.reading import account_value
from workflows import clock


def open_account(*, owner: str, kind: str, currency: str, may_go_negative: bool = False) -> contracts.Account:
    """The account of that owner, kind and currency, opened with a zero balance unless it exists.

    Raises `InvalidAccount`, `UnknownCurrency`, and `AccountConflict` if it exists with another `may_go_negative`.
    """
    for text, longest in ((owner, OWNER_LENGTH), (kind, KIND_LENGTH)):
        if not text or not is_storable(text, longest=longest):
            raise InvalidAccount("owner and kind are texts of at most 200 and 64 characters")
    try:
        scale_of(currency)
    except MoneyError as error:
        raise UnknownCurrency(str(error)) from None
    named = {"owner": owner, "kind": kind, "currency": currency}
    with transaction.atomic():
        row = models.Account.objects.filter(**named).first()
        if row is None:
            opened = models.Account(
                id=uuid.uuid4(),
                **named,
                may_go_negative=may_go_negative,
                balance_minor=0,
                held_minor=0,
                opened_at=clock.now(),
            )
            models.Account.objects.bulk_create([opened], ignore_conflicts=True)
            row = models.Account.objects.get(**named)
    if row.may_go_negative != may_go_negative:
        raise AccountConflict(row.id)
    return account_value(row)


def lock_accounts(account_ids: Iterable[uuid.UUID]) -> None:
    """Lock the open business day and these accounts, by id, until the caller's transaction ends.

    For a caller that moves money of several accounts by several operations in one transaction: each operation keeps
    the order among its own accounts only, so two such callers would wait for each other. Raises `UnknownAccount`.
    """
    value_date_of(None)
    posting.lock_accounts(account_ids)

"""One writer to an account at a time."""

from __future__ import annotations

from uuid import UUID

from treasury.errors import UnknownAccount
from treasury.models import TreasuryAccount


def locked_account(account_id: UUID) -> TreasuryAccount:
    """The account's row, locked until the end of the transaction; raises UnknownAccount."""
    account = TreasuryAccount.objects.select_for_update().filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    return account

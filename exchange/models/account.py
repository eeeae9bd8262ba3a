"""Who trades."""

from __future__ import annotations

import uuid

from django.db import models

from exchange import contracts

KEY_LENGTH = 255
NAME_LENGTH = 140
HOLDER_LENGTH = 150


class TradingAccount(models.Model):
    """What one holder trades with. Balances live in the ledger, by currency."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: The login that orders without an account belong to.
    holder = models.CharField(max_length=HOLDER_LENGTH, unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    opened_at = models.DateTimeField()
    #: The idempotency key it was opened with, and the SHA-256 over what was asked for then.
    opening_key = models.CharField(max_length=KEY_LENGTH, unique=True)
    opening_digest = models.CharField(max_length=64)

    class Meta:
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return self.name

    @property
    def ledger_owner(self) -> str:
        """Under which owner the ledger keeps this account's balances."""
        return ledger_owner(self.id)

    def as_contract(self) -> contracts.TradingAccount:
        return contracts.TradingAccount(
            id=self.id,
            holder=self.holder,
            name=self.name,
            ledger_owner=self.ledger_owner,
            opened_at=self.opened_at,
        )


def ledger_owner(account_id: uuid.UUID) -> str:
    """Under which owner the ledger keeps the balances of a trading account."""
    return f"exchange:{account_id}"

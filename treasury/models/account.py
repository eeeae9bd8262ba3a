"""Treasury accounts."""

from __future__ import annotations

import uuid

from django.db import models

from finaegis.shared.models import currency_code
from finaegis.shared.money import Money
from treasury import contracts
from treasury.contracts import AccountStatus

_STATUSES = [(status.value, status.value) for status in AccountStatus]


class TreasuryAccount(models.Model):
    """Whose money is managed. Balances live in the ledger, facts in the event stream of the same id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    currency = currency_code()
    account_type = models.CharField(max_length=40, default="operating")
    status = models.CharField(max_length=10, choices=_STATUSES, default=AccountStatus.ACTIVE.value)
    opened_at = models.DateTimeField()
    #: The idempotency key it was opened with, and the balance asked for then.
    opening_key = models.CharField(max_length=255, unique=True, null=True)
    initial_minor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in AccountStatus]),
                name="treasury_account_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(initial_minor__isnull=True) | models.Q(initial_minor__gt=0),
                name="treasury_account_initial_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"

    @property
    def ledger_owner(self) -> str:
        """Under which owner the ledger keeps this account's balances."""
        return f"treasury:{self.id}"

    @property
    def initial_balance(self) -> Money | None:
        return None if self.initial_minor is None else Money.from_minor(self.initial_minor, self.currency)

    def as_contract(self) -> contracts.TreasuryAccount:
        return contracts.TreasuryAccount(
            id=self.id,
            name=self.name,
            currency=self.currency,
            account_type=self.account_type,
            status=AccountStatus(self.status),
            ledger_owner=self.ledger_owner,
            opened_at=self.opened_at,
        )

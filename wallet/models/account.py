"""Customers, their wallet accounts, and where money of an account may go."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from finaegis.shared.models import currency_code
from wallet import contracts
from wallet.contracts import AccountStatus, DestinationStatus

KEY_LENGTH = 255
NAME_LENGTH = 140
ADDRESS_LENGTH = 64

_ACCOUNT_STATUSES = [(status.value, status.value) for status in AccountStatus]
_DESTINATION_STATUSES = [(status.value, status.value) for status in DestinationStatus]


class Customer(models.Model):
    """Whose money it is, and where confirmation links are sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=NAME_LENGTH)
    email = models.EmailField(max_length=254, unique=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    def as_contract(self) -> contracts.Customer:
        return contracts.Customer(id=self.id, name=self.name, email=self.email)


class WalletAccount(models.Model):
    """A customer's money in one currency. Balances live in the ledger."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="accounts")
    currency = currency_code()
    status = models.CharField(max_length=10, choices=_ACCOUNT_STATUSES, default=AccountStatus.ACTIVE.value)
    opened_at = models.DateTimeField()
    #: The idempotency key it was opened with, and the balance asked for then.
    opening_key = models.CharField(max_length=KEY_LENGTH, unique=True)
    initial_minor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "currency"], name="wallet_account_once"),
            models.CheckConstraint(
                condition=Q(status__in=[item.value for item in AccountStatus]), name="wallet_account_status_known"
            ),
            models.CheckConstraint(
                condition=Q(initial_minor__isnull=True) | Q(initial_minor__gt=0), name="wallet_account_initial_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer} ({self.currency})"

    @property
    def ledger_owner(self) -> str:
        """Under which owner the ledger keeps this account's balances."""
        return f"wallet:{self.id}"

    def as_contract(self) -> contracts.WalletAccount:
        return contracts.WalletAccount(
            id=self.id,
            customer=self.customer.as_contract(),
            currency=self.currency,
            status=AccountStatus(self.status),
            ledger_owner=self.ledger_owner,
            opened_at=self.opened_at,
        )


class Destination(models.Model):
    """An entry of an account's allow-list. It takes money from `usable_from` on; a removed one never again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(WalletAccount, on_delete=models.PROTECT, related_name="destinations")
    label = models.CharField(max_length=NAME_LENGTH)
    beneficiary = models.CharField(max_length=NAME_LENGTH)
    address = models.CharField(max_length=ADDRESS_LENGTH)
    status = models.CharField(max_length=10, choices=_DESTINATION_STATUSES, default=DestinationStatus.ALLOWED.value)
    usable_from = models.DateTimeField()
    added_at = models.DateTimeField()
    #: The idempotency key it was added with.
    key = models.CharField(max_length=KEY_LENGTH, unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "address"],
                condition=~Q(status=DestinationStatus.REMOVED.value),
                name="wallet_destination_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[item.value for item in DestinationStatus]),
                name="wallet_destination_status_known",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def as_contract(self) -> contracts.Destination:
        return contracts.Destination(
            id=self.id,
            account_id=self.account_id,
            label=self.label,
            beneficiary=self.beneficiary,
            address=self.address,
            status=DestinationStatus(self.status),
            usable_from=self.usable_from,
            added_at=self.added_at,
        )

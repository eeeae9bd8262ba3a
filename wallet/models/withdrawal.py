"""Withdrawals, and the tokens that confirm them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from wallet import contracts
from wallet.contracts import CLOSED_STATUSES, WithdrawalStatus
from wallet.models.account import KEY_LENGTH, Destination, WalletAccount

_STATUSES = [(status.value, status.value) for status in WithdrawalStatus]
_CLOSED = [status.value for status in WithdrawalStatus if status in CLOSED_STATUSES]


class Withdrawal(models.Model):
    """Money on its way out of a wallet account; one run carries it. Whoever decides about it holds its row's lock."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run_id = models.UUIDField(unique=True)
    account = models.ForeignKey(WalletAccount, on_delete=models.PROTECT, related_name="withdrawals")
    destination = models.ForeignKey(Destination, on_delete=models.PROTECT, related_name="withdrawals")
    currency = currency_code()
    amount_minor = minor_units()
    status = models.CharField(max_length=24, choices=_STATUSES, default=WithdrawalStatus.REQUESTED.value)
    #: Why it ended otherwise than completed: a stable code, or empty.
    reason = models.CharField(max_length=64, blank=True, default="")
    #: Why it will end as rejected, once what was done for it is undone; a stable code, or empty.
    refusal = models.CharField(max_length=64, blank=True, default="")
    #: The ledger's keys of its hold and of the hold's capture, once they happened. Only a withdrawal with a hold
    #: counts toward the limits.
    hold_key = models.CharField(max_length=KEY_LENGTH, unique=True, null=True)
    capture_key = models.CharField(max_length=KEY_LENGTH, unique=True, null=True)
    #: The rail's own name of the payment.
    payment_reference = models.CharField(max_length=140, blank=True, default="")
    requested_at = models.DateTimeField()
    deadline = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    processed_at = models.DateTimeField(null=True)
    settles_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    amount = MoneyOf("amount_minor")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="wallet_withdrawal_positive"),
            models.CheckConstraint(
                condition=Q(status__in=[item.value for item in WithdrawalStatus]), name="wallet_withdrawal_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=_CLOSED, closed_at__isnull=False)
                | (~Q(status__in=_CLOSED) & Q(closed_at__isnull=True)),
                name="wallet_withdrawal_closed_at",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["cancelled", "rejected", "returned", "return_credited"]) | Q(reason=""),
                name="wallet_withdrawal_reason_of_end",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["in_transit", "completed"]) | Q(capture_key__isnull=False),
                name="wallet_withdrawal_captured",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "requested_at"], name="wallet_withdrawal_of_account"),
            models.Index(fields=["requested_at", "id"], name="wallet_withdrawal_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} ({self.status.replace('_', ' ')})"

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED_STATUSES

    def as_contract(self) -> contracts.Withdrawal:
        return contracts.Withdrawal(
            id=self.id,
            run_id=self.run_id,
            account_id=self.account_id,
            customer=self.account.customer.as_contract(),
            amount=self.amount,
            destination=self.destination.as_contract(),
            status=WithdrawalStatus(self.status),
            reason=self.reason or None,
            requested_at=self.requested_at,
            deadline=self.deadline,
            confirmed_at=self.confirmed_at,
            processed_at=self.processed_at,
            settles_at=self.settles_at,
            closed_at=self.closed_at,
        )


class ConfirmationToken(models.Model):
    """A token that was sent: its digest and what it is derived from together with a secret, never the token itself."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="tokens")
    serial = models.PositiveIntegerField()
    nonce = models.CharField(max_length=64)
    #: SHA-256 over the token.
    digest = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "serial"], name="wallet_token_serial"),
            models.UniqueConstraint(
                fields=["withdrawal"],
                condition=Q(used_at__isnull=True, voided_at__isnull=True),
                name="wallet_token_one_live",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(voided_at__isnull=True), name="wallet_token_used_or_void"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.withdrawal_id}/{self.serial}"

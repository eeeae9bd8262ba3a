"""Facts of the ledger: accounts, transfers with their postings, holds, used keys, and the open business date.

Only `ledger.operations` writes them. What holds whoever writes is said here as constraints and in `ledger.triggers`.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from ledger.contracts import HoldStatus

KEY_LENGTH = 300
DESCRIPTION_LENGTH = 500
OWNER_LENGTH = 200
KIND_LENGTH = 64


class TransferStatus(models.TextChoices):
    """A transfer is a draft only inside the transaction that writes it."""

    DRAFT = "draft"
    POSTED = "posted"


class Act(models.TextChoices):
    """What a key was used for; `void` if it was undone before it was used."""

    TRANSFER = "transfer"
    REVERSAL = "reversal"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    EXPIRY = "expiry"
    VOID = "void"


class Account(models.Model):
    """Money of one owner, for one purpose, in one currency. Its balance is the sum of its posted postings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.CharField(max_length=OWNER_LENGTH)
    kind = models.CharField(max_length=KIND_LENGTH)
    currency = currency_code()
    may_go_negative = models.BooleanField()
    balance_minor = minor_units()
    held_minor = minor_units()
    opened_at = models.DateTimeField()

    balance = MoneyOf("balance_minor")
    held = MoneyOf("held_minor")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "kind", "currency"], name="ledger_account_once"),
            models.CheckConstraint(
                condition=Q(balance_minor__gte=0) | Q(may_go_negative=True), name="ledger_account_not_negative"
            ),
            models.CheckConstraint(condition=Q(held_minor__gte=0), name="ledger_account_held_not_negative"),
            models.CheckConstraint(
                condition=Q(held_minor__lte=F("balance_minor")) | Q(may_go_negative=True),
                name="ledger_account_held_covered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner} {self.kind} {self.currency}"

    @property
    def available_minor(self) -> int:
        return self.balance_minor - self.held_minor


class Transfer(models.Model):
    """Money moved between accounts, once and for all: a correction is another transfer that `reverses` this one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=KEY_LENGTH, unique=True)
    status = models.CharField(max_length=10, choices=TransferStatus.choices)
    description = models.CharField(max_length=DESCRIPTION_LENGTH, blank=True)
    run_id = models.UUIDField(null=True, blank=True, db_index=True)
    value_date = models.DateField(db_index=True)
    posted_at = models.DateTimeField(db_index=True)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    #: SHA-256 over the transfer and its postings, as `ledger.rules.seal` computes it.
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TransferStatus.values), name="ledger_transfer_status"),
        ]

    def __str__(self) -> str:
        return self.key


class Posting(models.Model):
    """One signed amount on one account, in the order of its transfer's legs."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="postings", db_index=False)
    position = models.PositiveSmallIntegerField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings")
    currency = currency_code()
    amount_minor = minor_units()

    amount = MoneyOf("amount_minor")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["transfer", "position"], name="ledger_posting_position"),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_posting_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id}/{self.position}"


class Hold(models.Model):
    """Money set aside on an account, resolved once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(max_length=KEY_LENGTH, unique=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds")
    currency = currency_code()
    amount_minor = minor_units()
    captured_minor = minor_units()
    status = models.CharField(max_length=10, choices=[(status.value, status.value) for status in HoldStatus])
    run_id = models.UUIDField(null=True, blank=True, db_index=True)
    placed_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    capture = models.OneToOneField(Transfer, null=True, on_delete=models.PROTECT, related_name="captured_hold")

    amount = MoneyOf("amount_minor")
    captured = MoneyOf("captured_minor")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="ledger_hold_positive"),
            models.CheckConstraint(
                condition=Q(status__in=[str(item) for item in HoldStatus]), name="ledger_hold_status"
            ),
            models.CheckConstraint(
                condition=Q(status="captured", captured_minor__gt=0, captured_minor__lte=F("amount_minor"))
                | (~Q(status="captured") & Q(captured_minor=0)),
                name="ledger_hold_captured_within",
            ),
            models.CheckConstraint(
                condition=Q(status="held", resolved_at=None) | (~Q(status="held") & Q(resolved_at__isnull=False)),
                name="ledger_hold_resolved_at",
            ),
        ]
        indexes = [
            models.Index(fields=["account"], condition=Q(status="held"), name="ledger_hold_open"),
        ]

    def __str__(self) -> str:
        return self.key


class UsedKey(models.Model):
    """A key and what it was used for. Its unique row is what a forward call and its undo meet at."""

    key = models.CharField(primary_key=True, max_length=KEY_LENGTH)
    act = models.CharField(max_length=10, choices=Act.choices)
    #: SHA-256 over the payload, to tell a repetition from another request.
    digest = models.CharField(max_length=64)
    #: The transfer or hold that the act made or found; none for a void and for an undo that found nothing.
    subject_id = models.UUIDField(null=True)
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key

    @property
    def made_id(self) -> uuid.UUID:
        """The subject of an act that always has one."""
        assert self.subject_id is not None
        return self.subject_id


class BusinessDate(models.Model):
    """The first business day that is not closed: one row, or none while no day was ever closed."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    open_date = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="ledger_business_date_single")]

    def __str__(self) -> str:
        return self.open_date.isoformat()

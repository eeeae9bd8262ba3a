"""What happened to withdrawals and accounts, and who did it: appended, never edited."""

from __future__ import annotations

from django.db import models

from wallet import contracts
from wallet.contracts import EventKind
from wallet.models.account import WalletAccount
from wallet.models.withdrawal import Withdrawal

_KINDS = [(kind.value, kind.value) for kind in EventKind]


class Event(models.Model):
    """One fact. `actor` is a user, `customer` for whoever came by a link, `system` for the run."""

    account = models.ForeignKey(WalletAccount, on_delete=models.PROTECT, related_name="events")
    withdrawal = models.ForeignKey(Withdrawal, null=True, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24, choices=_KINDS)
    actor = models.CharField(max_length=200)
    detail = models.CharField(max_length=2000, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=[item.value for item in EventKind]), name="wallet_event_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.withdrawal_id or self.account_id}"

    def as_contract(self) -> contracts.Event:
        return contracts.Event(kind=EventKind(self.kind), actor=self.actor, detail=self.detail, at=self.at)

"""Freezes of treasury accounts: each cause has its own, so that lifting one never lifts another."""

from __future__ import annotations

import uuid

from django.db import models

from treasury import contracts
from treasury.contracts import FreezeStatus
from treasury.models.account import TreasuryAccount

_STATUSES = [(status.value, status.value) for status in FreezeStatus]


class Freeze(models.Model):
    """One freeze: placed until it is lifted. A void one keeps a late attempt from placing it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(TreasuryAccount, on_delete=models.PROTECT, related_name="freezes")
    key = models.CharField(max_length=255, unique=True)
    cause = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=_STATUSES, default=FreezeStatus.PLACED.value)
    run_id = models.UUIDField(null=True)
    placed_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status=FreezeStatus.PLACED.value, lifted_at__isnull=True)
                | models.Q(status__in=[FreezeStatus.LIFTED.value, FreezeStatus.VOID.value], lifted_at__isnull=False),
                name="treasury_freeze_status",
            )
        ]

    def __str__(self) -> str:
        return f"{self.cause}: {self.account_id} ({self.status})"

    def as_contract(self) -> contracts.Freeze:
        return contracts.Freeze(
            id=self.id,
            account_id=self.account_id,
            cause=self.cause,
            status=FreezeStatus(self.status),
            run_id=self.run_id,
            placed_at=self.placed_at,
            lifted_at=self.lifted_at,
        )

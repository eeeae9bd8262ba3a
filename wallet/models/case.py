"""Cases that an officer decides."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from wallet import contracts
from wallet.contracts import CaseKind, CaseStatus, Resolution
from wallet.models.account import KEY_LENGTH
from wallet.models.withdrawal import Withdrawal


class Case(models.Model):
    """Something about a withdrawal that needs a person; resolved once, with a reason."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="cases")
    kind = models.CharField(max_length=12, choices=[(item.value, item.value) for item in CaseKind])
    status = models.CharField(
        max_length=10, choices=[(item.value, item.value) for item in CaseStatus], default=CaseStatus.OPEN.value
    )
    details = models.CharField(max_length=2000)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=200)
    #: The idempotency key it was opened with.
    key = models.CharField(max_length=KEY_LENGTH, unique=True)
    resolution = models.CharField(
        max_length=12, blank=True, default="", choices=[(item.value, item.value) for item in Resolution]
    )
    resolution_reason = models.CharField(max_length=2000, blank=True, default="")
    resolved_by = models.CharField(max_length=200, blank=True, default="")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "kind"], name="wallet_case_once"),
            models.CheckConstraint(
                condition=Q(status="open", resolution="", resolved_at__isnull=True)
                | (Q(status="resolved", resolved_at__isnull=False) & ~Q(resolution="") & ~Q(resolution_reason="")),
                name="wallet_case_resolved_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')} ({self.status})"

    def as_contract(self) -> contracts.Case:
        return contracts.Case(
            id=self.id,
            withdrawal_id=self.withdrawal_id,
            kind=CaseKind(self.kind),
            status=CaseStatus(self.status),
            details=self.details,
            opened_at=self.opened_at,
            resolution=Resolution(self.resolution) if self.resolution else None,
            resolution_reason=self.resolution_reason,
            resolved_by=self.resolved_by,
            resolved_at=self.resolved_at,
        )

"""Allocations of a treasury account's money to asset classes."""

from __future__ import annotations

import uuid

from django.db import models

from finaegis.shared.models import MoneyOf, currency_code, minor_units
from finaegis.shared.money import Money
from treasury.contracts import AllocationRecord, AllocationStatus, AssetClass, ClassAmount
from treasury.models.account import TreasuryAccount

_STATUSES = [(status.value, status.value) for status in AllocationStatus]


class Allocation(models.Model):
    """One allocation: active until it is reversed, each at most once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(TreasuryAccount, on_delete=models.PROTECT, related_name="allocations")
    key = models.CharField(max_length=255, unique=True)
    strategy = models.TextField()  # as asked for, known or not
    currency = currency_code()
    total_minor = minor_units()
    cash_minor = minor_units()
    bonds_minor = minor_units()
    equities_minor = minor_units()
    status = models.CharField(max_length=10, choices=_STATUSES, default=AllocationStatus.ACTIVE.value)
    run_id = models.UUIDField(null=True)
    allocated_at = models.DateTimeField()
    reversed_at = models.DateTimeField(null=True)

    total = MoneyOf("total_minor")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    total_minor=models.F("cash_minor") + models.F("bonds_minor") + models.F("equities_minor")
                ),
                name="treasury_allocation_sums",
            ),
            models.CheckConstraint(
                condition=models.Q(total_minor__gt=0, cash_minor__gte=0, bonds_minor__gte=0, equities_minor__gte=0),
                name="treasury_allocation_amounts",
            ),
            models.CheckConstraint(
                condition=models.Q(status=AllocationStatus.ACTIVE.value, reversed_at__isnull=True)
                | models.Q(status=AllocationStatus.REVERSED.value, reversed_at__isnull=False),
                name="treasury_allocation_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total} ({self.status})"

    @property
    def parts(self) -> tuple[ClassAmount, ...]:
        """The amount of each asset class that got any."""
        minors = {
            AssetClass.CASH: self.cash_minor,
            AssetClass.BONDS: self.bonds_minor,
            AssetClass.EQUITIES: self.equities_minor,
        }
        return tuple(
            ClassAmount(type=asset_class, amount=Money.from_minor(minor, self.currency))
            for asset_class, minor in minors.items()
            if minor
        )

    def as_contract(self) -> AllocationRecord:
        return AllocationRecord(
            id=self.id,
            account_id=self.account_id,
            strategy=self.strategy,
            allocations=self.parts,
            total=self.total,
            status=AllocationStatus(self.status),
            run_id=self.run_id,
            allocated_at=self.allocated_at,
            reversed_at=self.reversed_at,
        )

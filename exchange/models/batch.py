"""What became of each order of a batch: where a batch that was interrupted goes on."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from exchange import contracts
from exchange.models.account import KEY_LENGTH
from exchange.models.order import Order


class BatchEntry(models.Model):
    """One order of a batch, by its position: the order that it became, or the code of its refusal."""

    batch = models.CharField(max_length=KEY_LENGTH)
    position = models.PositiveIntegerField()
    order = models.OneToOneField(Order, null=True, on_delete=models.PROTECT, related_name="batch_entry")
    #: How the order stood when its batch had processed it, or `refused`.
    status = models.CharField(max_length=16)
    error = models.CharField(max_length=64, blank=True, default="")
    detail = models.CharField(max_length=2000, blank=True, default="")
    processed_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="exchange_batch_entry_once"),
            models.CheckConstraint(
                condition=Q(order__isnull=False, error="") | (Q(order__isnull=True) & ~Q(error="")),
                name="exchange_batch_entry_order_or_error",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch}/{self.position}"

    def as_contract(self) -> contracts.BatchItem:
        return contracts.BatchItem(
            position=self.position,
            order_id=self.order_id,
            status=self.status,
            error=self.error or None,
            detail=self.detail or None,
        )

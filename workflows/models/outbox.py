"""Business events as they were published, and what became of each for everybody who listens."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class DeliveryStatus(models.TextChoices):
    """Where a delivery stands. A parked one waits for somebody, and those behind it with its key for it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    PARKED = "parked"
    DROPPED = "dropped"


#: Later events of the same saga and key wait for these.
BLOCKING = (DeliveryStatus.PENDING, DeliveryStatus.PARKED)


class BusinessEvent(models.Model):
    """A business event, written in the transaction that made it true. Sensitive fields are encrypted."""

    type = models.CharField(max_length=200)
    data = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        db_table = "workflows_event"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class EventDelivery(models.Model):
    """One event for one saga: it starts the saga's run of a key (`method` is empty) or reaches a method of it."""

    event = models.ForeignKey(BusinessEvent, on_delete=models.PROTECT, related_name="deliveries")
    workflow = models.CharField(max_length=200)
    method = models.CharField(max_length=100, blank=True)
    key = models.CharField(max_length=255)
    status = models.CharField(max_length=13, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    failures = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    error = models.TextField(null=True)
    run_id = models.UUIDField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "workflows_delivery"
        verbose_name_plural = "event deliveries"
        default_permissions = ()
        indexes = [
            models.Index(fields=["workflow", "key", "id"], condition=Q(status__in=BLOCKING), name="delivery_in_order"),
            models.Index(fields=["due_at"], condition=Q(status=DeliveryStatus.PENDING), name="delivery_due"),
            models.Index(fields=["status", "-id"], name="delivery_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} for {self.workflow} {self.key}"

"""Facts that others leave for a run's driver, in order of arrival."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class InboxItem(models.Model):
    """A signal, an update, an outcome from outside, or an act of an operator that the driver delivers in its order.

    A key makes it unique within its run and kind; an update's row keeps the answer.
    """

    run_id = models.UUIDField()
    kind = models.CharField(max_length=16)
    data = models.TextField(default="{}")
    actor = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    arrived_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    key = models.CharField(max_length=255, null=True)
    answer = models.TextField(null=True)

    class Meta:
        db_table = "workflows_inbox"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "kind", "key"], condition=Q(key__isnull=False), name="inbox_key_unique"
            )
        ]
        indexes = [
            models.Index(fields=["run_id", "arrived_at", "id"], condition=Q(taken_at__isnull=True), name="inbox_unread")
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.run_id}"

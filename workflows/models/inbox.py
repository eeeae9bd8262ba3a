"""Facts that others leave for a run's driver, in order of arrival."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class InboxItem(models.Model):
    """An act of an operator (cancel, pause) that the living driver delivers with its next commit."""

    run_id = models.UUIDField()
    kind = models.CharField(max_length=16)
    data = models.TextField(default="{}")
    actor = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    arrived_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "workflows_inbox"
        default_permissions = ()
        indexes = [
            models.Index(fields=["run_id", "arrived_at", "id"], condition=Q(taken_at__isnull=True), name="inbox_unread")
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.run_id}"

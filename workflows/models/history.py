"""The append-only history: a keyed chain of events per run."""

from __future__ import annotations

from django.db import models


class HistoryEvent(models.Model):
    """One event. `hash` is keyed and covers the header, the stored payload's digest and the hash before it."""

    pk = models.CompositePrimaryKey("run_id", "position")
    run_id = models.UUIDField()
    position = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    at = models.DateTimeField()
    data = models.TextField()
    hash = models.BinaryField()

    class Meta:
        db_table = "workflows_history"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.run_id}@{self.position} {self.kind}"

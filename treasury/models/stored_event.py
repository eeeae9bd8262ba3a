"""The rows of the treasury's event streams: appended, never edited."""

from __future__ import annotations

from django.db import models

from treasury.events import TreasuryEvent, decode


class StoredEvent(models.Model):
    """One event: version n of its stream. Two writers of the same version meet the unique constraint."""

    stream = models.UUIDField()
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=60)
    payload = models.TextField()
    #: The idempotency key of what caused it: the same cause is recorded once.
    key = models.CharField(max_length=255, unique=True)
    run_id = models.UUIDField(null=True, db_index=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "version"], name="treasury_event_stream_version"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="treasury_event_version_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.stream} v{self.version}"

    @property
    def event(self) -> TreasuryEvent:
        return decode(self.name, self.payload)

"""Processes that drive runs, and until when each is believed alive."""

from __future__ import annotations

import uuid

from django.db import models


class Process(models.Model):
    """One identity of a process. A process that was silent for a lease comes back under a new one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    #: `name@version` lines of the workflows this build can drive.
    capabilities = models.TextField()
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "workflows_liveness"
        verbose_name_plural = "processes"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["expires_at"], name="liveness_expiry")]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"

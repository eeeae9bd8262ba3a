"""Who did what to which run, through which door and why."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One act of an operator, client or the system; append-only, written in the act's own transaction."""

    at = models.DateTimeField()
    act = models.CharField(max_length=24)
    run_id = models.UUIDField(null=True)
    workflow = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    detail = models.TextField(default="{}")

    class Meta:
        db_table = "workflows_audit"
        verbose_name_plural = "audit entries"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["run_id", "at"], name="audit_of_run"),
            models.Index(fields=["-at"], name="audit_newest"),
            models.Index(fields=["actor", "-at"], name="audit_of_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.act} by {self.actor}"

"""Recorded points of a run, and their failed tries."""

from __future__ import annotations

from django.db import models

from workflows.core.status import StepStatus


class Step(models.Model):
    """One step. Its outcome is written by compare-and-set on `ticket`; `delivered` says the code has seen it.

    There is no foreign key to the run: the step is the hottest row, and runs leave only by pruning.
    """

    pk = models.CompositePrimaryKey("run_id", "seq")
    run_id = models.UUIDField()
    seq = models.IntegerField()
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=12, default=StepStatus.SCHEDULED)
    #: How many attempts began.
    attempt = models.IntegerField(default=0)
    #: How many of them failed and count for the retry policy.
    failures = models.IntegerField(default=0)
    #: Who holds the present number may settle the step.
    ticket = models.BigIntegerField(default=0)
    key = models.CharField(max_length=64)
    args = models.TextField()
    result = models.TextField(null=True)
    error = models.TextField(null=True)
    due_at = models.DateTimeField(null=True)
    scheduled_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    delivered = models.BooleanField(default=False)
    undo_name = models.CharField(max_length=200, null=True)
    undo_map = models.TextField(null=True)
    undo_of = models.IntegerField(null=True)

    class Meta:
        db_table = "workflows_step"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.run_id}#{self.seq} {self.name}"


class Attempt(models.Model):
    """A try of a step that failed; the present try stands on the step itself."""

    run_id = models.UUIDField()
    seq = models.IntegerField()
    number = models.IntegerField()
    error = models.TextField()
    started_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField()

    class Meta:
        db_table = "workflows_attempt"
        default_permissions = ()
        indexes = [models.Index(fields=["run_id", "seq"], name="attempt_of_step")]

    def __str__(self) -> str:
        return f"{self.run_id}#{self.seq} attempt {self.number}"

"""Recorded points of a run, and their failed tries."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

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

    # Attempts that are sent out to workers. Null on steps that run with their workflow's code.
    #: Whose workers run it; "" = any.
    queue = models.CharField(max_length=100, null=True)
    #: First step of the flat gather it belongs to.
    batch = models.IntegerField(null=True)
    #: Options the code asked for (`runtime.policies`).
    policy = models.TextField(null=True)
    #: When a hint for its next attempt is sent (again), and how often that was done.
    send_at = models.DateTimeField(null=True)
    sends = models.SmallIntegerField(null=True)
    #: The process that runs the present attempt; null while somebody else is to end it by a token.
    process = models.UUIDField(null=True)
    #: When the present attempt is overdue, when its heartbeat is, and until when one must have begun.
    deadline_at = models.DateTimeField(null=True)
    beat_by = models.DateTimeField(null=True)
    start_by = models.DateTimeField(null=True)
    #: Details of the last heartbeat.
    beat = models.TextField(null=True)
    #: Consecutive workers that died of it.
    losses = models.SmallIntegerField(null=True)
    #: An outcome that came after its attempt was given up, for whoever resolves the doubt.
    evidence = models.TextField(null=True)

    class Meta:
        db_table = "workflows_step"
        default_permissions = ()
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="scheduled", due_at__isnull=False), name="step_due"),
            models.Index(fields=["send_at"], condition=Q(send_at__isnull=False), name="step_to_send"),
            models.Index(fields=["process"], condition=Q(status="running", queue__isnull=False), name="step_sent_out"),
            models.Index(
                fields=["settled_at"], condition=Q(settled_at__isnull=False, delivered=False), name="step_unread"
            ),
            models.Index(fields=["start_by"], condition=Q(start_by__isnull=False), name="step_start_by"),
        ]

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


class CompletionToken(models.Model):
    """Somebody outside may end this attempt with the token whose hash stands here; used once."""

    hash = models.CharField(max_length=64, primary_key=True)
    run_id = models.UUIDField()
    seq = models.IntegerField()
    ticket = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "workflows_completion_token"
        default_permissions = ()
        indexes = [models.Index(fields=["run_id"], name="token_of_run")]

    def __str__(self) -> str:
        return f"token of {self.run_id}#{self.seq}"

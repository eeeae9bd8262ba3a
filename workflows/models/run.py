"""One execution of a workflow."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from workflows.core.status import CLOSED, HoldReason, RunStatus

#: Acts an operator may be allowed to do on runs; each is a permission `workflows.<act>_run`.
ACTS = (
    "start", "retry", "compensate", "cancel", "rerun", "pause", "resume", "signal", "query", "update", "resolve",
    "reschedule",
)  # fmt: skip


class Run(models.Model):
    """A run and what is needed to drive it. Payloads are canonical JSON text; sensitive fields are encrypted.

    Which statuses there are and how they move is checked by triggers (`workflows.triggers`): Postgres reads the text
    of a CHECK constraint at each statement, a quarter of what a checkpoint costs.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workflow = models.CharField(max_length=200)
    version = models.IntegerField()
    key = models.CharField(max_length=255, null=True)
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in RunStatus], default=RunStatus.PENDING)
    hold_reason = models.CharField(max_length=24, blank=True, choices=[(h.value, h.value) for h in HoldReason])
    #: An act that waits for the driver: "", "cancel" or "pause".
    requested = models.CharField(max_length=8, blank=True)
    input = models.TextField()
    #: HMAC of the validated input in clear: equal inputs of one key are told by it.
    input_digest = models.CharField(max_length=64)
    result = models.TextField(null=True)
    error = models.TextField(null=True)
    seed = models.CharField(max_length=36)
    attempt = models.IntegerField(default=1)
    rerun_of = models.UUIDField(null=True)
    #: Whose child it is, by which step, and what becomes of it when that run closes first (`core.commands.OnClose`).
    parent = models.UUIDField(null=True)
    parent_seq = models.IntegerField(null=True)
    on_close = models.CharField(max_length=9, blank=True)
    #: The step that waits for its next end: that of a parent, or the undo that runs its plan. Null once told.
    report_to = models.UUIDField(null=True)
    report_seq = models.IntegerField(null=True)
    #: First link of the chain it continues, null for the first itself, and its place in the chain.
    chain = models.UUIDField(null=True)
    link = models.IntegerField(default=1)
    actor = models.CharField(max_length=150)
    #: Search attributes in stored form, for people; `RunAttribute` is what is searched.
    attributes = models.TextField(null=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    #: When a run that is still open has timed out.
    timeout_at = models.DateTimeField(null=True)

    # Driving. `driver` is a process; who raises `fence` owns the run from then on.
    driver = models.UUIDField(null=True)
    fence = models.BigIntegerField(default=0)
    #: Somebody left a fact while the run was leased: the driver must look before it lets go.
    wanted = models.BooleanField(default=False)
    #: The one due time of a run (start, retry, re-send); null while it needs none.
    wake_at = models.DateTimeField(null=True)
    wake_tries = models.SmallIntegerField(default=0)
    #: Since when it is due and nobody took it.
    unclaimed_since = models.DateTimeField(null=True)
    #: When the attempt in hand is overdue and the run may be taken from a living process.
    deadline_at = models.DateTimeField(null=True)
    #: The step that runs in place, as the columns its row gets once it settles (`store.in_hand`).
    in_hand = models.TextField(null=True)
    #: Consecutive crashes of its worker without progress.
    crashes = models.SmallIntegerField(default=0)
    head_seq = models.BigIntegerField(default=0)
    head_hash = models.BinaryField(default=b"")

    class Meta:
        db_table = "workflows_run"
        default_permissions = ("view",)
        permissions = [(f"{act}_run", f"Can {act} runs") for act in ACTS]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "key"], condition=Q(key__isnull=False, link=1), name="run_key_unique"
            ),
        ]
        indexes = [
            models.Index(fields=["wake_at"], condition=Q(wake_at__isnull=False), name="run_due"),
            models.Index(fields=["driver"], condition=Q(driver__isnull=False), name="run_driven"),
            models.Index(fields=["key"], condition=Q(key__isnull=False), name="run_by_key"),
            models.Index(fields=["parent", "parent_seq"], condition=Q(parent__isnull=False), name="run_of_parent"),
            models.Index(fields=["report_to"], condition=Q(report_to__isnull=False), name="run_to_report"),
            models.Index(fields=["chain", "-link"], condition=Q(chain__isnull=False), name="run_of_chain"),
            models.Index(fields=["-created_at", "-id"], name="run_newest"),
            models.Index(fields=["closed_at", "id"], condition=Q(closed_at__isnull=False), name="run_closed"),
            models.Index(fields=["status", "-created_at"], name="run_by_status"),
            models.Index(fields=["workflow", "-created_at"], name="run_by_workflow"),
        ]

    def __str__(self) -> str:
        return f"{self.workflow} {self.id}"

    @property
    def is_closed(self) -> bool:
        return RunStatus(self.status) in CLOSED


class RunAttribute(models.Model):
    """A search attribute of a run. `value` sorts as the typed values do (`core.attributes.index_key`)."""

    pk = models.CompositePrimaryKey("run_id", "name")
    run_id = models.UUIDField()
    name = models.CharField(max_length=50)
    type = models.CharField(max_length=8)
    value = models.CharField(max_length=255)

    class Meta:
        db_table = "workflows_attribute"
        default_permissions = ()
        indexes = [models.Index(fields=["name", "type", "value"], name="attribute_by_value")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.name}"

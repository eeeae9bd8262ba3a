"""Rows of one run as the core's values.

Loaded after the claim, never with it: a claim that waited for a lock would bring stale rows along.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Q

from workflows.core.events import Event
from workflows.core.status import StepStatus
from workflows.models import Attempt, HistoryEvent, InboxItem, Run, Step
from workflows.store import in_hand
from workflows.store.checkpoint import Columns, StoredStep
from workflows.store.counting import statements
from workflows.store.postgres import execute

#: Prepared once per connection: a short run spends as much on the ORM's way of asking as on its steps.
_HISTORY = "SELECT position, kind, at, data FROM workflows_history WHERE run_id = %s::uuid ORDER BY position"
_LEFT = "SELECT 1 FROM workflows_inbox WHERE run_id = %s::uuid AND taken_at IS NULL LIMIT 1"


def load_history(run_id: uuid.UUID) -> list[Event]:
    """Every event of a run, in order."""
    if connection.vendor == "postgresql":
        rows: Iterable[Any] = execute(_HISTORY, [run_id]).fetchall()
    else:
        statements.sent += 1
        found = HistoryEvent.objects.filter(run_id=run_id).order_by("position")
        rows = found.values_list("position", "kind", "at", "data")
    return [Event(position, kind, at, json.loads(data)) for position, kind, at, data in rows]


def load_run_steps(run_id: uuid.UUID, held: Columns | None) -> list[StoredStep]:
    """Open and undelivered steps of a run, by number, with the one in hand."""
    statements.sent += 1
    open_ = Q(status__in=[StepStatus.SCHEDULED, StepStatus.RUNNING])
    rows = list(Step.objects.filter(Q(delivered=False) | open_, run_id=run_id))
    if held is not None:
        rows.append(in_hand.row_of(run_id, held))
    return [stored_step(row) for row in sorted(rows, key=lambda row: row.seq)]


def load_all_steps(run_id: uuid.UUID) -> list[Step]:
    """Every step of a run as rows, by number, with the one in hand (not saved); for people and for `verify`."""
    text = Run.objects.filter(pk=run_id).values_list("in_hand", flat=True).first()
    rows = {row.seq: row for row in Step.objects.filter(run_id=run_id).order_by("seq")}
    if text is not None:
        held = in_hand.read(text)
        # It was read first: it may have settled since, then its own row says more.
        rows.setdefault(held["seq"], in_hand.row_of(run_id, held))
    return [rows[seq] for seq in sorted(rows)]


def stored_step(row: Step) -> StoredStep:
    """A row as the runtime's value."""
    return StoredStep(
        row.seq, row.kind, row.name, row.status, row.attempt, row.failures, row.ticket, row.key, json.loads(row.args),
        json.loads(row.result) if row.result is not None else None,
        json.loads(row.error) if row.error is not None else None,
        row.due_at, row.started_at, row.settled_at, row.undo_of, row.scheduled_at, row.queue, row.batch, row.policy,
        row.beat,
    )  # fmt: skip


def load_failed_attempts(run_id: uuid.UUID, seq: int, *, after: int) -> list[Attempt]:
    """Failed tries of a step whose number is above `after`, in order."""
    statements.sent += 1
    return list(Attempt.objects.filter(run_id=run_id, seq=seq, number__gt=after).order_by("number", "id"))


def load_inbox(run_id: uuid.UUID) -> Sequence[InboxItem]:
    """Facts others left, untaken, in order of arrival."""
    if connection.vendor == "postgresql" and execute(_LEFT, [run_id]).fetchone() is None:
        return []
    statements.sent += 1
    return list(InboxItem.objects.filter(run_id=run_id, taken_at=None).order_by("arrived_at", "id"))


def step_key(run_id: uuid.UUID, seq: int) -> str:
    """The idempotency key of a step."""
    statements.sent += 1
    return Step.objects.filter(run_id=run_id, seq=seq).values_list("key", flat=True).get()

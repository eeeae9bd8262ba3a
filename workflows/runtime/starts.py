"""Inserts a run, or reads the one its key belongs to: insert-or-read, never read-then-insert (SEMANTICS D22)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from workflows import clock, crypto
from workflows.core import payloads
from workflows.core.definitions import WorkflowDefinition
from workflows.core.errors import KeyConflict
from workflows.core.events import EventKind
from workflows.core.status import RunStatus
from workflows.models import HistoryEvent, Run
from workflows.store.checkpoint import header


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A start, validated. `digest` tells equal inputs of one key."""

    definition: WorkflowDefinition
    stored_input: dict[str, Any]
    digest: str
    key: str | None
    delay: timedelta | None
    actor: str
    reason: str
    rerun_of: uuid.UUID | None = None
    attempt: int = 1


def find_by_key(name: str, key: str, digest: str) -> Run | None:
    """The run a key belongs to; raises KeyConflict when it was started with another input."""
    run = Run.objects.filter(workflow=name, key=key).first()
    if run is not None and run.input_digest != digest:
        raise KeyConflict(key=key, run_id=run.id)
    return run


def insert_or_read(new: NewRun) -> tuple[Run, bool]:
    """The run and whether this call made it. Joins the caller's transaction; KeyConflict when the key is taken."""
    now = clock.now()
    due = now + (new.delay or timedelta())
    run = Run(
        id=uuid.uuid4(),
        workflow=new.definition.name,
        version=new.definition.version,
        key=new.key,
        status=RunStatus.PENDING,
        input=payloads.dumps(new.stored_input),
        input_digest=new.digest,
        actor=new.actor,
        attempt=new.attempt,
        rerun_of=new.rerun_of,
        created_at=now,
        wake_at=due,
    )
    run.seed = str(run.id)
    if new.definition.run_timeout is not None:
        run.timeout_at = due + new.definition.run_timeout
    data: dict[str, Any] = {"workflow": run.workflow, "version": run.version, "input": new.stored_input}
    data |= {"key": run.key, "actor": new.actor}
    if new.delay:
        data["due_at"] = (now + new.delay).isoformat()
    if new.reason:
        data["reason"] = new.reason
    if new.rerun_of is not None:
        data["rerun_of"] = str(new.rerun_of)
    text = payloads.dumps(data)
    run.head_seq = 1
    run.head_hash = crypto.chain_hash(b"", header(run.id, 1, EventKind.RUN_STARTED, now), text)
    with transaction.atomic(savepoint=False):
        if not _insert(run):
            assert new.key is not None
            existing = find_by_key(new.definition.name, new.key, new.digest)
            if existing is None:  # pragma: no cover - the conflict names a row that exists for ever
                raise RuntimeError(f"key {new.key!r} conflicts with a run that cannot be seen")
            return existing, False
        HistoryEvent.objects.create(
            run_id=run.id, position=1, kind=EventKind.RUN_STARTED, at=now, data=text, hash=run.head_hash
        )
    return run, True


def _insert(run: Run) -> bool:
    """Insert; False when the key is taken. The loser of a race waits for the winner, then reads its row."""
    if run.key is None:
        run.save(force_insert=True)
        return True
    fields = list(Run._meta.concrete_fields)
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    values = [field.get_db_prep_save(getattr(run, field.attname), connection) for field in fields]
    marks = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO workflows_run ({columns}) VALUES ({marks}) "  # noqa: S608 - names come from the model
            "ON CONFLICT (workflow, key) WHERE key IS NOT NULL DO NOTHING",
            values,
        )
        return bool(cursor.rowcount == 1)

"""Inserts a run, or reads the one its key belongs to: insert-or-read, never read-then-insert (SEMANTICS D22)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from workflows import clock, crypto
from workflows.core import payloads
from workflows.core.definitions import WorkflowDefinition, registry
from workflows.core.errors import KeyConflict
from workflows.core.events import EventKind
from workflows.core.status import RunStatus
from workflows.models import HistoryEvent, Run
from workflows.runtime import searching
from workflows.store.checkpoint import header


@dataclass(frozen=True, slots=True)
class Parent:
    """Whose child a run is: the parent's run and step, and what becomes of it when that one closes first."""

    run_id: uuid.UUID
    seq: int
    on_close: str


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
    run_id: uuid.UUID | None = None
    parent: Parent | None = None


def find_by_key(name: str, key: str, digest: str) -> Run | None:
    """The run a key belongs to; raises KeyConflict when it was started with another input."""
    run = Run.objects.filter(workflow=name, key=key, link=1).first()
    if run is not None and run.input_digest != digest:
        raise KeyConflict(key=key, run_id=run.id)
    return run


def insert_or_read(new: NewRun) -> tuple[Run, bool]:
    """The run and whether this call made it. Joins the caller's transaction; KeyConflict when the key is taken."""
    now = clock.now()
    due = now + (new.delay or timedelta())
    run = Run(
        id=new.run_id or uuid.uuid4(),
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
    if new.parent is not None:
        run.parent = run.report_to = new.parent.run_id
        run.parent_seq = run.report_seq = new.parent.seq
        run.on_close = new.parent.on_close
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
    if new.parent is not None:
        data["parent"] = {"run_id": str(new.parent.run_id), "seq": new.parent.seq}
    first = _first_event(run, data)
    with transaction.atomic(savepoint=False):
        if not _insert(run):
            assert new.key is not None
            existing = find_by_key(new.definition.name, new.key, new.digest)
            if existing is None:  # pragma: no cover - the conflict names a row that exists for ever
                raise RuntimeError(f"key {new.key!r} conflicts with a run that cannot be seen")
            return existing, False
        first.save(force_insert=True)
    return run, True


def _first_event(run: Run, data: dict[str, Any]) -> HistoryEvent:
    """The event a history begins with; the run's row gets its seed and the head of the chain of hashes."""
    run.seed = str(run.id)
    text = payloads.dumps(data)
    run.head_seq = 1
    run.head_hash = crypto.chain_hash(b"", header(run.id, 1, EventKind.RUN_STARTED, run.created_at), text)
    return HistoryEvent(
        run_id=run.id, position=1, kind=EventKind.RUN_STARTED, at=run.created_at, data=text, hash=run.head_hash
    )


def insert_link(last: Run, run_id: uuid.UUID, stored_input: dict[str, Any], carried: dict[str, Any]) -> Run:
    """The run that goes on where `last` continued as new: same key, time-out, parent and whoever waits for the end.

    `carried`: its plan and attributes. Joins the caller's transaction.
    """
    now = clock.now()
    bound = registry.workflows[last.workflow][last.version].definition.signature
    run = Run(
        id=run_id,
        workflow=last.workflow,
        version=last.version,
        key=last.key,
        status=RunStatus.PENDING,
        input=payloads.dumps(stored_input),
        input_digest=crypto.input_digest(payloads.dumps_sorted(bound.plain(bound.decode(stored_input)))),
        actor=last.actor,
        attempt=last.attempt,
        rerun_of=last.rerun_of,
        created_at=now,
        wake_at=now,
        timeout_at=last.timeout_at,
        parent=last.parent,
        parent_seq=last.parent_seq,
        on_close=last.on_close,
        report_to=last.report_to,
        report_seq=last.report_seq,
        chain=last.chain or last.id,
        link=last.link + 1,
    )
    if "attributes" in carried:
        run.attributes = payloads.dumps(carried["attributes"])
    data: dict[str, Any] = {"workflow": run.workflow, "version": run.version, "input": stored_input}
    data |= {"key": run.key, "actor": run.actor, "continues": str(last.id), **carried}
    first = _first_event(run, data)
    run.save(force_insert=True)
    first.save(force_insert=True)
    searching.write(run.id, carried.get("attributes", {}))
    return run


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
            "ON CONFLICT (workflow, key) WHERE key IS NOT NULL AND link = 1 DO NOTHING",
            values,
        )
        return bool(cursor.rowcount == 1)

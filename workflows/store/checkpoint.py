"""One commit of a run: the fence, the run row, its steps and its history, together or not at all.

On Postgres a checkpoint is a single statement of data-modifying CTEs, each selecting from the fence arm, because an
INSERT in a CTE runs even when a sibling UPDATE matched nothing. On SQLite the same parts are statements of one
transaction. Statement texts depend only on the shape of the checkpoint, so that they stay prepared.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, transaction

from workflows import crypto
from workflows.core import payloads
from workflows.core.events import Event

#: Column -> Postgres type, for casts: a parameter in a select list has no type of its own.
_TYPES = {
    "status": "text", "hold_reason": "text", "requested": "text", "result": "text", "error": "text",
    "closed_at": "timestamptz", "driver": "uuid", "wake_at": "timestamptz", "wake_tries": "int",
    "deadline_at": "timestamptz", "crashes": "int", "head_seq": "bigint", "head_hash": "bytea", "wanted": "boolean",
    "fence": "bigint", "seq": "int", "kind": "text", "name": "text", "attempt": "int", "failures": "int",
    "ticket": "bigint", "key": "text", "args": "text", "due_at": "timestamptz", "scheduled_at": "timestamptz",
    "started_at": "timestamptz", "settled_at": "timestamptz", "delivered": "boolean", "undo_name": "text",
    "undo_map": "text", "undo_of": "int", "number": "int", "failed_at": "timestamptz",
}  # fmt: skip

Columns = dict[str, Any]


class _Counter:
    """Statements sent by the store; tests read and reset it."""

    sent = 0


statements = _Counter()


@dataclass(slots=True)
class Head:
    """The end of a run's history: the last position and its hash."""

    seq: int
    hash: bytes


@dataclass(slots=True)
class Checkpoint:
    """What one commit writes. `unless_wanted`: write nothing if somebody left a fact meanwhile (SEMANTICS C14)."""

    run_id: uuid.UUID
    driver: uuid.UUID | None
    fence: int
    head: Head
    at: datetime
    unless_wanted: bool = True
    run: Columns = field(default_factory=dict)
    step_changes: dict[int, tuple[int, Columns]] = field(default_factory=dict)
    new_steps: dict[int, Columns] = field(default_factory=dict)
    attempts: list[Columns] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def append(self, kind: str, data: dict[str, Any], *, at: datetime | None = None) -> Event:
        """Add an event behind the head; its position is final once the checkpoint commits."""
        event = Event(self.head.seq + len(self.events) + 1, str(kind), at or self.at, data)
        self.events.append(event)
        return event

    def change_step(self, seq: int, holding: int, /, **columns: Any) -> None:
        """Change a step whose ticket is still `holding`; several changes of one step merge into one write."""
        if seq in self.new_steps:
            self.new_steps[seq] |= columns
        elif seq in self.step_changes:
            self.step_changes[seq][1].update(columns)
        else:
            self.step_changes[seq] = (holding, columns)


def header(run_id: uuid.UUID, position: int, kind: str, at: datetime) -> str:
    """What a hash covers beside the payload."""
    return f"{run_id}|{position}|{kind}|{at.isoformat()}"


def _chain(checkpoint: Checkpoint) -> tuple[Head, list[tuple[int, str, datetime, str, bytes]]]:
    previous = checkpoint.head.hash
    rows = []
    for event in checkpoint.events:
        text = payloads.dumps(event.data)
        previous = crypto.chain_hash(previous, header(checkpoint.run_id, event.position, event.kind, event.at), text)
        rows.append((event.position, event.kind, event.at, text, previous))
    return Head(checkpoint.head.seq + len(rows), previous), rows


def commit(checkpoint: Checkpoint) -> Head | None:
    """Write a checkpoint and give the new head, or None when the fence (or `unless_wanted`) refused it.

    In autocommit it is its own transaction; inside `atomic()` it joins, and the caller must roll back on None.
    """
    head, rows = _chain(checkpoint)
    run = dict(checkpoint.run)
    if rows:
        run |= {"head_seq": head.seq, "head_hash": head.hash}
    if connection.vendor == "postgresql":
        written = _commit_postgres(checkpoint, run, rows)
    else:
        written = _commit_portable(checkpoint, run, rows)
    return head if written else None


# --- Postgres --------------------------------------------------------------------------------------------------------


def _casts(columns: tuple[str, ...]) -> str:
    return ", ".join(f"%s::{_TYPES[name]}" for name in columns)


def _sets(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = %s::{_TYPES[name]}" for name in columns)


@cache
def _statement(
    run: tuple[str, ...],
    changes: tuple[tuple[str, ...], ...],
    new: tuple[tuple[str, ...], ...],
    attempts: tuple[tuple[str, ...], ...],
    events: bool,
    taken: bool,
    driven: bool,
    unless_wanted: bool,
) -> str:
    driver = "driver = %s::uuid" if driven else "driver IS NULL"
    unwanted = " AND NOT wanted" if unless_wanted else ""
    arms = [
        f"r AS (UPDATE workflows_run SET {_sets(run) or 'fence = fence'} "
        f"WHERE id = %s::uuid AND {driver} AND fence = %s::bigint{unwanted} RETURNING id)"
    ]
    for number, columns in enumerate(changes):
        arms.append(
            f"c{number} AS (UPDATE workflows_step SET {_sets(columns)} WHERE run_id = %s::uuid AND seq = %s::int "
            "AND ticket = %s::bigint AND EXISTS (SELECT 1 FROM r))"
        )
    for number, columns in enumerate(new):
        arms.append(
            f"n{number} AS (INSERT INTO workflows_step (run_id, {', '.join(columns)}) "
            f"SELECT r.id, {_casts(columns)} FROM r)"
        )
    for number, columns in enumerate(attempts):
        arms.append(
            f"a{number} AS (INSERT INTO workflows_attempt (run_id, {', '.join(columns)}) "
            f"SELECT r.id, {_casts(columns)} FROM r)"
        )
    if events:
        arms.append(
            "h AS (INSERT INTO workflows_history (run_id, position, kind, at, data, hash) SELECT r.id, u.* FROM r, "
            "unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::bytea[]) AS u)"
        )
    if taken:
        arms.append(
            "i AS (UPDATE workflows_inbox SET taken_at = %s::timestamptz WHERE id = ANY(%s::bigint[]) "
            "AND EXISTS (SELECT 1 FROM r))"
        )
    return f"WITH {', '.join(arms)} SELECT id FROM r"


def _commit_postgres(checkpoint: Checkpoint, run: Columns, rows: list[tuple[Any, ...]]) -> bool:
    sql = _statement(
        tuple(run),
        tuple(tuple(columns) for _, columns in checkpoint.step_changes.values()),
        tuple(tuple(columns) for columns in checkpoint.new_steps.values()),
        tuple(tuple(columns) for columns in checkpoint.attempts),
        bool(rows),
        bool(checkpoint.taken),
        checkpoint.driver is not None,
        checkpoint.unless_wanted,
    )
    parameters: list[Any] = [*run.values(), checkpoint.run_id]
    if checkpoint.driver is not None:
        parameters.append(checkpoint.driver)
    parameters.append(checkpoint.fence)
    for seq, (ticket, columns) in checkpoint.step_changes.items():
        parameters += [*columns.values(), checkpoint.run_id, seq, ticket]
    for columns in itertools.chain(checkpoint.new_steps.values(), checkpoint.attempts):
        parameters += columns.values()
    if rows:
        parameters += [list(column) for column in zip(*rows, strict=True)]
    if checkpoint.taken:
        parameters += [checkpoint.at, checkpoint.taken]
    return execute(sql, parameters).fetchone() is not None


def execute(sql: str, parameters: list[Any]) -> Any:
    """One prepared statement on Django's own Postgres connection, past the cursor wrappers: the hot path."""
    connection.ensure_connection()
    statements.sent += 1
    with connection.wrap_database_errors:
        return connection.connection.execute(sql, parameters, prepare=True)


# --- SQLite (and any other) ------------------------------------------------------------------------------------------


class _Refused(Exception):
    """Rolls a portable checkpoint back."""


def portable(value: Any) -> Any:
    """A parameter as SQLite stores it through Django."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, uuid.UUID):
        return value.hex
    return value


def run_portable(sql: str, parameters: list[Any]) -> int:
    """One statement through Django's cursor; gives the number of rows it touched."""
    statements.sent += 1
    with connection.cursor() as cursor:
        cursor.execute(sql, [portable(value) for value in parameters])
        return int(cursor.rowcount)


def _commit_portable(checkpoint: Checkpoint, run: Columns, rows: list[tuple[Any, ...]]) -> bool:
    try:
        with transaction.atomic(savepoint=False):
            if not _fence_portable(checkpoint, run):
                raise _Refused
            for seq, (ticket, columns) in checkpoint.step_changes.items():
                sets = ", ".join(f"{name} = %s" for name in columns)
                run_portable(
                    f"UPDATE workflows_step SET {sets} WHERE run_id = %s AND seq = %s AND ticket = %s",
                    [*columns.values(), checkpoint.run_id, seq, ticket],
                )
            for table, inserts in (("step", list(checkpoint.new_steps.values())), ("attempt", checkpoint.attempts)):
                for columns in inserts:
                    _insert_portable(f"workflows_{table}", {"run_id": checkpoint.run_id, **columns})
            names = ("position", "kind", "at", "data", "hash")
            for row in rows:
                _insert_portable(
                    "workflows_history", {"run_id": checkpoint.run_id, **dict(zip(names, row, strict=True))}
                )
            for item in checkpoint.taken:
                run_portable("UPDATE workflows_inbox SET taken_at = %s WHERE id = %s", [checkpoint.at, item])
    except _Refused:
        return False
    return True


def _fence_portable(checkpoint: Checkpoint, run: Columns) -> bool:
    sets = ", ".join(f"{name} = %s" for name in run) or "fence = fence"
    driver = "driver = %s" if checkpoint.driver is not None else "driver IS NULL"
    unwanted = " AND NOT wanted" if checkpoint.unless_wanted else ""
    parameters = [*run.values(), checkpoint.run_id]
    if checkpoint.driver is not None:
        parameters.append(checkpoint.driver)
    parameters.append(checkpoint.fence)
    return (
        run_portable(f"UPDATE workflows_run SET {sets} WHERE id = %s AND {driver} AND fence = %s{unwanted}", parameters)
        > 0
    )


def _insert_portable(table: str, columns: Columns) -> None:
    marks = ", ".join(["%s"] * len(columns))
    run_portable(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))

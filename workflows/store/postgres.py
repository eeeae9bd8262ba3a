"""A checkpoint as one prepared statement: data-modifying CTEs that all select from the fence arm (SEMANTICS C11).

An INSERT in a CTE runs even when a sibling UPDATE matched nothing, so no arm stands alone. The text depends only on
the shape of the checkpoint (which columns, which kinds of events), so that it stays prepared; positions and times of
events come from the fence arm.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from workflows.store import prepared
from workflows.store.checkpoint import Checkpoint, Columns, EventRow
from workflows.store.counting import statements

#: Column -> Postgres type, for casts: a parameter in a select list has no type of its own.
_TYPES = {
    "status": "text", "hold_reason": "text", "requested": "text", "result": "text", "error": "text",
    "closed_at": "timestamptz", "driver": "uuid", "wake_at": "timestamptz", "wake_tries": "int",
    "unclaimed_since": "timestamptz",
    "deadline_at": "timestamptz", "crashes": "int", "head_seq": "bigint", "head_hash": "bytea", "wanted": "boolean",
    "fence": "bigint", "in_hand": "text", "seq": "int", "kind": "text", "name": "text", "attempt": "int",
    "failures": "int",
    "ticket": "bigint", "key": "text", "args": "text", "due_at": "timestamptz", "scheduled_at": "timestamptz",
    "started_at": "timestamptz", "settled_at": "timestamptz", "delivered": "boolean", "undo_name": "text",
    "undo_map": "text", "undo_of": "int", "number": "int", "failed_at": "timestamptz",
}  # fmt: skip

#: Up to so many events each have an arm of their own; more are passed as arrays.
_EVENTS_IN_TEXT = 6

Names = tuple[str, ...]


def _value(name: str) -> str:
    return f"%s::{_TYPES[name]}"


def _sets(names: Names) -> str:
    return ", ".join(f"{name} = {_value(name)}" for name in names)


def _insert(table: str, names: Names) -> str:
    values = ", ".join(_value(name) for name in names)
    return f"INSERT INTO {table} (run_id, {', '.join(names)}) SELECT r.id, {values} FROM r"


def _insert_events(kinds: Names | None) -> str:
    columns = "INSERT INTO workflows_history (run_id, position, kind, at, data, hash) "
    if kinds is None:
        arrays = "unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::bytea[])"
        return f"{columns} SELECT r.id, u.* FROM r, {arrays} AS u"
    rows = [
        f"SELECT r.id, r.head_seq - {len(kinds) - number}, '{kind}', r.at, %s::text, %s::bytea FROM r"
        for number, kind in enumerate(kinds, start=1)
    ]
    return columns + " UNION ALL ".join(rows)


@cache
def _statement(
    run: Names,
    changes: tuple[Names, ...],
    new: tuple[Names, ...],
    attempts: tuple[Names, ...],
    kinds: Names | None,
    taken: bool,
    driven: bool,
    unless_wanted: bool,
) -> str:
    driver = "driver = %s::uuid" if driven else "driver IS NULL"
    unwanted = " AND NOT wanted" if unless_wanted else ""
    arms = [
        f"r AS (UPDATE workflows_run SET {_sets(run) or 'fence = fence'} "
        f"WHERE id = %s::uuid AND {driver} AND fence = %s::bigint{unwanted} "
        "RETURNING id, head_seq, %s::timestamptz AS at)"
    ]
    for number, names in enumerate(changes):
        arms.append(
            f"c{number} AS (UPDATE workflows_step SET {_sets(names)} "
            "WHERE run_id = (SELECT id FROM r) AND seq = %s::int AND ticket = %s::bigint)"
        )
    arms += [f"n{number} AS ({_insert('workflows_step', names)})" for number, names in enumerate(new)]
    arms += [f"a{number} AS ({_insert('workflows_attempt', names)})" for number, names in enumerate(attempts)]
    if kinds != ():
        arms.append(f"h AS ({_insert_events(kinds)})")
    if taken:
        arms.append(
            "i AS (UPDATE workflows_inbox SET taken_at = (SELECT at FROM r) WHERE id = ANY(%s::bigint[]) "
            "AND EXISTS (SELECT 1 FROM r))"
        )
    return f"WITH {', '.join(arms)} SELECT id FROM r"


def write(checkpoint: Checkpoint, run: Columns, rows: list[EventRow]) -> bool:
    """Write a checkpoint in one round trip; False when the fence refused it."""
    at = checkpoint.at
    parameters: list[Any] = [*run.values(), checkpoint.run_id]
    if checkpoint.driver is not None:
        parameters.append(checkpoint.driver)
    parameters += (checkpoint.fence, at)
    changes = []
    for seq, (ticket, columns) in checkpoint.step_changes.items():
        changes.append(tuple(columns))
        parameters += columns.values()
        parameters += (seq, ticket)
    for columns in checkpoint.new_steps.values():
        parameters += columns.values()
    for columns in checkpoint.attempts:
        parameters += columns.values()
    kinds: Names | None = tuple([row[1] for row in rows])
    if len(rows) > _EVENTS_IN_TEXT or not all(row[2] is at for row in rows):
        kinds = None
        parameters += [list(column) for column in zip(*rows, strict=True)]
    else:
        for row in rows:
            parameters += row[3:]
    if checkpoint.taken:
        parameters.append(checkpoint.taken)
    sql = _statement(
        tuple(run),
        tuple(changes),
        tuple([tuple(columns) for columns in checkpoint.new_steps.values()]),
        tuple([tuple(columns) for columns in checkpoint.attempts]),
        kinds,
        bool(checkpoint.taken),
        checkpoint.driver is not None,
        checkpoint.unless_wanted,
    )
    return prepared.rows_of(sql, parameters) > 0


def execute(sql: str, parameters: list[Any]) -> Any:
    """One prepared statement on Django's own Postgres connection, past its cursor wrappers, when rows are wanted."""
    statements.sent += 1
    django = connections[DEFAULT_DB_ALIAS]
    if django.connection is None:
        django.ensure_connection()
    try:
        return django.connection.execute(sql, parameters, prepare=True)
    except psycopg.Error:
        with django.wrap_database_errors:
            raise

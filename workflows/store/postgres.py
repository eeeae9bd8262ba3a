"""A checkpoint as one prepared statement: data-modifying CTEs that all select from the fence arm (SEMANTICS C11).

An INSERT in a CTE runs even when a sibling UPDATE matched nothing, so no arm stands alone. The text depends only on
the shape of the checkpoint, so that it stays prepared; values that hardly vary are part of the shape, and the time of
the checkpoint and the positions of its events come from the fence arm, which keeps the parameters few.
"""

from __future__ import annotations

import itertools
from datetime import datetime
from functools import cache
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from workflows.store.checkpoint import Checkpoint, Columns, EventRow
from workflows.store.counting import statements

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

#: Columns whose values are few words: part of the statement's shape.
_WORDS = frozenset({"status", "kind", "hold_reason", "requested"})
#: Up to so many events each have an arm of their own; more are passed as arrays.
_EVENTS_IN_TEXT = 6

#: (column, how its value enters the text: a literal, `@` for the checkpoint's time, `%` for a parameter).
Slots = tuple[tuple[str, str], ...]


def _slots(columns: Columns, at: datetime, parameters: list[Any]) -> Slots:
    """The shape of some columns; values that are not part of it are added to the parameters."""
    slots = []
    for name, value in columns.items():
        if value is at:
            slots.append((name, "@"))
        elif value is None:
            slots.append((name, "NULL"))
        elif value is True or value is False:
            slots.append((name, "true" if value else "false"))
        elif name in _WORDS or (type(value) is int and value in (0, 1)):
            slots.append((name, f"'{value}'"))
        else:
            slots.append((name, "%"))
            parameters.append(value)
    return tuple(slots)


def _expression(slot: tuple[str, str], at: str) -> str:
    name, how = slot
    if how == "@":
        return at
    return f"{'%s' if how == '%' else how}::{_TYPES[name]}"


def _sets(slots: Slots, at: str) -> str:
    return ", ".join(f"{slot[0]} = {_expression(slot, at)}" for slot in slots)


def _insert(table: str, slots: Slots) -> str:
    names = ", ".join(name for name, _ in slots)
    values = ", ".join(_expression(slot, "r.at") for slot in slots)
    return f"INSERT INTO {table} (run_id, {names}) SELECT r.id, {values} FROM r"


def _insert_events(kinds: tuple[str, ...] | None) -> str:
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
    run: Slots,
    changes: tuple[Slots, ...],
    new: tuple[Slots, ...],
    attempts: tuple[Slots, ...],
    kinds: tuple[str, ...] | None,
    taken: bool,
    driven: bool,
    unless_wanted: bool,
) -> str:
    driver = "driver = %s::uuid" if driven else "driver IS NULL"
    unwanted = " AND NOT wanted" if unless_wanted else ""
    now = "%s::timestamptz"
    arms = [
        f"r AS (UPDATE workflows_run SET {_sets(run, now) or 'fence = fence'} "
        f"WHERE id = %s::uuid AND {driver} AND fence = %s::bigint{unwanted} RETURNING id, head_seq, {now} AS at)"
    ]
    for number, slots in enumerate(changes):
        arms.append(
            f"c{number} AS (UPDATE workflows_step SET {_sets(slots, '(SELECT at FROM r)')} "
            "WHERE run_id = (SELECT id FROM r) AND seq = %s::int AND ticket = %s::bigint)"
        )
    arms += [f"n{number} AS ({_insert('workflows_step', slots)})" for number, slots in enumerate(new)]
    arms += [f"a{number} AS ({_insert('workflows_attempt', slots)})" for number, slots in enumerate(attempts)]
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
    parameters: list[Any] = []
    run_slots = _slots(run, at, parameters)
    # In the fence arm the time is a parameter wherever it stands, in the order of the text.
    if any(how == "@" for _, how in run_slots):
        parameters = [at if how == "@" else run[name] for name, how in run_slots if how in ("@", "%")]
    parameters.append(checkpoint.run_id)
    if checkpoint.driver is not None:
        parameters.append(checkpoint.driver)
    parameters += (checkpoint.fence, at)
    changes = []
    for seq, (ticket, columns) in checkpoint.step_changes.items():
        changes.append(_slots(columns, at, parameters))
        parameters += (seq, ticket)
    new = tuple([_slots(columns, at, parameters) for columns in checkpoint.new_steps.values()])
    attempts = tuple([_slots(columns, at, parameters) for columns in checkpoint.attempts])
    kinds: tuple[str, ...] | None = tuple([str(row[1]) for row in rows])
    if len(rows) > _EVENTS_IN_TEXT or any(row[2] is not at for row in rows):
        kinds = None
        parameters += [list(column) for column in zip(*rows, strict=True)]
    else:
        parameters += itertools.chain.from_iterable([row[3:] for row in rows])
    if checkpoint.taken:
        parameters.append(checkpoint.taken)
    sql = _statement(
        run_slots,
        tuple(changes),
        new,
        attempts,
        kinds,
        bool(checkpoint.taken),
        checkpoint.driver is not None,
        checkpoint.unless_wanted,
    )
    return execute(sql, parameters).fetchone() is not None


def execute(sql: str, parameters: list[Any]) -> Any:
    """One prepared statement on Django's own Postgres connection, past the cursor wrappers: the hot path."""
    statements.sent += 1
    django = connections[DEFAULT_DB_ALIAS]
    if django.connection is None:
        django.ensure_connection()
    try:
        return django.connection.execute(sql, parameters, prepare=True)
    except psycopg.Error:
        with django.wrap_database_errors:
            raise

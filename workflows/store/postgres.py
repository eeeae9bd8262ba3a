"""A checkpoint as one prepared statement: data-modifying CTEs that all select from the fence arm (SEMANTICS C11).

An INSERT in a CTE runs even when a sibling UPDATE matched nothing, so no arm stands alone. The text depends only on
the shape of the checkpoint (which columns, which kinds of events), so that it stays prepared; positions and times of
events come from the fence arm.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    "queue": "text", "batch": "int", "policy": "text", "send_at": "timestamptz", "sends": "int", "process": "uuid",
    "beat_by": "timestamptz", "start_by": "timestamptz", "beat": "text", "losses": "int",
    "timeout_at": "timestamptz", "attributes": "text", "of_seq": "int", "of_ticket": "bigint",
}  # fmt: skip

#: Up to so many events each have an arm of their own; more are passed as arrays.
_EVENTS_IN_TEXT = 6
#: Up to so many rows of steps each have an arm of their own.
_ROWS_IN_TEXT = 3

Names = tuple[str, ...]


def _value(name: str) -> str:
    return f"%s::{_TYPES[name]}"


def sets_of(names: Names) -> str:
    """Columns to set, each from a parameter of its type."""
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


def _unnest(names: Names) -> str:
    arrays = ", ".join(f"%s::{_TYPES[name]}[]" for name in names)
    return f"unnest({arrays}) AS u ({', '.join(names)})"


def _insert_many(table: str, names: Names) -> str:
    columns = ", ".join(names)
    values = ", ".join(f"u.{name}" for name in names)
    return f"INSERT INTO {table} (run_id, {columns}) SELECT r.id, {values} FROM r, {_unnest(names)}"


def _change(names: Names, many: bool) -> str:
    if not many:
        return (
            f"UPDATE workflows_step SET {sets_of(names)} "
            "WHERE run_id = (SELECT id FROM r) AND seq = %s::int AND ticket = %s::bigint"
        )
    sets = ", ".join(f"{name} = u.{name}" for name in names)
    rows = _unnest((*names, "of_seq", "of_ticket"))
    return (
        f"UPDATE workflows_step s SET {sets} FROM {rows} "
        "WHERE s.run_id = (SELECT id FROM r) AND s.seq = u.of_seq AND s.ticket = u.of_ticket"
    )


#: What one arm writes: the columns, and whether it takes many rows as arrays.
Arm = tuple[Names, bool]


@cache
def _statement(
    run: Names,
    changes: tuple[Arm, ...],
    new: tuple[Arm, ...],
    attempts: tuple[Arm, ...],
    kinds: Names | None,
    lists: tuple[bool, bool, bool],
    driven: bool,
    unless_wanted: bool,
) -> str:
    driver = "driver = %s::uuid" if driven else "driver IS NULL"
    unwanted = " AND NOT wanted" if unless_wanted else ""
    arms = [
        f"r AS (UPDATE workflows_run SET {sets_of(run) or 'fence = fence'} "
        f"WHERE id = %s::uuid AND {driver} AND fence = %s::bigint{unwanted} "
        "RETURNING id, head_seq, %s::timestamptz AS at)"
    ]
    arms += [f"c{number} AS ({_change(names, many)})" for number, (names, many) in enumerate(changes)]
    for letter, table, inserts in (("n", "workflows_step", new), ("a", "workflows_attempt", attempts)):
        for number, (names, many) in enumerate(inserts):
            insert = _insert_many(table, names) if many else _insert(table, names)
            arms.append(f"{letter}{number} AS ({insert})")
    if kinds != ():
        arms.append(f"h AS ({_insert_events(kinds)})")
    delivered, taken, answers = lists
    if delivered:
        arms.append(
            "d AS (UPDATE workflows_step s SET delivered = true FROM unnest(%s::int[], %s::bigint[]) AS u (seq, ticket)"
            " WHERE s.run_id = (SELECT id FROM r) AND s.seq = u.seq AND s.ticket = u.ticket)"
        )
    if taken:
        arms.append(
            "i AS (UPDATE workflows_inbox SET taken_at = (SELECT at FROM r) WHERE id = ANY(%s::bigint[]) "
            "AND EXISTS (SELECT 1 FROM r))"
        )
    if answers:
        arms.append(
            "w AS (UPDATE workflows_inbox m SET answer = u.answer, taken_at = COALESCE(m.taken_at, (SELECT at FROM r)) "
            "FROM unnest(%s::text[], %s::text[]) AS u (key, answer) "
            "WHERE m.run_id = (SELECT id FROM r) AND m.kind = 'update' AND m.key = u.key AND m.answer IS NULL)"
        )
    return f"WITH {', '.join(arms)} SELECT id FROM r"


def _arms(rows: Sequence[Columns], parameters: list[Any]) -> tuple[Arm, ...]:
    """An arm for each row, or one for all rows of the same columns when they are many; adds their parameters."""
    if len(rows) <= _ROWS_IN_TEXT:
        for columns in rows:
            parameters += columns.values()
        return tuple([(tuple(columns), False) for columns in rows])
    groups: dict[Names, list[Columns]] = {}
    for columns in rows:
        groups.setdefault(tuple(columns), []).append(columns)
    for names, members in groups.items():
        parameters += [[columns[name] for columns in members] for name in names]
    return tuple((names, True) for names in groups)


def write(checkpoint: Checkpoint, run: Columns, rows: list[EventRow]) -> bool:
    """Write a checkpoint in one round trip; False when the fence refused it."""
    at = checkpoint.at
    parameters: list[Any] = [*run.values(), checkpoint.run_id]
    if checkpoint.driver is not None:
        parameters.append(checkpoint.driver)
    parameters += (checkpoint.fence, at)
    changed = [
        {**columns, "of_seq": seq, "of_ticket": ticket} for seq, (ticket, columns) in checkpoint.step_changes.items()
    ]
    changes = tuple([(names[:-2], many) for names, many in _arms(changed, parameters)])
    new = _arms(list(checkpoint.new_steps.values()), parameters)
    attempts = _arms(checkpoint.attempts, parameters)
    kinds: Names | None = tuple([row[1] for row in rows])
    if len(rows) > _EVENTS_IN_TEXT or not all(row[2] is at for row in rows):
        kinds = None
        parameters += [list(column) for column in zip(*rows, strict=True)]
    else:
        for row in rows:
            parameters += row[3:]
    for pairs in (checkpoint.delivered, checkpoint.answers):
        if pairs is checkpoint.answers and checkpoint.taken:
            parameters.append(checkpoint.taken)
        if pairs:
            parameters += [list(column) for column in zip(*pairs, strict=True)]
    sql = _statement(
        tuple(run),
        changes,
        new,
        attempts,
        kinds,
        (bool(checkpoint.delivered), bool(checkpoint.taken), bool(checkpoint.answers)),
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

"""A checkpoint as statements of one transaction: SQLite, and any database without data-modifying CTEs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from workflows.store.checkpoint import Checkpoint, Columns, EventRow
from workflows.store.counting import statements


def adapted(value: Any) -> Any:
    """A parameter as SQLite stores it through Django."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, uuid.UUID):
        return value.hex
    return value


def run_statement(sql: str, parameters: list[Any]) -> int:
    """One statement through Django's cursor; gives the number of rows it touched."""
    statements.sent += 1
    with connection.cursor() as cursor:
        cursor.execute(sql, [adapted(value) for value in parameters])
        return int(cursor.rowcount)


def write(checkpoint: Checkpoint, run: Columns, rows: list[EventRow]) -> bool:
    """Write a checkpoint as statements of one transaction; False when the fence refused it."""
    with transaction.atomic(savepoint=False):
        if not _fence_portable(checkpoint, run):
            return False  # nothing is written yet, so a surrounding transaction goes on
        for seq, (ticket, columns) in checkpoint.step_changes.items():
            sets = ", ".join(f"{name} = %s" for name in columns)
            run_statement(
                f"UPDATE workflows_step SET {sets} WHERE run_id = %s AND seq = %s AND ticket = %s",
                [*columns.values(), checkpoint.run_id, seq, ticket],
            )
        for table, inserts in (("step", list(checkpoint.new_steps.values())), ("attempt", checkpoint.attempts)):
            for columns in inserts:
                _insert_portable(f"workflows_{table}", {"run_id": checkpoint.run_id, **columns})
        names = ("position", "kind", "at", "data", "hash")
        for row in rows:
            _insert_portable("workflows_history", {"run_id": checkpoint.run_id, **dict(zip(names, row, strict=True))})
        for seq, ticket in checkpoint.delivered:
            run_statement(
                "UPDATE workflows_step SET delivered = %s WHERE run_id = %s AND seq = %s AND ticket = %s",
                [True, checkpoint.run_id, seq, ticket],
            )
        for item in checkpoint.taken:
            run_statement("UPDATE workflows_inbox SET taken_at = %s WHERE id = %s", [checkpoint.at, item])
        for key, answer in checkpoint.answers:
            run_statement(
                "UPDATE workflows_inbox SET answer = %s, taken_at = COALESCE(taken_at, %s) "
                "WHERE run_id = %s AND kind = 'update' AND key = %s AND answer IS NULL",
                [answer, checkpoint.at, checkpoint.run_id, key],
            )
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
        run_statement(
            f"UPDATE workflows_run SET {sets} WHERE id = %s AND {driver} AND fence = %s{unwanted}", parameters
        )
        > 0
    )


def _insert_portable(table: str, columns: Columns) -> None:
    marks = ", ".join(["%s"] * len(columns))
    run_statement(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))

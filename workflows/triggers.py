"""Database triggers: state moves of runs and steps, append-only history and audit (SEMANTICS E25).

Generated from the core's tables, for Postgres and SQLite alike, and put back after every migrate, because a table
rebuild on SQLite drops them silently. Deletes pass under a maintenance mark only: on Postgres
`SET LOCAL finaegis.maintenance = 'on'`, on SQLite a row in `workflows_maintenance`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from workflows.core.status import RUN_MOVES, STEP_MOVES, UNSTARTED_KINDS, HoldReason, RunStatus, StepStatus

_APPEND_ONLY = ("workflows_history", "workflows_audit")
_RUN, _STEP = "workflows_run", "workflows_step"
#: What each table's triggers are called, on either database.
_NAMES = {
    _RUN: (f"{_RUN}_moves", f"{_RUN}_known_insert", f"{_RUN}_known_update"),
    _STEP: (f"{_STEP}_moves",),
    **{table: (f"{table}_kept", f"{table}_kept_update", f"{table}_kept_delete") for table in _APPEND_ONLY},
}


def _words(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _unknown_run() -> str:
    """A status that nobody knows, or a reason to hold that does not go with it."""
    return (
        f"NEW.status NOT IN ({_words(RunStatus)}) OR (NEW.status = 'held') <> (NEW.hold_reason <> '') "
        f"OR NEW.hold_reason NOT IN ('', {_words(HoldReason)})"
    )


def _forbidden(allowed: list[str]) -> str:
    return f"OLD.status <> NEW.status AND NOT ({' OR '.join(allowed)})"


def _forbidden_run() -> str:
    return _forbidden(
        [f"(OLD.status = '{old}' AND NEW.status IN ({_words(sorted(new))}))" for old, new in RUN_MOVES.items() if new]
    )


def _forbidden_step() -> str:
    allowed = []
    for old, moves in STEP_MOVES.items():
        for new in sorted(moves):
            unstarted = old == StepStatus.SCHEDULED and new == StepStatus.COMPLETED
            only = f" AND NEW.kind IN ({_words(sorted(UNSTARTED_KINDS))})" if unstarted else ""
            allowed.append(f"(OLD.status = '{old}' AND NEW.status = '{new}'{only})")
    return _forbidden(allowed)


#: (trigger, table, when it fires, what it refuses, what it says).
_CHECKED = (
    (f"{_RUN}_moves", _RUN, "UPDATE OF status", _forbidden_run(), "this move of status is not allowed"),
    (f"{_STEP}_moves", _STEP, "UPDATE OF status", _forbidden_step(), "this move of status is not allowed"),
    (f"{_RUN}_known_insert", _RUN, "INSERT", _unknown_run(), "this status is not known"),
    (f"{_RUN}_known_update", _RUN, "UPDATE OF status, hold_reason", _unknown_run(), "this status is not known"),
)


def _postgres() -> list[str]:
    """Conditions stand in functions: a session compiles those once, but reads a WHEN or a CHECK at each statement."""
    statements = []
    for trigger, table, act, condition, message in _CHECKED:
        statements += [
            f"CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
            f"RAISE EXCEPTION '{table}: {message}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
            "RETURN NEW; END $$",
            f"CREATE OR REPLACE TRIGGER {trigger} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {trigger}()",
        ]
    for table in _APPEND_ONLY:
        statements += [
            f"CREATE OR REPLACE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
            f"CREATE OR REPLACE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW "
            "WHEN (coalesce(current_setting('finaegis.maintenance', true), '') <> 'on') "
            f"EXECUTE FUNCTION {table}_kept()",
        ]
    return statements


def _sqlite() -> list[str]:
    statements = ["CREATE TABLE IF NOT EXISTS workflows_maintenance (mark integer)"]
    for trigger, table, act, condition, message in _CHECKED:
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {trigger} BEFORE {act} ON {table} FOR EACH ROW "
            f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{table}: {message}'); END"
        )
    for table in _APPEND_ONLY:
        for act in ("UPDATE", "DELETE"):
            statements.append(
                f"CREATE TRIGGER IF NOT EXISTS {table}_kept_{act.lower()} BEFORE {act} ON {table} FOR EACH ROW "
                "WHEN (SELECT count(*) FROM workflows_maintenance) = 0 "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return statements


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place; safe to repeat."""
    with connection.cursor() as cursor:
        for statement in _postgres() if connection.vendor == "postgresql" else _sqlite():
            cursor.execute(statement)


def uninstall(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away: for a test database's flush only."""
    with connection.cursor() as cursor:
        for table, triggers in _NAMES.items():
            for trigger in triggers:
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on}")


def reinstall(*, using: str, **kwargs: Any) -> None:
    """After a migrate: triggers as the core's tables say now."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not _NAMES.keys() <= tables:
        return  # migrated backwards, or only in part
    uninstall(connection)
    install(connection)

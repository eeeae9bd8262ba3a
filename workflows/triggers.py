"""Database triggers: state moves of runs and steps, append-only history and audit (SEMANTICS E25).

Generated from the core's tables, for Postgres and SQLite alike, and put back after every migrate, because a table
rebuild on SQLite drops them silently. Deletes pass under a maintenance mark only: on Postgres
`SET LOCAL finaegis.maintenance = 'on'`, on SQLite a row in `workflows_maintenance`.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from workflows.core.status import RUN_MOVES, STEP_MOVES, UNSTARTED_KINDS, StepStatus

_APPEND_ONLY = ("workflows_history", "workflows_audit")


def _run_condition() -> str:
    allowed = " OR ".join(
        f"(OLD.status = '{old}' AND NEW.status IN ({', '.join(repr(str(new)) for new in sorted(moves))}))"
        for old, moves in RUN_MOVES.items()
        if moves
    )
    return f"OLD.status <> NEW.status AND NOT ({allowed})"


def _step_condition() -> str:
    kinds = ", ".join(repr(str(kind)) for kind in sorted(UNSTARTED_KINDS))
    parts = []
    for old, moves in STEP_MOVES.items():
        for new in sorted(moves):
            only = ""
            if old == StepStatus.SCHEDULED and new == StepStatus.COMPLETED:
                only = f" AND NEW.kind IN ({kinds})"
            parts.append(f"(OLD.status = '{old}' AND NEW.status = '{new}'{only})")
    return f"OLD.status <> NEW.status AND NOT ({' OR '.join(parts)})"


def _compact(moves: dict[str, list[str]], *, unstarted: frozenset[str] = frozenset()) -> str:
    """The same as one array look-up: Postgres reads a trigger's condition anew for each statement, so it is short."""
    allowed = [f"{old}>{new}" for old, news in moves.items() for new in news]
    word = "OLD.status || '>' || NEW.status"
    if unstarted:
        allowed.remove("scheduled>completed")
        allowed += [f"scheduled>completed:{kind}" for kind in sorted(unstarted)]
        word += " || CASE WHEN OLD.status = 'scheduled' AND NEW.status = 'completed' THEN ':' || NEW.kind ELSE '' END"
    return f"OLD.status <> NEW.status AND ({word}) <> ALL ('{{{','.join(allowed)}}}'::text[])"


def _postgres() -> list[str]:
    statements = [
        """CREATE OR REPLACE FUNCTION workflows_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
        END $$"""
    ]
    runs = _compact({str(old): sorted(map(str, new)) for old, new in RUN_MOVES.items()})
    steps = _compact(
        {str(old): sorted(map(str, new)) for old, new in STEP_MOVES.items()},
        unstarted=frozenset(map(str, UNSTARTED_KINDS)),
    )
    for table, condition in (("workflows_run", runs), ("workflows_step", steps)):
        statements.append(
            f"CREATE OR REPLACE TRIGGER {table}_moves BEFORE UPDATE OF status ON {table} FOR EACH ROW "
            f"WHEN ({condition}) EXECUTE FUNCTION workflows_refuse('{table}: this move of status is not allowed')"
        )
    for table in _APPEND_ONLY:
        statements.append(
            f"CREATE OR REPLACE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW "
            "WHEN (coalesce(current_setting('finaegis.maintenance', true), '') <> 'on') "
            f"EXECUTE FUNCTION workflows_refuse('{table} is append-only')"
        )
    return statements


def _sqlite() -> list[str]:
    statements = ["CREATE TABLE IF NOT EXISTS workflows_maintenance (mark integer)"]
    for table, condition in (("workflows_run", _run_condition()), ("workflows_step", _step_condition())):
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {table}_moves BEFORE UPDATE OF status ON {table} FOR EACH ROW "
            f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{table}: this move of status is not allowed'); END"
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
    tables = ("workflows_run", "workflows_step", *_APPEND_ONLY)
    names = {
        table: (f"{table}_moves", f"{table}_kept", f"{table}_kept_update", f"{table}_kept_delete") for table in tables
    }
    with connection.cursor() as cursor:
        for table, triggers in names.items():
            for trigger in triggers:
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on}")


def reinstall(*, using: str, **kwargs: Any) -> None:
    """After a migrate: triggers as the core's tables say now."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {"workflows_run", "workflows_step", *_APPEND_ONLY} <= tables:
        return  # migrated backwards, or only in part
    uninstall(connection)
    install(connection)

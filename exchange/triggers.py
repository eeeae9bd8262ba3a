"""Database triggers of the exchange: a trade's facts and what happened are never edited, whoever writes.

A matched trade is held or settled, a held one settled, a settled one final. They are lifted under a maintenance mark,
as the ledger's are. A table rebuild on SQLite drops triggers silently, so they are put back after every migrate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

TRADE, EVENT = "exchange_trade", "exchange_event"
_FACTS = (
    "id", "instrument_id", "number", "maker_order_id", "taker_order_id", "buyer_id", "seller_id", "taker_side",
    "price_units", "quantity_minor", "currency", "notional_minor", "buyer_fee_minor", "seller_fee_minor", "matched_at",
)  # fmt: skip
_EDITED = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in _FACTS)
_BACK = "(OLD.status = 'held' AND NEW.status = 'matched') OR (OLD.status = 'settled' AND NEW.status <> 'settled')"


class _Rule(NamedTuple):
    """A refusal: on `act` of a row of `table` if `condition` holds."""

    table: str
    act: str
    condition: str
    text: str


_RULES = (
    _Rule(TRADE, "UPDATE", f"{_EDITED} OR {_BACK}", "a trade is never edited, and a settled one is final"),
    _Rule(TRADE, "DELETE", "1 = 1", "a trade is kept"),
    _Rule(EVENT, "UPDATE", "1 = 1", "what happened is never edited"),
    _Rule(EVENT, "DELETE", "1 = 1", "what happened is kept"),
)
_POSTGRES_UNMARKED = "coalesce(current_setting('finaegis.maintenance', true), '') <> 'on'"
_SQLITE_UNMARKED = "(SELECT count(*) FROM workflows_maintenance) = 0"


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place, as the rules say now; safe to repeat."""
    with connection.cursor() as cursor:
        for rule in _RULES:
            for statement in _postgres(rule) if connection.vendor == "postgresql" else _sqlite(rule):
                cursor.execute(statement)


def uninstall(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away: before a reinstall, and for the flush of a test database."""
    on_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for rule in _RULES:
            cursor.execute(f"DROP TRIGGER IF EXISTS {_name(rule)}" + (f" ON {rule.table}" if on_postgres else ""))


def reinstall(*, using: str, **kwargs: Any) -> None:
    """After a migrate: triggers as the rules say now. Does nothing while a table is missing (migrated backwards)."""
    connection = connections[using]
    if {TRADE, EVENT}.issubset(connection.introspection.table_names()):
        uninstall(connection)
        install(connection)


def _name(rule: _Rule) -> str:
    return f"{rule.table}_guard_{rule.act.lower()}"


def _postgres(rule: _Rule) -> tuple[str, str]:
    name, row = _name(rule), "OLD" if rule.act == "DELETE" else "NEW"
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF ({rule.condition}) AND {_POSTGRES_UNMARKED} "
        f"THEN RAISE EXCEPTION '{rule.text}' USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        f"RETURN {row}; END $$",
        f"CREATE OR REPLACE TRIGGER {name} BEFORE {rule.act} ON {rule.table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    )


def _sqlite(rule: _Rule) -> tuple[str, str]:
    return (
        "CREATE TABLE IF NOT EXISTS workflows_maintenance (mark integer)",
        f"CREATE TRIGGER IF NOT EXISTS {_name(rule)} BEFORE {rule.act} ON {rule.table} FOR EACH ROW "
        f"WHEN ({rule.condition}) AND {_SQLITE_UNMARKED} BEGIN SELECT RAISE(ABORT, '{rule.text}'); END",
    )

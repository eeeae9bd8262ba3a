"""Database triggers of the ledger: whoever writes, posted transfers balance and stay as they are.

A transfer begins as a draft; the step to posted checks that its postings sum to zero in each currency, that each is in
its account's currency, and that its day is open. From then on transfer and postings are sealed. Holds are resolved
once, used keys stay, a closed day stays closed. Sealed rows change only under a maintenance mark: on Postgres
`SET LOCAL finaegis.maintenance = 'on'`, on SQLite a row in `workflows_maintenance`.

A table rebuild on SQLite drops triggers silently, so they are put back after every migrate.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

TRANSFER, POSTING, HOLD = "ledger_transfer", "ledger_posting", "ledger_hold"
USED_KEY, BUSINESS_DATE = "ledger_usedkey", "ledger_businessdate"
_TABLES = frozenset({"ledger_account", TRANSFER, POSTING, HOLD, USED_KEY, BUSINESS_DATE})

_POSTED_NOW = "OLD.status = 'draft' AND NEW.status = 'posted'"
_ITS_POSTINGS = "SELECT {} FROM ledger_posting p {} WHERE p.transfer_id = NEW.id"
_COUNT = _ITS_POSTINGS.format("count(*)", "")
_EXCESS = _ITS_POSTINGS.format("1", "") + " GROUP BY p.currency HAVING sum(p.amount_minor) <> 0"
_FOREIGN = _ITS_POSTINGS.format("1", "JOIN ledger_account a ON a.id = p.account_id") + " AND a.currency <> p.currency"
_CLOSED = "SELECT 1 FROM ledger_businessdate b WHERE NEW.value_date < b.open_date"
_IN_POSTED = "EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.id IN ({}) AND t.status = 'posted')"
_SEALED = "a posted transfer and its postings are sealed"
_HOLD_EDITED = " OR ".join(
    ["OLD.status <> 'held'"]
    + [f"NEW.{column} <> OLD.{column}" for column in ("id", "key", "account_id", "currency", "amount_minor")]
)


class _Rule(NamedTuple):
    """A refusal: on `act` of a row of `table` if `condition` holds; maintenance lifts it if it is `liftable`."""

    table: str
    act: str
    name: str
    condition: str
    text: str
    liftable: bool = False


#: Rules of one table and act stand together, in the order they are checked.
_RULES = (
    _Rule(TRANSFER, "INSERT", "draft_first", "NEW.status <> 'draft'", "a transfer begins as a draft"),
    _Rule(TRANSFER, "UPDATE", "sealed", "OLD.status = 'posted'", _SEALED, liftable=True),
    _Rule(TRANSFER, "UPDATE", "legs", f"{_POSTED_NOW} AND ({_COUNT}) < 2", "a transfer needs at least two postings"),
    _Rule(TRANSFER, "UPDATE", "sums", f"{_POSTED_NOW} AND EXISTS ({_EXCESS})", "postings sum to zero in each currency"),
    _Rule(TRANSFER, "UPDATE", "currency", f"{_POSTED_NOW} AND EXISTS ({_FOREIGN})", "postings are in their currency"),
    _Rule(TRANSFER, "UPDATE", "day", f"{_POSTED_NOW} AND EXISTS ({_CLOSED})", "the business day is closed"),
    _Rule(TRANSFER, "DELETE", "kept", "OLD.status = 'posted'", _SEALED, liftable=True),
    _Rule(POSTING, "INSERT", "late", _IN_POSTED.format("NEW.transfer_id"), _SEALED),
    _Rule(POSTING, "UPDATE", "sealed", _IN_POSTED.format("OLD.transfer_id, NEW.transfer_id"), _SEALED, liftable=True),
    _Rule(POSTING, "DELETE", "kept", _IN_POSTED.format("OLD.transfer_id"), _SEALED, liftable=True),
    _Rule(HOLD, "INSERT", "held_first", "NEW.status <> 'held'", "a hold begins as held"),
    _Rule(HOLD, "UPDATE", "resolved", _HOLD_EDITED, "a hold is resolved once and never edited", liftable=True),
    _Rule(HOLD, "DELETE", "kept", "1 = 1", "a hold is kept", liftable=True),
    _Rule(USED_KEY, "UPDATE", "fixed", "1 = 1", "a used key is kept", liftable=True),
    _Rule(USED_KEY, "DELETE", "kept", "1 = 1", "a used key is kept", liftable=True),
    _Rule(BUSINESS_DATE, "UPDATE", "onward", "NEW.open_date < OLD.open_date", "a closed day is closed", liftable=True),
    _Rule(BUSINESS_DATE, "DELETE", "kept", "1 = 1", "a closed day is closed", liftable=True),
)

#: Writing a posting waits for whoever is posting its transfer, and the other way round, so that the sum that was
#: checked is the sum that is committed.
_POSTGRES_FIRST = {
    (POSTING, act): f"PERFORM 1 FROM ledger_transfer t WHERE t.id IN ({transfers}) FOR SHARE;"
    for act, transfers in (
        ("INSERT", "NEW.transfer_id"),
        ("UPDATE", "OLD.transfer_id, NEW.transfer_id"),
        ("DELETE", "OLD.transfer_id"),
    )
}
_POSTGRES_UNMARKED = "coalesce(current_setting('finaegis.maintenance', true), '') <> 'on'"
_SQLITE_UNMARKED = "(SELECT count(*) FROM workflows_maintenance) = 0"


def install(connection: BaseDatabaseWrapper) -> None:
    """Put every trigger in place, as the rules say now; safe to repeat."""
    statements = _postgres() if connection.vendor == "postgresql" else _sqlite()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def uninstall(connection: BaseDatabaseWrapper) -> None:
    """Take every trigger away: before a reinstall, and for the flush of a test database."""
    with connection.cursor() as cursor:
        for (table, act), rules in _by_act():
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER IF EXISTS {_guard(table, act)} ON {table}")
            else:
                for rule in rules:
                    cursor.execute(f"DROP TRIGGER IF EXISTS {_name(rule)}")


def reinstall(*, using: str, **kwargs: Any) -> None:
    """After a migrate: triggers as the rules say now. Does nothing while a table is missing (migrated backwards)."""
    connection = connections[using]
    if _TABLES.issubset(connection.introspection.table_names()):
        uninstall(connection)
        install(connection)


def _by_act() -> list[tuple[tuple[str, str], list[_Rule]]]:
    return [(key, list(rules)) for key, rules in groupby(_RULES, key=lambda rule: (rule.table, rule.act))]


def _name(rule: _Rule) -> str:
    return f"{rule.table}_{rule.act.lower()}_{rule.name}"


def _guard(table: str, act: str) -> str:
    return f"{table}_guard_{act.lower()}"


def _postgres() -> list[str]:
    """One function for a table and act, as a condition of a trigger itself cannot read other rows."""
    statements = []
    for (table, act), rules in _by_act():
        checks = " ".join(
            f"IF ({rule.condition}){f' AND {_POSTGRES_UNMARKED}' if rule.liftable else ''} "
            f"THEN RAISE EXCEPTION '{rule.text}' USING ERRCODE = 'integrity_constraint_violation'; END IF;"
            for rule in rules
        )
        row = "OLD" if act == "DELETE" else "NEW"
        guard = _guard(table, act)
        statements += [
            f"CREATE OR REPLACE FUNCTION {guard}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN {_POSTGRES_FIRST.get((table, act), '')} {checks} RETURN {row}; END $$",
            f"CREATE OR REPLACE TRIGGER {guard} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {guard}()",
        ]
    return statements


def _sqlite() -> list[str]:
    statements = ["CREATE TABLE IF NOT EXISTS workflows_maintenance (mark integer)"]
    for rule in _RULES:
        unmarked = f" AND {_SQLITE_UNMARKED}" if rule.liftable else ""
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {_name(rule)} BEFORE {rule.act} ON {rule.table} FOR EACH ROW "
            f"WHEN ({rule.condition}){unmarked} BEGIN SELECT RAISE(ABORT, '{rule.text}'); END"
        )
    return statements

"""The hot statement through libpq's own call: prepared once per connection, parameters as they travel.

A psycopg cursor costs as much time in Python as everything else a step does there; `pgconn` is psycopg's public door
to libpq. What does not fit (arrays, too many statements, a transaction, where an unknown name would abort it) goes
through `Connection.execute`, and errors are psycopg's, wrapped as Django wraps them.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from workflows.store.counting import statements

#: Statements kept prepared on a connection; shapes beyond that are sent through psycopg, which forgets old ones.
_KEPT = 200

_numbers = itertools.count()
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, bytes]] = WeakKeyDictionary()


@lru_cache(maxsize=64)
def _time(value: datetime) -> bytes:
    """An instant as text; one checkpoint names the same one many times."""
    return value.isoformat().encode()


#: Type -> its form in a parameter. Text is sent by length, so that the server sees, and refuses, a NUL in it.
_ENCODERS: dict[type, Callable[[Any], bytes | None]] = {
    str: str.encode,
    int: b"%d".__mod__,
    bool: lambda value: b"t" if value else b"f",
    datetime: _time,
    uuid.UUID: attrgetter("bytes"),
    bytes: bytes,
    memoryview: bytes,
    type(None): lambda value: None,
}
_BINARY = frozenset({str, bytes, memoryview, uuid.UUID})
_FORMATS: dict[type, int] = {kind: int(kind in _BINARY) for kind in _ENCODERS}


def rows_of(sql: str, parameters: Sequence[Any]) -> int:
    """Send a statement on Django's own connection and say how many rows came back. Text parameters are cast in it."""
    statements.sent += 1
    django = connections[DEFAULT_DB_ALIAS]
    if django.connection is None:
        django.ensure_connection()
    connection = django.connection
    try:
        if connection.autocommit:
            rows = _rows_directly(connection, sql, parameters)
            if rows is not None:
                return rows
        return int(connection.execute(sql, parameters, prepare=True).rowcount)
    except psycopg.Error:
        with django.wrap_database_errors:
            raise


def _rows_directly(connection: psycopg.Connection[Any], sql: str, parameters: Sequence[Any]) -> int | None:
    """The number of rows; None when this statement must go through psycopg."""
    kinds = [type(value) for value in parameters]
    try:
        values = [_ENCODERS[kind](value) for kind, value in zip(kinds, parameters, strict=True)]
    except KeyError:
        return None  # an array, say
    formats = [_FORMATS[kind] for kind in kinds]
    known = _prepared.get(connection)
    if known is None:
        known = _prepared[connection] = {}
    try:
        return _send(connection, known, sql, values, formats)
    except psycopg.errors.InvalidSqlStatementName:
        # psycopg forgets every statement after a rollback or DDL, ours as well; nothing has run.
        known.clear()
        return None


def _send(
    connection: psycopg.Connection[Any], known: dict[str, bytes], sql: str, values: list[Any], formats: list[int]
) -> int | None:
    name = known.get(sql)
    if name is None:
        if len(known) >= _KEPT:
            return None
        name = f"finaegis_{next(_numbers)}".encode()
        _checked(connection, connection.pgconn.prepare(name, _numbered(sql)))
        known[sql] = name
    result = connection.pgconn.exec_prepared(name, values, formats)
    if result.status != ExecStatus.TUPLES_OK:
        _checked(connection, result)
    return result.ntuples


def _checked(connection: psycopg.Connection[Any], result: Any) -> None:
    if result.status in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        return
    if connection.broken or connection.closed:
        raise psycopg.OperationalError(connection.pgconn.error_message.decode("utf-8", "replace"))
    raise error_from_result(result, encoding="utf-8")


@lru_cache(maxsize=_KEPT)
def _numbered(sql: str) -> bytes:
    """`%s` placeholders as libpq wants them."""
    first, *rest = sql.split("%s")
    return (first + "".join(f"${number}{part}" for number, part in enumerate(rest, start=1))).encode()

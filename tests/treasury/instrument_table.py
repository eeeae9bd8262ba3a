"""The shipped instrument table for tests that need it and are about something else."""

from __future__ import annotations

from typing import Any

from django.db import connection

from treasury import operations
from treasury.models import Instrument

_rows: list[tuple[Any, ...]] = []


def have_instruments() -> None:
    """As `treasury.operations.load_instruments` on an empty table. That takes half a second: once, then copies."""
    table = connection.ops.quote_name(Instrument._meta.db_table)
    columns = [field.column for field in Instrument._meta.concrete_fields]
    named = ", ".join(map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        if not _rows:
            operations.load_instruments()
            cursor.execute(f"SELECT {named} FROM {table}")
            _rows.extend(cursor.fetchall())
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({named}) VALUES ({places})", _rows)

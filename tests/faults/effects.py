"""A table that counts effects; it has no unique constraint, so a doubled effect shows."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection


def create_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS test_effect (label text NOT NULL)")


def write(label: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO test_effect (label) VALUES (%s)", [label])


def write_many(labels: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO test_effect (label) SELECT unnest(%s::text[])", [list(labels)])


def count(label: str) -> int:
    """How often an effect happened; `%` stands for any text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM test_effect WHERE label LIKE %s", [label])
        return int(cursor.fetchone()[0])


def counts(label: str) -> dict[str, int]:
    """Each effect and how often it happened; `%` stands for any text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT label, count(*) FROM test_effect WHERE label LIKE %s GROUP BY label", [label])
        return {str(label): int(number) for label, number in cursor.fetchall()}

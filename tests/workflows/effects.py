"""Effects as rows: what activities of these tests do, and how often it happened."""

from __future__ import annotations

from django.db import connection


def create_tables() -> None:
    """One table without any unique constraint, and a pair with a deferred foreign key."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS test_effect (label text NOT NULL)")
        cursor.execute("CREATE TABLE IF NOT EXISTS test_parent (id integer PRIMARY KEY)")
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS test_child "
            "(parent integer NOT NULL REFERENCES test_parent (id) DEFERRABLE INITIALLY DEFERRED)"
        )


def drop_tables() -> None:
    with connection.cursor() as cursor:
        for table in ("test_child", "test_parent", "test_effect"):
            cursor.execute(f"DROP TABLE IF EXISTS {table}")


def clear() -> None:
    with connection.cursor() as cursor:
        for table in ("test_child", "test_parent", "test_effect"):
            cursor.execute(f"DELETE FROM {table}")


def write(label: str) -> None:
    """One effect."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO test_effect (label) VALUES (%s)", [label])


def write_orphan() -> None:
    """A row whose parent is missing: refused when the deferred constraint is checked, not before."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO test_child (parent) VALUES (%s)", [404])


def write_parent(number: int) -> None:
    """A row with a primary key: the second one of a number is refused at once."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO test_parent (id) VALUES (%s)", [number])


def labels() -> list[str]:
    """Every effect that stands, sorted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT label FROM test_effect")
        return sorted(row[0] for row in cursor.fetchall())


def count(label: str) -> int:
    """How often an effect happened."""
    return labels().count(label)


def parents() -> list[int]:
    """Every row that `write_parent` left, sorted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM test_parent")
        return sorted(row[0] for row in cursor.fetchall())

"""Lease time: the database's own clock, so that machines need not agree. `clock.now()` is for everything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, Func
from django.db.models.expressions import Combinable, Value


class ClockTimestamp(Func):
    """Postgres `clock_timestamp()`: the real time, not the transaction's start."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def database_now() -> Combinable | datetime:
    """The database's clock as an expression; SQLite has the machine's own."""
    if connection.vendor == "postgresql":
        return ClockTimestamp()
    return datetime.now(UTC)


def database_after(delay: timedelta) -> Combinable | datetime:
    """The database's clock plus `delay`."""
    if connection.vendor == "postgresql":
        return ClockTimestamp() + Value(delay)
    return datetime.now(UTC) + delay


def alive_condition(driver: str) -> str:
    """SQL (Postgres) of a subquery that finds the process `driver` alive."""
    return f"SELECT 1 FROM workflows_liveness l WHERE l.id = {driver} AND l.expires_at > clock_timestamp()"

"""The open business day: which day a transfer may be dated, and moving it on.

On Postgres a transfer shares a lock that closing a day takes alone, so no transfer dated on a day commits after that
day has closed. On SQLite there is one writer anyway.
"""

from __future__ import annotations

from datetime import date

from django.db import connections, router, transaction

from ledger import queries
from ledger.errors import BusinessDayClosed
from ledger.models import BusinessDate
from ledger.queries.reading import find_open_date

#: The advisory lock of the business day ("LEDG", 1).
_LOCK = (0x4C454447, 1)


def value_date_of(asked: date | None) -> date:
    """The value date of a transfer posted in this transaction; refuses a day that is closed.

    Until the transaction ends the open day cannot move.
    """
    _lock("pg_advisory_xact_lock_shared")
    open_date = find_open_date()
    if open_date is None:
        return asked or queries.get_business_date()
    if asked is not None and asked < open_date:
        raise BusinessDayClosed(value_date=asked, open_date=open_date)
    return asked or open_date


def open_business_day(*, day: date) -> date:
    """Make `day` the open business day and close all before it; waits for transfers under way.

    Repeating it does nothing. Raises `BusinessDayClosed` for a day before the open one: a closed day stays closed.
    """
    with transaction.atomic():
        _lock("pg_advisory_xact_lock")
        open_date = find_open_date()
        if open_date is not None and day < open_date:
            raise BusinessDayClosed(value_date=day, open_date=open_date)
        BusinessDate.objects.update_or_create(pk=1, defaults={"open_date": day})
    return day


def _lock(function: str) -> None:
    connection = connections[router.db_for_write(BusinessDate)]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s, %s)", _LOCK)

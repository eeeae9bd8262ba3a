"""One step's row moved on by the attempt that holds it: a compare-and-set on its ticket, one prepared statement.

The hot path of a gather: a member claims its step and settles it, each in one round trip.
"""

from __future__ import annotations

import re
import uuid
from functools import cache

from django.db import connection

from workflows.core.status import RunStatus
from workflows.store import portable, prepared
from workflows.store.checkpoint import Columns
from workflows.store.postgres import sets_of

#: A run in one of these lets attempts begin.
GOES_ON = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.WAITING)
_GOES_ON = ", ".join(f"'{status}'" for status in GOES_ON)
_CAST = re.compile(r"::[a-z]+")


def move_attempt(
    run_id: uuid.UUID, seq: int, *, ticket: int, status: str, columns: Columns, if_run_goes_on: bool = False
) -> bool:
    """Write columns if the step still stands at this ticket and status; False when it does not.

    `if_run_goes_on`: and only while its run is neither held, closed nor compensating.
    """
    sql = _statement(tuple(columns), if_run_goes_on)
    parameters = [*columns.values(), run_id, seq, ticket, str(status)]
    if if_run_goes_on:
        parameters.append(run_id)
    if connection.vendor == "postgresql":
        return prepared.rows_of(sql, parameters) > 0
    return portable.run_statement(_portable(sql), parameters) > 0


@cache
def _statement(names: tuple[str, ...], if_run_goes_on: bool) -> str:
    goes_on = (
        f" AND EXISTS (SELECT 1 FROM workflows_run r WHERE r.id = %s::uuid AND r.status IN ({_GOES_ON}))"
        if if_run_goes_on
        else ""
    )
    return (
        f"UPDATE workflows_step SET {sets_of(names)} WHERE run_id = %s::uuid AND seq = %s::int "
        f"AND ticket = %s::bigint AND status = %s::text{goes_on} RETURNING seq"
    )


@cache
def _portable(sql: str) -> str:
    return _CAST.sub("", sql).removesuffix(" RETURNING seq")

"""Who drives a run: claiming, looking at the mark others leave, and giving up a lease.

A run is leased by a process (its liveness row) and a fence; the run row has no expiry of its own (SEMANTICS C16).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from django.db import connection, transaction

from workflows.core.status import DRIVABLE
from workflows.models import Process, Run
from workflows.store.checkpoint import Head
from workflows.store.counting import statements
from workflows.store.database_time import alive_condition, database_now
from workflows.store.postgres import execute

_DRIVABLE = ", ".join(f"'{status}'" for status in sorted(DRIVABLE))
_COLUMNS = (
    "id", "workflow", "version", "key", "status", "input", "seed", "attempt", "fence", "head_seq", "head_hash",
    "crashes", "error", "actor", "in_hand", "timeout_at",
    "report_to",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """A leased run, as it stood when it was claimed."""

    run_id: uuid.UUID
    driver: uuid.UUID
    fence: int
    workflow: str
    version: int
    key: str | None
    status: str
    input: str
    seed: str
    attempt: int
    head: Head
    crashes: int
    error: str | None
    actor: str
    #: The step that was running in place, if any (`store.in_hand`).
    in_hand: str | None
    #: When the run times out, if it does.
    timeout_at: datetime | None
    #: The process that held it before, if any was taken over.
    taken_from: uuid.UUID | None
    #: Taken because the attempt in hand was overdue, from a process that lives.
    overdue: bool
    #: Somebody waits for its end.
    reports: bool


class Peek(Enum):
    """What a refused checkpoint met."""

    LOST = "lost"
    WANTED = "wanted"
    MINE = "mine"


def claim(run_id: uuid.UUID, *, driver: uuid.UUID, capabilities: Sequence[str], now: datetime) -> Claim | None:
    """Lease a run that is due for driving: free, or its process silent for a lease, or its attempt overdue.

    Only a (workflow, version) among `capabilities` is claimed. None when there is nothing to claim.
    """
    if connection.vendor == "postgresql":
        return _claim_postgres(run_id, driver, capabilities, now)
    return _claim_portable(run_id, driver, capabilities, now)


_CLAIM = f"""
WITH old AS (
    SELECT r.id, r.driver, r.status, EXISTS ({alive_condition("r.driver")}) AS alive
    FROM workflows_run r
    WHERE r.id = %s::uuid AND r.status IN ({_DRIVABLE}) AND r.workflow || '@' || r.version = ANY(%s::text[])
    FOR UPDATE OF r
)
UPDATE workflows_run AS run SET
    driver = %s::uuid, fence = run.fence + 1, wanted = false, wake_at = NULL, wake_tries = 0,
    unclaimed_since = NULL, deadline_at = NULL,
    status = CASE WHEN run.status IN ('pending', 'waiting') THEN 'running' ELSE run.status END,
    crashes = CASE WHEN old.driver IS NOT NULL AND NOT old.alive THEN run.crashes + 1 ELSE run.crashes END
FROM old
WHERE run.id = old.id AND (NOT old.alive OR run.deadline_at < %s::timestamptz)
RETURNING {", ".join(f"run.{name}" for name in _COLUMNS)}, old.driver, old.alive
"""


def _claim_postgres(run_id: uuid.UUID, driver: uuid.UUID, capabilities: Sequence[str], now: datetime) -> Claim | None:
    row = execute(_CLAIM, [run_id, list(capabilities), driver, now]).fetchone()
    if row is None:
        return None
    run = Run(**dict(zip(_COLUMNS, row, strict=False)))
    return _claimed(run, driver, taken_from=row[-2], overdue=bool(row[-1]))


def _claim_portable(run_id: uuid.UUID, driver: uuid.UUID, capabilities: Sequence[str], now: datetime) -> Claim | None:
    statements.sent += 2
    with transaction.atomic():
        run = Run.objects.filter(pk=run_id, status__in=DRIVABLE).first()
        if run is None or f"{run.workflow}@{run.version}" not in capabilities:
            return None
        alive = Process.objects.filter(pk=run.driver, expires_at__gt=database_now()).exists() if run.driver else False
        if alive and not (run.deadline_at is not None and run.deadline_at < now):
            return None
        taken_from = run.driver
        if taken_from is not None and not alive:
            run.crashes += 1
        if run.status in ("pending", "waiting"):
            run.status = "running"
        run.driver, run.fence = driver, run.fence + 1
        Run.objects.filter(pk=run_id).update(
            driver=driver, fence=run.fence, wanted=False, wake_at=None, wake_tries=0, unclaimed_since=None,
            deadline_at=None,
            status=run.status, crashes=run.crashes,
        )  # fmt: skip
        return _claimed(run, driver, taken_from=taken_from, overdue=alive)


def _claimed(run: Run, driver: uuid.UUID, *, taken_from: uuid.UUID | None, overdue: bool) -> Claim:
    return Claim(
        run.id, driver, run.fence, run.workflow, run.version, run.key, run.status, run.input, run.seed, run.attempt,
        Head(run.head_seq, bytes(run.head_hash)), run.crashes, run.error, run.actor, run.in_hand,
        run.timeout_at, taken_from,
        overdue and taken_from is not None, run.report_to is not None,
    )  # fmt: skip


def peek(run_id: uuid.UUID, *, driver: uuid.UUID, fence: int) -> Peek:
    """Why a checkpoint was refused: the lease is gone, or somebody left a fact."""
    statements.sent += 1
    wanted = Run.objects.filter(pk=run_id, driver=driver, fence=fence).values_list("wanted", flat=True).first()
    if wanted is None:
        return Peek.LOST
    return Peek.WANTED if wanted else Peek.MINE


def acknowledge(run_id: uuid.UUID, *, driver: uuid.UUID, fence: int) -> bool:
    """Take the mark away before looking, so that what comes later marks it again. False when the lease is gone."""
    statements.sent += 1
    return Run.objects.filter(pk=run_id, driver=driver, fence=fence).update(wanted=False) > 0


def unlock(run_id: uuid.UUID, *, driver: uuid.UUID, fence: int, wake_at: datetime) -> bool:
    """Give a lease up without a word in the history: the run is driven anew from `wake_at` on."""
    statements.sent += 1
    return Run.objects.filter(pk=run_id, driver=driver, fence=fence).update(driver=None, wake_at=wake_at) > 0

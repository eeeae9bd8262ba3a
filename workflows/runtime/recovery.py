"""What periodic work does: wakes runs that are due, takes over from dead processes, seals heads.

Run by beat each second and at start-up; any of it may run twice or late.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from workflows import clock, conf
from workflows.core.definitions import registry
from workflows.core.status import DRIVABLE, HoldReason, RunStatus, StepStatus
from workflows.models import InboxItem, Process, Run, Step
from workflows.runtime import members, process, verdicts
from workflows.store import GOES_ON
from workflows.store.database_time import database_now
from workflows.store.postgres import execute

log = logging.getLogger("workflows.recovery")

#: The first wait before a due run that nobody claimed is woken again; it doubles up to a bound.
WAKE_AGAIN = timedelta(seconds=10)
_MOST_DOUBLINGS = 8
#: How long the row of a dead process is kept for people to see.
KEEP_DEAD = timedelta(hours=1)

_WAKE = """
UPDATE workflows_run SET
    wake_at = %s::timestamptz + %s::interval * power(2, LEAST(wake_tries, %s::int)), wake_tries = wake_tries + 1,
    unclaimed_since = COALESCE(unclaimed_since, %s::timestamptz)
WHERE id IN (
    SELECT id FROM workflows_run WHERE wake_at <= %s::timestamptz ORDER BY wake_at LIMIT %s::int
    FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


def wake_due() -> list[uuid.UUID]:
    """Runs that are due now; each is due again later unless somebody claims it (DESIGN 4.5)."""
    now, batch = clock.now(), conf.engine().wake_batch
    if connection.vendor == "postgresql":
        return [row[0] for row in execute(_WAKE, [now, WAKE_AGAIN, _MOST_DOUBLINGS, now, now, batch]).fetchall()]
    with transaction.atomic():
        due = list(Run.objects.filter(wake_at__lte=now).order_by("wake_at")[:batch])
        for run in due:
            again = now + WAKE_AGAIN * 2 ** min(run.wake_tries, _MOST_DOUBLINGS)
            since = run.unclaimed_since or now
            Run.objects.filter(pk=run.pk).update(wake_at=again, wake_tries=F("wake_tries") + 1, unclaimed_since=since)
    return [run.pk for run in due]


def wake_at_once() -> int:
    """Make every run due that was woken and not claimed: its hint went down with a broker that kept it in memory."""
    woken = Run.objects.filter(status__in=DRIVABLE, driver__isnull=True, wake_at__isnull=False, wake_tries__gt=0)
    return woken.update(wake_at=clock.now(), wake_tries=0)


def find_lost() -> list[uuid.UUID]:
    """Runs whose process has been silent for a lease, or whose attempt is overdue; a claim takes them over.

    On SQLite one process is the whole world: the caller has renewed its own row before it judges others.
    """
    alive = Process.objects.filter(expires_at__gt=database_now()).values("id")
    lost = Q(driver__isnull=False) & (~Q(driver__in=alive) | Q(deadline_at__lt=clock.now()))
    runs = Run.objects.filter(lost, status__in=DRIVABLE).values_list("id", flat=True)
    return list(runs[: conf.engine().wake_batch])


_SEND = """
UPDATE workflows_step SET
    send_at = %s::timestamptz + %s::interval * power(2, LEAST(COALESCE(sends, 0), %s::int)),
    sends = LEAST(COALESCE(sends, 0) + 1, 30000)
WHERE (run_id, seq) IN (
    SELECT s.run_id, s.seq FROM workflows_step s JOIN workflows_run r ON r.id = s.run_id
    WHERE s.send_at <= %s::timestamptz AND r.status = ANY(%s::text[])
    ORDER BY s.send_at LIMIT %s::int
    FOR UPDATE OF s SKIP LOCKED
)
RETURNING run_id, seq, queue
"""

#: A step to send: its run, its number, whose workers run it.
ToSend = tuple[uuid.UUID, int, str]


def send_due() -> list[ToSend]:
    """Attempts that are due to be sent (again): retries, and what no worker began; each is due again later.

    Those of a run that is held stay due: no worker may begin them, and they go out once it is released.
    """
    now, batch = clock.now(), conf.engine().wake_batch
    if connection.vendor == "postgresql":
        rows = execute(
            _SEND, [now, WAKE_AGAIN, _MOST_DOUBLINGS, now, [str(status) for status in GOES_ON], batch]
        ).fetchall()
        return [(run_id, seq, queue or "") for run_id, seq, queue in rows]
    due: list[ToSend] = []
    with transaction.atomic():
        going_on = Run.objects.filter(status__in=GOES_ON).values("id")
        for step in Step.objects.filter(send_at__lte=now, run_id__in=going_on).order_by("send_at")[:batch]:
            sends = step.sends or 0
            again = now + WAKE_AGAIN * 2 ** min(sends, _MOST_DOUBLINGS)
            Step.objects.filter(pk=step.pk).update(send_at=again, sends=min(sends + 1, 30000))
            due.append((step.run_id, step.seq, step.queue or ""))
    return due


def give_up_attempts() -> int:
    """Attempts sent out whose process died, whose time is over or whose heartbeat stayed away; and steps that no
    worker began in time. Gives how many were given up."""
    now = clock.now()
    alive = Process.objects.filter(expires_at__gt=database_now()).values("id")
    running = Step.objects.filter(status=StepStatus.RUNNING, queue__isnull=False)
    lost = Q(process__isnull=False) & ~Q(process__in=alive)
    broken = running.filter(lost | Q(deadline_at__lt=now) | Q(beat_by__lt=now))
    found = list(broken[: conf.engine().wake_batch])
    living = set(alive.values_list("id", flat=True))
    for step in found:
        if step.process is not None and step.process not in living:
            error = verdicts.LOST  # also when it is overdue by now: it died first, and that is no failure
        elif step.deadline_at is not None and step.deadline_at < now:
            error = verdicts.OVERDUE
        elif step.beat_by is not None and step.beat_by < now:
            error = verdicts.SILENT
        else:
            error = verdicts.LOST  # its process counted as dead when the steps were read
        _apart(members.give_up, step, error)
    unclaimed = list(Step.objects.filter(start_by__lt=now, status=StepStatus.SCHEDULED)[: conf.engine().wake_batch])
    for step in unclaimed:
        _apart(members.give_up_waiting, step)
    return len(found) + len(unclaimed)


def _apart(act: Callable[..., None], step: Step, *more: Any) -> None:
    """One step that cannot be given up now keeps the sweep from no other."""
    try:
        act(step.run_id, step.seq, step.ticket, *more)
    except Exception:
        log.exception("run %s step %s could not be given up", step.run_id, step.seq)


def find_unread(*, older_than: timedelta = timedelta(seconds=1)) -> list[uuid.UUID]:
    """Runs that nobody drives although outcomes or messages wait for them: their hints were lost (SEMANTICS C14)."""
    since = clock.now() - older_than
    steps = Step.objects.filter(settled_at__lte=since, delivered=False, queue__isnull=False).values("run_id")
    items = InboxItem.objects.filter(taken_at=None, arrived_at__lte=since).values("run_id")
    idle = Run.objects.filter(Q(id__in=steps) | Q(id__in=items), driver__isnull=True, status__in=DRIVABLE)
    return list(idle.values_list("id", flat=True)[: conf.engine().wake_batch])


def is_for_others(run_id: uuid.UUID) -> bool:
    """Whether a run waits for a driver with code that this process lacks and another one has."""
    waiting = Run.objects.filter(pk=run_id, driver__isnull=True, status__in=DRIVABLE)
    found = waiting.values_list("workflow", "version").first()
    return found is not None and process.is_code_elsewhere(*found)


def find_without_code() -> list[uuid.UUID]:
    """Runs that have been due for a while and that no living process has the code of (SEMANTICS E23)."""
    since = clock.now() - conf.engine().code_missing_after
    waiting = Run.objects.filter(status__in=DRIVABLE, driver__isnull=True, unclaimed_since__lte=since)
    found = list(waiting.values_list("id", "workflow", "version")[: conf.engine().wake_batch])
    if not found:
        return []
    alive = Process.objects.filter(expires_at__gt=database_now()).values_list("capabilities", flat=True)
    known = {capability for capabilities in alive for capability in capabilities.splitlines()}
    return [run_id for run_id, name, version in found if f"{name}@{version}" not in known]


def forget_dead_processes() -> int:
    """Drop rows of processes that died a while ago and drive nothing."""
    old = Process.objects.filter(expires_at__lt=clock.now() - KEEP_DEAD)
    driving = Run.objects.filter(driver__isnull=False).values("driver")
    return old.exclude(id__in=driving).delete()[0]


def find_mendable() -> list[uuid.UUID]:
    """Runs held because code and history disagreed or the code was missing, that this build may now drive."""
    reasons = (HoldReason.NONDETERMINISM, HoldReason.CODE_MISSING)
    held = Run.objects.filter(status=RunStatus.HELD, hold_reason__in=reasons).values_list("id", "workflow", "version")
    return [run_id for run_id, name, version in held if version in registry.workflows.get(name, {})]

"""Celery handlers: an id in, one call. They never raise to Celery and keep no result."""

from __future__ import annotations

import uuid

from celery import shared_task

from workflows.operations import mending
from workflows.runtime import advance as driving
from workflows.runtime import dispatch, process, recovery
from workflows.store import seals

#: Identities of this process that have looked for runs its build may mend: once each, when it registers.
_mended: set[uuid.UUID] = set()


@shared_task(name=dispatch.ADVANCE, ignore_result=True)
def advance(run_id: str) -> None:
    """Drive one run as far as it goes now."""
    driving.advance(uuid.UUID(run_id))


@shared_task(name="workflows.wake", ignore_result=True)
def wake() -> None:
    """Hint for every run that is due."""
    dispatch.send_many(recovery.wake_due())


@shared_task(name="workflows.sweep", ignore_result=True)
def sweep() -> None:
    """Hint for every run whose process is silent or whose attempt is overdue."""
    known = process.current()
    process.renew()  # before it judges others, this process shows that it lives
    dispatch.send_many(recovery.find_lost())
    mending.hold_without_code()
    if known.id not in _mended:
        _mended.add(known.id)
        mending.release_mended()


@shared_task(name="workflows.seal", ignore_result=True)
def seal() -> None:
    """Seal the heads of histories that moved, and drop rows of processes long dead."""
    seals.seal_heads()
    recovery.forget_dead_processes()

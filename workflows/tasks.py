"""Celery handlers: an id in, one call. They never raise to Celery and keep no result."""

from __future__ import annotations

import uuid

from celery import shared_task

from workflows import conf, events, metrics
from workflows.operations import mending, resolving
from workflows.runtime import advance as driving
from workflows.runtime import dispatch, members, process, recovery, telling
from workflows.store import seals

#: Identities of this process that have looked for runs its build may mend: once each, when it registers.
_mended: set[uuid.UUID] = set()


@shared_task(name=dispatch.ADVANCE, ignore_result=True)
def advance(run_id: str) -> None:
    """Drive one run as far as it goes now; who is shutting down, or lacks the run's code, passes the hint on."""
    run = uuid.UUID(run_id)
    if process.leaving() or (not driving.advance(run) and recovery.is_for_others(run)):
        dispatch.pass_on(run)


@shared_task(name=dispatch.ATTEMPT)
def attempt(run_id: str, seqs: list[int]) -> None:
    """Run attempts that were sent out. It keeps a result (none) only as a member of a chord."""
    members.attempt(uuid.UUID(run_id), seqs)


@shared_task(name=dispatch.DELIVER, ignore_result=True)
def deliver(event: int) -> None:
    """Deliver business events that wait; the number only says that there is one."""
    events.deliver_due()


#: Most batches one wake sends: what is due beyond that is due still a second later.
_BATCHES = 20


@shared_task(name="workflows.wake", ignore_result=True)
def wake() -> None:
    """Hint for every run that is due, and for every attempt that is to be sent."""
    for _ in range(_BATCHES):
        due = recovery.wake_due()
        dispatch.send_many(due)
        if len(due) < conf.engine().wake_batch:
            break
    for _ in range(_BATCHES):
        steps = recovery.send_due()
        dispatch.send_again(steps)
        if len(steps) < conf.engine().wake_batch:
            break
    events.deliver_due()


@shared_task(name="workflows.sweep", ignore_result=True)
def sweep() -> None:
    """Take over from the silent: runs, attempts that were sent out, and what was left without a hint."""
    known = process.current()
    process.renew()  # before it judges others, this process shows that it lives
    dispatch.send_many(recovery.find_lost())
    recovery.give_up_attempts()
    telling.tell_untold()
    dispatch.send_many(recovery.find_unread())
    mending.hold_without_code()
    if known.id not in _mended:
        _mended.add(known.id)
        mending.release_mended()


@shared_task(name="workflows.reconcile", ignore_result=True)
def reconcile() -> None:
    """Ask counterparties again about attempts in doubt."""
    resolving.resolve_known()


@shared_task(name="workflows.figures", ignore_result=True)
def figures() -> None:
    """Count what runs did since it was last done."""
    metrics.WorkflowMetricsCollector().collect()


@shared_task(name="workflows.seal", ignore_result=True)
def seal() -> None:
    """Seal the heads of histories that moved, and drop rows of processes long dead."""
    seals.seal_heads()
    recovery.forget_dead_processes()

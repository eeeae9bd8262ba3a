"""Attempts that are sent out: each claims its own step, runs it and settles its own row; the driver appends history.

A message names a run and steps and may come twice, late or never: who changes the step's `ticket` runs it. Steps of
one fan-out do not meet on the run's row (SEMANTICS B9, C15).
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import IntegrityError, connection, transaction

from workflows import clock, conf, store
from workflows.core import payloads
from workflows.core.definitions import Activity, registry
from workflows.core.status import StepKind, StepStatus
from workflows.models import InboxItem, Run, Step
from workflows.runtime import advance, attempts, dispatch, faults, policies, process, settling, verdicts
from workflows.runtime.attempts import Outcome
from workflows.runtime.hosting import Host
from workflows.runtime.process import Identity, LostLease
from workflows.store import StoredStep, stored_step

log = logging.getLogger("workflows.members")

Done = TypeVar("Done")

#: Deadlocks, serialisation failures and lock time-outs are tried again this often, then the attempt is sent again.
_PASSING_TRIES = 5


class _RollBack(Exception):
    """Undoes an activity's transaction because the attempt failed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def attempt(run_id: uuid.UUID, seqs: Sequence[int]) -> None:
    """Run the steps that wait for a worker, one after the other, and drive the run on where that may be needed.

    Never raises: what cannot be looked at or written is found again by its row.
    """
    try:
        _attempt_each(run_id, seqs)
    except Exception:
        log.exception("steps %s of run %s: what is left of them is sent again", seqs, run_id)


def _attempt_each(run_id: uuid.UUID, seqs: Sequence[int]) -> None:
    rows = Step.objects.filter(run_id=run_id, seq__in=list(seqs), queue__isnull=False, status=StepStatus.SCHEDULED)
    together: dict[int, bool] = {}
    for row in sorted(rows, key=lambda row: row.seq):
        if process.leaving():
            Step.objects.filter(pk=row.pk, send_at__isnull=False).update(send_at=clock.now())
            continue
        settled = _attempt_one(run_id, row, process.current())
        if settled is None:
            continue
        if row.batch is None or settled != StepStatus.COMPLETED:
            drive_on(run_id)
        else:
            together[row.batch] = True
    for batch in together:
        if not _is_awaited(run_id, batch):
            drive_on(run_id)


def _attempt_one(run_id: uuid.UUID, row: Step, identity: Identity) -> str | None:
    """How a step settled in this attempt; None if it is not this worker's, or goes on later."""
    step = None
    try:
        step = _begin(run_id, row, identity)
        if step is None:
            return None
        identity.check()
        return step.status if _perform(run_id, step, identity) else None
    except LostLease:
        log.info("run %s step %s: this process was silent for a lease, its attempts are others' now", run_id, row.seq)
    except Exception as error:
        log.exception("run %s step %s: the outcome of an attempt could not be written", run_id, row.seq)
        if step is not None or not attempts.is_passing(error):
            return _given_back(run_id, row, identity)
    return None


def _given_back(run_id: uuid.UUID, row: Step, identity: Identity) -> str | None:
    """After an error of the engine or the database only the row decides. How the step settled, if it did.

    An attempt that still counts as running is lost: this process lives, so nobody else would take it.
    """
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        ticket = row.ticket + 1
        found = Step.objects.filter(run_id=run_id, seq=row.seq, ticket=ticket).values_list("status", flat=True).first()
        if found == StepStatus.RUNNING:
            give_up(run_id, row.seq, ticket, verdicts.LOST)
        return found if found in verdicts.SETTLED else None
    except Exception as error:
        # The database is away. What is out under this name is found once the name has expired.
        log.warning("run %s step %s: %r; this process goes on under a new identity", run_id, row.seq, error)
        identity.lapsed = True
        return None


def _is_awaited(run_id: uuid.UUID, batch: int) -> bool:
    """Whether members of a gather are still out. Asked after the commit: before it, nobody might be the last."""
    waiting = [StepStatus.SCHEDULED, StepStatus.RUNNING]
    return Step.objects.filter(run_id=run_id, batch=batch, status__in=waiting).exists()


def drive_on(run_id: uuid.UUID) -> None:
    """A fact was left: mark it for the driver that is there, or be the driver (SEMANTICS C14)."""
    if not Run.objects.filter(pk=run_id, driver__isnull=False).update(wanted=True):
        if dispatch.is_silenced():
            Run.objects.filter(pk=run_id, status__in=store.GOES_ON).update(wake_at=clock.now())
        else:
            advance.advance(run_id)


def _begin(run_id: uuid.UUID, row: Step, identity: Identity) -> StoredStep | None:
    """Claim an attempt; None when another did, it is not due, or its run does not go on now."""
    registered = registry.activities.get(row.name)
    if registered is None:
        log.warning("no activity is registered as %s: run %s waits for a worker that has it", row.name, run_id)
        code = Run.objects.filter(pk=run_id).values_list("workflow", "version").first()
        if code is not None and process.is_code_elsewhere(*code):
            dispatch.pass_attempt_on(run_id, row.seq, row.queue)
        return None
    now = clock.now()
    if row.due_at is not None and row.due_at > now:
        return None
    if row.start_by is not None and row.start_by < now:
        give_up_waiting(run_id, row.seq, row.ticket)
        return None
    options = policies.restored(registered, row.policy).options_
    columns: dict[str, Any] = {
        "status": str(StepStatus.RUNNING), "attempt": row.attempt + 1, "ticket": row.ticket + 1,
        "process": identity.id, "started_at": now, "due_at": None, "send_at": None, "start_by": None,
        "deadline_at": now + (options.timeout or conf.engine().activity_timeout),
        "beat_by": now + options.heartbeat if options.heartbeat is not None else None,
    }  # fmt: skip
    if not store.move_attempt(
        run_id, row.seq, ticket=row.ticket, status=StepStatus.SCHEDULED, columns=columns, if_run_goes_on=True
    ):
        return None
    step = stored_step(row)
    step.status, step.attempt, step.ticket, step.started_at = StepStatus.RUNNING, row.attempt + 1, row.ticket + 1, now
    step.due_at = None
    faults.point("member.begun", step.name)
    return step


def _perform(run_id: uuid.UUID, step: StoredStep, identity: Identity) -> bool:
    """Run a claimed attempt and settle its row; whether the step has settled for good."""
    activity = policies.restored(registry.activities[step.name], step.policy)
    try:
        if activity.options_.transactional:
            return _past_locks(identity, lambda: _perform_transactional(run_id, step, activity))
        outcome = _past_locks(identity, lambda: _call(run_id, step, activity))
    except Exception as error:
        if not attempts.is_passing(error):
            raise
        settling.send_again(run_id, step, verdicts.BUSY, due=clock.now() + timedelta(seconds=1))
        return False
    # The call is over: locks that do not come free now must not lead to another one.
    return _past_locks(identity, lambda: _record(run_id, step, outcome, activity))


def _past_locks(identity: Identity, act: Callable[[], Done]) -> Done:
    """Act again while the database refuses for reasons that pass; raises its last refusal."""
    for number in range(1, _PASSING_TRIES + 1):
        try:
            return act()
        except Exception as error:
            if number == _PASSING_TRIES or not attempts.is_passing(error):
                raise
            log.info("locks did not come free: %s", error)
        identity.check()
        time.sleep(0.01 * 2**number)
    raise AssertionError("unreachable")


def _host(run_id: uuid.UUID, step: StoredStep, activity: Activity[..., Any]) -> Host:
    options = activity.options_
    return Host(run_id, step, heartbeat=options.heartbeat, transactional=options.transactional)


def _call(run_id: uuid.UUID, step: StoredStep, activity: Activity[..., Any]) -> Outcome:
    faults.point("attempt.before", step.name)
    outcome = attempts.call(activity, run_id, step, None, _host(run_id, step, activity))
    faults.point("attempt.inside", step.name)
    return outcome


def _record(run_id: uuid.UUID, step: StoredStep, outcome: Outcome, activity: Activity[..., Any]) -> bool:
    if outcome.later:
        # Whoever holds the token ends it: the life of this process does not matter any more.
        settling.write(run_id, step, {"process": None})
        return False
    return settling.settle(run_id, step, outcome, activity)


def _perform_transactional(run_id: uuid.UUID, step: StoredStep, activity: Activity[..., Any]) -> bool:
    faults.point("attempt.before", step.name)
    settled = False
    try:
        with transaction.atomic():
            outcome = _call_inside(run_id, step, activity)
            faults.point("attempt.inside", step.name)
            if outcome.error is not None:
                raise _RollBack(outcome)
            settled = settling.settle(run_id, step, outcome, activity)
            if not settled:
                raise _RollBack(outcome)  # the attempt was given up: its rows go with it
        faults.point("commit.after", step.name)
        return True
    except _RollBack as rolled_back:
        if rolled_back.outcome.error is None:
            return False
        # What was rolled back did not happen, whatever became of its result.
        return settling.settle(run_id, step, replace(rolled_back.outcome, unknown=False), activity)
    except Exception as error:
        if attempts.is_passing(error) and not settled:
            raise
        return _after_commit(run_id, step, activity, error, committing=settled)


def _call_inside(run_id: uuid.UUID, step: StoredStep, activity: Activity[..., Any]) -> Outcome:
    with attempts.watched_for_swallowed_errors() as check:
        outcome = attempts.call(activity, run_id, step, None, _host(run_id, step, activity))
        if outcome.error is not None:
            return outcome
        try:
            check()
        except attempts.SwallowedDatabaseError as error:
            return attempts.failure(activity, error)
    attempts.check_deferred_constraints()
    return outcome


def _after_commit(
    run_id: uuid.UUID, step: StoredStep, activity: Activity[..., Any], error: Exception, *, committing: bool
) -> bool:
    """From COMMIT on only rows decide (SEMANTICS C13): is the outcome there, or was everything taken back?"""
    connection.close_if_unusable_or_obsolete()
    status = Step.objects.filter(run_id=run_id, seq=step.seq, ticket=step.ticket).values_list("status", flat=True)
    found = status.first()
    if found != StepStatus.RUNNING:
        step.status = found or StepStatus.FAILED
        return found is not None
    step.status = StepStatus.RUNNING
    if attempts.is_passing(error):
        raise error
    if not committing or (isinstance(error, IntegrityError) and connection.vendor == "sqlite"):
        return settling.settle(run_id, step, attempts.failure(activity, error), activity)
    log.warning("the commit of run %s step %s was taken back: %r", run_id, step.seq, error)
    settling.send_again(run_id, step, verdicts.LOST, due=clock.now() + timedelta(seconds=1))
    return False


# --- Attempts that nobody runs any more ------------------------------------------------------------------------------


def give_up(run_id: uuid.UUID, seq: int, ticket: int, error: dict[str, Any]) -> None:
    """An attempt's process died, its time is over, or its heartbeat stayed away: try again, fail, or doubt."""
    row = Step.objects.filter(run_id=run_id, seq=seq, ticket=ticket, status=StepStatus.RUNNING).first()
    if row is None:
        return
    step = stored_step(row)
    registered = registry.activities.get(row.name)
    if registered is None:
        return  # whether it may be repeated is known where its code is
    activity = policies.restored(registered, row.policy)
    outcome = verdicts.lost_outcome(error, activity)
    if error is verdicts.LOST and not outcome.doubt:
        losses = (row.losses or 0) + 1
        if settling.send_again(run_id, step, error, losses=losses) and losses >= conf.engine().poison_crashes:
            _ask_to_hold(run_id, step, losses)
        return
    if settling.settle(run_id, step, outcome, activity):
        drive_on(run_id)


def _ask_to_hold(run_id: uuid.UUID, step: StoredStep, losses: int) -> None:
    """Its workers die of it: the run is held, the others go on."""
    Step.objects.filter(run_id=run_id, seq=step.seq).update(losses=0)
    data = {"seq": step.seq, "losses": losses}
    InboxItem.objects.create(
        run_id=run_id, kind="worker_lost", actor="system", arrived_at=clock.now(), data=payloads.dumps(data)
    )
    drive_on(run_id)


def give_up_waiting(run_id: uuid.UUID, seq: int, ticket: int) -> None:
    """No worker began the attempt in time: the step has timed out without one.

    While the run is held none may begin; then the wait is counted anew.
    """
    row = Step.objects.filter(run_id=run_id, seq=seq, ticket=ticket, status=StepStatus.SCHEDULED).first()
    if row is None:
        return
    now: datetime = clock.now()
    waiting = Step.objects.filter(pk=row.pk, ticket=ticket, status=StepStatus.SCHEDULED)
    if not Run.objects.filter(pk=run_id, status__in=store.GOES_ON).exists():
        waiting.update(start_by=settling.start_by(stored_step(row), now))
        return
    with transaction.atomic():
        if not waiting.update(status=StepStatus.RUNNING, ticket=ticket + 1):
            return
        Step.objects.filter(pk=row.pk).update(
            status=StepStatus.TIMED_OUT, error=payloads.dumps(verdicts.UNCLAIMED), settled_at=now, send_at=None,
            start_by=None,
        )  # fmt: skip
    drive_on(run_id)


def is_sent_out(step: StoredStep) -> bool:
    """Whether a step's attempts run apart from its workflow's code."""
    return step.queue is not None and step.kind == StepKind.ACTIVITY

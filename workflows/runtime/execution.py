"""Runs one step in place and records its outcome together with what comes next: one commit per step.

A transactional activity's rows and the checkpoint share one transaction, the run row touched last (SEMANTICS C12).
From COMMIT on only rows decide: whatever goes wrong there makes the session stale, never the activity failed (C13).
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from workflows import store
from workflows.core import payloads
from workflows.core.definitions import Activity
from workflows.core.errors import NonDeterminismError
from workflows.core.events import EventKind
from workflows.core.status import StepKind, StepStatus
from workflows.runtime import attempts, code_phase, faults, plan_phase, verdicts
from workflows.runtime.attempts import Outcome
from workflows.runtime.hosting import Host
from workflows.runtime.process import LostLease
from workflows.runtime.session import Next, Session, Stale
from workflows.store import Checkpoint, StoredStep

log = logging.getLogger("workflows.execution")

#: Deadlocks, serialisation failures and lock time-outs are tried again this often in place, then after a second.
PASSING_TRIES = 5


class _RollBack(Exception):
    """Undoes an activity's transaction because the attempt failed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def execute(session: Session, step: StoredStep) -> Next:
    """Run the attempt that was just recorded as started, and commit its outcome with what comes next."""
    session.identity.check()
    session.begun, session.called = (step.seq, step.ticket), True
    faults.point("attempt.before", step.name)
    activity = session.activity_of(step)
    if activity is None:
        error = {"type": "UnknownActivity", "code": "unknown_activity", "cause": None}
        outcome = Outcome(error=error | {"message": f"no activity is registered as {step.name}"}, retryable=False)
        return settle(session, step, outcome, activity)
    for attempt in range(PASSING_TRIES):
        try:
            if activity.options_.transactional:
                return _execute_transactional(session, step, activity)
            return _execute_plain(session, step, activity)
        except Exception as error:
            if not attempts.is_passing(error):
                raise
            log.info("run %s step %s met %s", session.claim.run_id, step.seq, error)
            session.identity.check()
            time.sleep(0.01 * 2**attempt)
    return _send_again(session, step)


def _host(session: Session, step: StoredStep, activity: Activity[..., Any]) -> Host:
    transactional = activity.options_.transactional
    return Host(session.claim.run_id, step, heartbeat=activity.options_.heartbeat, transactional=transactional)


def _execute_plain(session: Session, step: StoredStep, activity: Activity[..., Any]) -> Next:
    host = _host(session, step, activity)
    outcome = attempts.call(activity, session.claim.run_id, step, session.undone_key(step), host)
    step.beat = host.details or step.beat
    faults.point("attempt.inside", step.name)
    if outcome.later and step.kind == StepKind.COMPENSATION:
        error = {"type": "TypeError", "code": "error", "message": "an undo cannot be completed later", "cause": None}
        outcome = Outcome(error=error, retryable=False)
    if not outcome.later:
        return settle(session, step, outcome, activity)
    try:
        return _leave_open(session, step, activity)
    except (LostLease, Stale):
        raise
    except Exception as error:
        raise Stale from error  # its token is out: rows decide, and the activity is not called again here


def _leave_open(session: Session, step: StoredStep, activity: Activity[..., Any]) -> Next:
    """Somebody else ends the step by its token; the run goes on, or waits, without it."""
    checkpoint = session.checkpoint(unless_wanted=False)
    session.leave_open(checkpoint, step, activity)
    session.commit(checkpoint)
    return Next(again=True)


def settle(session: Session, step: StoredStep, outcome: Outcome, activity: Activity[..., Any] | None) -> Next:
    """Commit an attempt's outcome in autocommit."""
    try:
        following = _record(session, step, outcome, activity)
        faults.point("commit.after", step.name)
    except (LostLease, Stale):
        raise
    except Exception as error:
        log.warning("the commit of run %s step %s is in doubt: %r", session.claim.run_id, step.seq, error)
        session.refused += 1
        if session.refused > PASSING_TRIES:  # the same trouble each time: the run is let go and woken later
            raise RuntimeError("the outcome of a step cannot be committed") from error
        raise Stale from error
    session.refused = 0
    return following


def _execute_transactional(session: Session, step: StoredStep, activity: Activity[..., Any]) -> Next:
    undone_key = session.undone_key(step)
    recording = written = False
    try:
        with transaction.atomic():
            outcome = _call_inside(session, step, activity, undone_key)
            faults.point("attempt.inside", step.name)
            if outcome.error is not None:
                raise _RollBack(outcome)
            recording = True
            try:
                following = _record(session, step, outcome, activity)
                stale = False
            except Stale:
                following, stale = Next(), True  # the outcome alone was written; it commits with the business rows
            written = True
        faults.point("commit.after", step.name)
    except _RollBack as rolled_back:
        # What was rolled back did not happen, whatever became of its result.
        return settle(session, step, replace(rolled_back.outcome, unknown=False), activity)
    except (LostLease, Stale):
        raise
    except Exception as error:
        if written:
            return _after_commit_error(session, step, activity, error)
        if recording:
            return _run_anew(session, step, error)
        if attempts.is_passing(error) or attempts.is_connection_lost(error):
            raise
        return settle(session, step, attempts.failure(activity, error), activity)
    session.refused = 0
    if stale:
        raise Stale
    return following


def _run_anew(session: Session, step: StoredStep, error: Exception) -> Next:
    """The database refused the checkpoint and took the activity's rows back with it: certainly nothing happened.

    What is in memory has gone ahead of the rows and is dropped; the attempt is run again. After some tries the error
    is the engine's own: the run is let go and woken later.
    """
    session.refused += 1
    if session.refused > PASSING_TRIES:
        raise RuntimeError("the database keeps refusing the checkpoint") from error
    log.warning("run %s step %s: its checkpoint was refused: %r", session.claim.run_id, step.seq, error)
    if attempts.is_passing(error):
        time.sleep(0.01 * 2**session.refused)
    session.called = False
    session.begun = (step.seq, step.ticket)
    raise Stale from error


def _call_inside(session: Session, step: StoredStep, activity: Activity[..., Any], undone_key: str | None) -> Outcome:
    with attempts.watched_for_swallowed_errors() as check:
        outcome = attempts.call(activity, session.claim.run_id, step, undone_key, _host(session, step, activity))
        if outcome.error is not None:
            return outcome
        try:
            check()
        except attempts.SwallowedDatabaseError as error:
            return attempts.failure(activity, error)
    attempts.check_deferred_constraints()
    return outcome


def _after_commit_error(session: Session, step: StoredStep, activity: Activity[..., Any], error: Exception) -> Next:
    """Something was raised by COMMIT or after it."""
    if isinstance(error, IntegrityError) and connection.vendor == "sqlite":
        # SQLite checks deferred constraints at COMMIT and rolls the transaction back: the answer is certain.
        session.reload()
        current = session.steps.get(step.seq)
        if current is not None and current.status == StepStatus.RUNNING:
            return settle(session, current, attempts.failure(activity, error), activity)
    log.warning("the commit of run %s step %s is in doubt: %r", session.claim.run_id, step.seq, error)
    raise Stale from error


# --- Recording -------------------------------------------------------------------------------------------------------


def _record(session: Session, step: StoredStep, outcome: Outcome, activity: Activity[..., Any] | None) -> Next:
    """Commit the outcome and what comes next. When a fact came meanwhile, the outcome alone; then Stale is raised."""
    checkpoint = session.checkpoint()
    settled = _settle_step(session, checkpoint, step, outcome, activity)
    try:
        following = _go_on(session, checkpoint, step, settled=settled)
    except NonDeterminismError as error:
        log.warning("run %s: %s", session.claim.run_id, error)
        return _record_alone(session, step, outcome, activity)
    faults.point("commit.before", step.name)
    try:
        session.commit(checkpoint)
    except Stale:
        return _record_alone(session, step, outcome, activity)
    return following


def _record_alone(session: Session, step: StoredStep, outcome: Outcome, activity: Activity[..., Any] | None) -> Next:
    """Keep an outcome on the step's own row, undelivered: the code meets it after what came before it."""
    rows = store.load_run_steps(session.claim.run_id, session.in_hand)
    stored = next((row for row in rows if row.seq == step.seq), None)
    if stored is None or stored.status != StepStatus.RUNNING or stored.ticket != step.ticket:
        raise LostLease
    checkpoint = session.checkpoint(unless_wanted=False)
    _settle_step(session, checkpoint, stored, outcome, activity)
    if store.commit(checkpoint) is None:
        raise LostLease
    raise Stale


def _settle_step(
    session: Session, checkpoint: Checkpoint, step: StoredStep, outcome: Outcome, activity: Activity[..., Any] | None
) -> bool:
    """The step's row after an attempt; False when it will be tried again."""
    at = checkpoint.at
    session.lay_down(checkpoint, step)
    if session.claim.crashes:
        checkpoint.run["crashes"] = 0  # an attempt that ended is progress
    columns = verdicts.judge(step, outcome, activity, at=at, seed=session.claim.seed)
    if outcome.error is not None:
        note_failure(session, checkpoint, step, activity)
        if step.beat is not None:
            columns["beat"] = step.beat
    checkpoint.change_step(step.seq, step.ticket, **columns)
    return verdicts.is_settled(step)


def note_failure(
    session: Session, checkpoint: Checkpoint, step: StoredStep, activity: Activity[..., Any] | None
) -> None:
    """A failed attempt stays visible while the step waits for the next.

    One that was lost or overdue is `unknown`: its effect may stand, so the step's undo enters the plan and its input is
    not edited (SEMANTICS A2, D20). A transactional one did nothing, it did not commit.
    """
    data = {"seq": step.seq, "name": step.name, "attempt": step.attempt, "error": step.error}
    if verdicts.is_uncertain(step.error, activity):
        data["unknown"] = True
    if verdicts.is_settled(step):
        data["last"] = True
    session.count_told(checkpoint.append(EventKind.ATTEMPT_FAILED, data))
    checkpoint.attempts.append(verdicts.failed_attempt(step, at=checkpoint.at))


def _schedule_again(checkpoint: Checkpoint, step: StoredStep, *, due: timedelta) -> None:
    step.status, step.due_at = StepStatus.SCHEDULED, checkpoint.at + due
    checkpoint.change_step(
        step.seq, step.ticket, status=str(step.status), failures=step.failures, due_at=step.due_at,
        error=payloads.dumps(step.error),
    )  # fmt: skip


def _go_on(session: Session, checkpoint: Checkpoint, step: StoredStep, *, settled: bool) -> Next:
    """What follows an attempt: the outcome reaches the code or the plan, and the next thing is decided."""
    if step.kind == StepKind.COMPENSATION:
        if settled:
            plan_phase.record_outcome(session, checkpoint, step)
        return plan_phase.conclude(session, checkpoint)
    if settled and step.error is not None and step.error.get("in_doubt"):
        return Next(again=True)  # it is found out, or held, before the code meets it (SEMANTICS D19)
    if settled:
        checkpoint.change_step(step.seq, step.ticket, delivered=True)
        code_phase.deliver_step(session, checkpoint, step)
    elif session.machine is not None:
        session.machine.note(checkpoint.events[-1])
    return code_phase.conclude(session, checkpoint)


def _send_again(session: Session, step: StoredStep) -> Next:
    """The database kept refusing: the step waits a second and is sent again, without counting as a failure."""
    checkpoint = session.checkpoint()
    session.lay_down(checkpoint, step)
    step.error = {"type": "DatabaseBusy", "code": "database_busy", "message": "locks did not come free", "cause": None}
    note_failure(session, checkpoint, step, session.activity_of(step))
    _schedule_again(checkpoint, step, due=timedelta(seconds=1))
    following = _go_on(session, checkpoint, step, settled=False)
    session.commit(checkpoint)
    return following


def settle_orphan(session: Session, step: StoredStep, *, overdue: bool) -> Next:
    """An attempt recorded as running that nobody runs: overdue counts as failed, a lost worker's is sent again."""
    activity = session.activity_of(step)
    outcome = verdicts.lost_outcome(verdicts.OVERDUE if overdue else verdicts.LOST, activity)
    if overdue or outcome.doubt:
        return settle(session, step, outcome, activity)
    checkpoint = session.checkpoint()
    session.lay_down(checkpoint, step)
    step.error = verdicts.LOST
    note_failure(session, checkpoint, step, activity)
    step.status, step.due_at = StepStatus.SCHEDULED, None
    lost = payloads.dumps(verdicts.LOST)
    checkpoint.change_step(step.seq, step.ticket, status=str(step.status), due_at=None, error=lost)
    following = _go_on(session, checkpoint, step, settled=False)
    session.commit(checkpoint)
    return following

"""Drives one run: claim it, bring its code to where the rows are, run steps in place, let go when nothing is due.

Called by the Celery task, by the test kit and by nothing else. It never raises: a run it cannot drive is held or left.
"""

from __future__ import annotations

import logging
import uuid

from workflows import clock, conf, store
from workflows.core import payloads
from workflows.core.definitions import registry
from workflows.core.errors import NonDeterminismError
from workflows.core.status import HoldReason, StepKind, StepStatus
from workflows.runtime import code_phase, dispatch, execution, faults, plan_phase, process
from workflows.runtime.process import Identity, LostLease
from workflows.runtime.session import Next, Session, Stale
from workflows.store import Claim

log = logging.getLogger("workflows.advance")


def advance(run_id: uuid.UUID) -> bool:
    """Drive a run as far as it goes now; False when there was nothing to claim. Never raises for the run's sake."""
    claimed = claim_run(run_id)
    if claimed is None:
        return False
    claim, identity = claimed
    try:
        drive(claim, identity)
    except Exception:
        log.exception("run %s could not be driven further", claim.run_id)
        process.abandon(claim.run_id, claim.driver, claim.fence)
    return True


def claim_run(run_id: uuid.UUID) -> tuple[Claim, Identity] | None:
    """Lease a run to this process, unless it is shutting down or there is nothing to claim."""
    if process.leaving():
        return None
    identity = process.current()
    claim = store.claim(run_id, driver=identity.id, capabilities=identity.capabilities, now=clock.now())
    if claim is None:
        return None
    faults.point("claimed", claim.workflow)
    return claim, identity


def drive(claim: Claim, identity: Identity) -> None:
    """Drive a claimed run until it is let go; raises what the engine itself cannot handle."""
    definition = registry.workflows[claim.workflow][claim.version].definition
    session = Session(claim, identity, definition)
    try:
        following: Next | None = _first(session)
        while following is not None:
            following = _turn(session, following)
    except LostLease:
        log.info("run %s is driven by another process now", claim.run_id)
    finally:
        session.drop()


def _turn(session: Session, following: Next) -> Next | None:
    """One step further; None when the run was let go."""
    try:
        if following.step is not None:
            return execution.execute(session, following.step)
        if following.again:
            return _go_on(session)
        if following.hint_in is not None:
            dispatch.send_advance(session.claim.run_id, countdown=following.hint_in or None)
        return None
    except Stale:
        return _again(session)
    except NonDeterminismError as error:
        return _hold(session, error)


def _first(session: Session) -> Next:
    try:
        session.load()
        if _is_poison(session):
            return _poisoned(session)
        return _go_on(session)
    except Stale:
        return _again(session)
    except NonDeterminismError as error:
        return _hold(session, error)


def _again(session: Session) -> Next:
    """Memory is stale: read the rows and decide anew."""
    while True:
        try:
            session.reload()
            return _go_on(session)
        except Stale:
            continue
        except NonDeterminismError as error:
            return _hold(session, error)


def _go_on(session: Session) -> Next:
    """From loaded rows: settle attempts nobody runs, deliver what waits, decide what comes next."""
    pauses = [item for item in session.inbox if item.kind == "pause"]
    if pauses:
        checkpoint = session.checkpoint(unless_wanted=False)
        checkpoint.taken += [item.pk for item in pauses]
        following = session.hold(checkpoint, HoldReason.PAUSED, actor=pauses[0].actor, note=pauses[0].reason)
        session.commit(checkpoint)
        return following
    orphan = next((step for step in session.steps.values() if step.status == StepStatus.RUNNING), None)
    if orphan is not None and session.begun == (orphan.seq, orphan.ticket) and not session.called:
        return Next(orphan)
    if orphan is not None:
        return execution.settle_orphan(session, orphan, overdue=session.claim.overdue and session.begun is None)
    if session.compensating:
        return _go_on_with_plan(session)
    if session.machine is None:
        session.bring_code()
    return _deliver_all(session)


def _deliver_all(session: Session) -> Next:
    """Each waiting fact in a commit of its own; the last one's also says what comes next."""
    facts = code_phase.waiting_facts(session)
    while True:
        checkpoint = session.checkpoint()
        if facts:
            code_phase.deliver_waiting(session, checkpoint, facts[0])
            facts = code_phase.waiting_facts(session)
        if not facts:
            following = code_phase.conclude(session, checkpoint)
            session.commit(checkpoint)
            return following
        session.commit(checkpoint)


def _go_on_with_plan(session: Session) -> Next:
    checkpoint = session.checkpoint()
    for item in session.inbox:
        plan_phase.refuse_cancel(checkpoint, item)
    session.inbox = ()
    for step in [step for step in session.steps.values() if step.kind == StepKind.COMPENSATION]:
        if step.status in (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.TIMED_OUT) and step.settled_at:
            plan_phase.record_outcome(session, checkpoint, step)
    following = plan_phase.conclude(session, checkpoint)
    session.commit(checkpoint)
    return following


def _is_poison(session: Session) -> bool:
    return session.claim.crashes >= conf.engine().poison_crashes


def _poisoned(session: Session) -> Next:
    checkpoint = session.checkpoint(unless_wanted=False)
    error = dict(execution.LOST)
    error["message"] = f"its worker died {session.claim.crashes} times in a row without progress"
    following = session.hold(checkpoint, HoldReason.WORKER_LOST, error)
    checkpoint.run["crashes"] = 0
    session.commit(checkpoint)
    return following


def _hold(session: Session, error: NonDeterminismError) -> Next:
    """Code and history disagree: nothing runs until they agree again."""
    session.drop()
    data = payloads.error_data(error) | {"expected": error.expected, "found": error.found}
    checkpoint = session.checkpoint(unless_wanted=False)
    following = session.hold(checkpoint, HoldReason.NONDETERMINISM, data)
    session.commit(checkpoint)
    return following

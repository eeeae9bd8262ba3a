"""Drives one run: claim it, bring its code to where the rows are, run steps in place, let go when nothing is due.

Called by the Celery task, by the test kit and by nothing else. It never raises: a run it cannot drive is held or left.
"""

from __future__ import annotations

import logging
import uuid

from workflows import clock, conf, metrics, store
from workflows.core import payloads
from workflows.core.definitions import registry
from workflows.core.errors import NonDeterminismError
from workflows.core.status import HoldReason, StepKind, StepStatus
from workflows.models import InboxItem
from workflows.runtime import code_phase, dispatch, doubts, execution, faults, plan_phase, process, timers, verdicts
from workflows.runtime.facts import is_moving_on, is_waiting, waiting_facts
from workflows.runtime.process import Identity, LostLease
from workflows.runtime.session import Next, Session, Stale
from workflows.store import Claim, StoredStep

log = logging.getLogger("workflows.advance")

#: Facts that are delivered in one commit: the join of a large gather would else be as many commits as members.
_FACTS_IN_A_COMMIT = 100


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
    if claim.taken_from is not None:
        metrics.WorkflowMetricsCollector().taken_over(claim.workflow)
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
        if following.suspended:
            session.suspend()
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
    lost = [item for item in session.inbox if item.kind == "worker_lost"]
    if lost:
        return _workers_died(session, lost)
    moves = [item for item in session.inbox if item.kind == "move"]
    if moves:
        timers.take_moves(session, moves)
    doubts.take_outcomes(session)
    running = [step for step in session.steps.values() if step.status == StepStatus.RUNNING]
    orphan = next((step for step in running if step.queue is None), None)
    if orphan is not None and session.begun == (orphan.seq, orphan.ticket) and not session.called:
        return Next(orphan)
    if orphan is not None:
        return execution.settle_orphan(session, orphan, overdue=session.claim.overdue and session.begun is None)
    if session.compensating:
        return _go_on_with_plan(session)
    doubt = doubts.in_doubt(session)
    if doubt is not None:
        return doubts.find_out(session, doubt)
    if session.machine is None:
        session.bring_code()
    return _deliver_all(session)


def _deliver_all(session: Session) -> Next:
    """Waiting facts in their order, many to a commit; the last commit also says what comes next.

    Each fact and what it caused stand together in the history, so replay takes them one by one all the same.
    """
    assert session.machine is not None
    while True:
        checkpoint = session.checkpoint()
        session.tell_begun(checkpoint)
        for fact in waiting_facts(session, checkpoint.at)[:_FACTS_IN_A_COMMIT]:
            if isinstance(fact, StoredStep) and fact.seq not in session.steps:
                continue  # a timer that an earlier fact has cancelled
            if is_moving_on(session) and not isinstance(fact, StoredStep):
                continue  # it is for the next link of the chain
            code_phase.deliver_waiting(session, checkpoint, fact)
            if checkpoint.unstarted or session.machine.completed_after_all:
                break  # what it gave up must be certain before more is decided
        if not is_waiting(session, checkpoint.at):
            following = code_phase.conclude(session, checkpoint)
            session.commit(checkpoint)
            return following
        if session.machine.completed_after_all:
            following = code_phase.conclude(session, checkpoint)
            session.commit(checkpoint)
            if not following.again:
                return following
            continue
        session.commit(checkpoint)


def _go_on_with_plan(session: Session) -> Next:
    checkpoint = session.checkpoint()
    if not session.projection.resumes:
        for item in [item for item in session.inbox if item.kind == "cancel"]:
            plan_phase.refuse_cancel(checkpoint, item)
        session.inbox = [item for item in session.inbox if item.kind != "cancel"]
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
    error = dict(verdicts.LOST)
    error["message"] = f"its worker died {session.claim.crashes} times in a row without progress"
    following = session.hold(checkpoint, HoldReason.WORKER_LOST, error)
    checkpoint.run["crashes"] = 0
    session.commit(checkpoint)
    return following


def _workers_died(session: Session, lost: list[InboxItem]) -> Next:
    """One of its sent-out steps kills its workers (SEMANTICS C16)."""
    checkpoint = session.checkpoint(unless_wanted=False)
    data = payloads.loads(lost[0].data)
    error = dict(verdicts.LOST)
    error["message"] = f"workers of step {data['seq']} died {data['losses']} times in a row"
    checkpoint.taken += [item.pk for item in lost]
    following = session.hold(checkpoint, HoldReason.WORKER_LOST, error)
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

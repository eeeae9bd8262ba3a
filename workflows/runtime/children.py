"""Children of a run: started, closed and undone in the commit in which their parent asks for it (SEMANTICS A6).

A child's id follows from its parent's step and try, so a start that is written again is the same start. Its end comes
back through `runtime.telling`.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from workflows import crypto, store
from workflows.core import payloads
from workflows.core.branches import ChildHandle
from workflows.core.compensation import PlanItem, plan_data, plan_of
from workflows.core.definitions import WorkflowDefinition
from workflows.core.errors import NonDeterminismError, PayloadError
from workflows.core.events import EventKind
from workflows.core.status import CLOSED, OPEN, RunStatus, StepStatus
from workflows.models import Run
from workflows.runtime import closing, dispatch, faults, starts, telling
from workflows.runtime.locking import act_data, locked_run
from workflows.runtime.session import Session
from workflows.runtime.starts import NewRun, Parent
from workflows.store import Checkpoint, StoredStep


def start(session: Session, checkpoint: Checkpoint, step: StoredStep, handle: ChildHandle) -> None:
    """Start a child in this commit; its step runs until the child has closed.

    After a retry of this run a child that was left to itself, and has not failed since, is taken back instead.
    """
    assert handle.command is not None and handle.command.child is not None
    held, again = step.ticket, _goes_on(session, step)
    step.status, step.attempt, step.ticket = StepStatus.RUNNING, step.attempt + (not again), step.ticket + 1
    step.started_at, step.queue = checkpoint.at, ""
    run_id = store.child_id(session.claim.run_id, step.seq, step.attempt)
    checkpoint.change_step(
        step.seq, held, status=str(step.status), attempt=step.attempt, ticket=step.ticket, started_at=checkpoint.at,
        queue="", due_at=None,
    )  # fmt: skip
    data = {"seq": step.seq, "name": step.name, "attempt": step.attempt, "child": str(run_id)}
    session.tell(checkpoint.append(EventKind.STEP_STARTED, data))
    if again:
        checkpoint.joined.append(partial(_take_back, session.claim.run_id, step.seq, run_id))
        return
    definition: WorkflowDefinition = handle.workflow.definition
    new = NewRun(
        definition=definition,
        stored_input=step.args,
        digest=_digest(definition, step),
        key=None,
        delay=None,
        actor=session.claim.actor,
        reason="",
        run_id=run_id,
        parent=Parent(session.claim.run_id, step.seq, handle.command.child.on_close),
    )
    checkpoint.joined.append(partial(_insert, new))


def _digest(definition: WorkflowDefinition, step: StoredStep) -> str:
    """Of the input, as the code takes it now; a build that does not take what was recorded holds the parent."""
    try:
        bound = definition.signature.decode(step.args)
    except PayloadError as error:
        raise NonDeterminismError(f"the code does not take the recorded input of step {step.seq}: {error}") from error
    return crypto.input_digest(payloads.dumps_sorted(definition.signature.plain(bound)))


def _goes_on(session: Session, step: StoredStep) -> bool:
    """Whether the child of the step's last try is open still, or has completed."""
    if not step.attempt:
        return False
    run_id = store.current_link(store.child_id(session.claim.run_id, step.seq, step.attempt))
    fine = [*OPEN, RunStatus.COMPLETED]
    return Run.objects.filter(pk=run_id, status__in=fine).exists()


def _take_back(parent: uuid.UUID, seq: int, run_id: uuid.UUID) -> None:
    with locked_run(run_id) as run:
        Run.objects.filter(pk=run.row.id).update(report_to=parent, report_seq=seq)
        if run.status in CLOSED:
            telling.after_commit(run.row.id)  # one that is driven now tells by the sweep


def _insert(new: NewRun) -> None:
    run, _ = starts.insert_or_read(new)
    faults.point("child.inserted", run.workflow)
    dispatch.advance_after_commit(run.id)


def request_close(session: Session, checkpoint: Checkpoint, step: StoredStep, how: str) -> None:
    """Ask a child to close; its step settles once it has."""
    run_id = store.child_id(session.claim.run_id, step.seq, step.attempt)
    reason = f"its parent {session.claim.run_id} closes"
    act = closing.end if how == "terminate" else closing.reach
    checkpoint.joined.append(partial(act, run_id, reason=reason))


def abandon(session: Session, checkpoint: Checkpoint, step: StoredStep) -> None:
    """Leave a child to itself: nobody waits for its end."""
    run_id = store.child_id(session.claim.run_id, step.seq, step.attempt)
    checkpoint.joined.append(partial(_forget, session.claim.run_id, run_id))


def _forget(parent: uuid.UUID, run_id: uuid.UUID) -> None:
    store.links_of(run_id).filter(report_to=parent).update(report_to=None, report_seq=None)


def begin_undo(session: Session, checkpoint: Checkpoint, item: PlanItem, step: StoredStep) -> None:
    """Let a completed child run its plan; the undo in hand settles once that is over."""
    assert item.child is not None
    held = step.ticket
    step.status, step.attempt, step.ticket = StepStatus.RUNNING, step.attempt + 1, step.ticket + 1
    step.started_at, step.queue = checkpoint.at, ""
    checkpoint.change_step(
        step.seq, held, status=str(step.status), attempt=step.attempt, ticket=step.ticket, started_at=checkpoint.at,
        queue="", due_at=None,
    )  # fmt: skip
    data: dict[str, Any] = {"seq": step.seq, "name": step.name, "attempt": step.attempt, "origin": item.origin}
    data |= {"undoes": item.undoes, "args": step.args, "child": str(item.child)}
    session.tell(checkpoint.append(EventKind.COMPENSATION_STARTED, data))
    checkpoint.joined.append(partial(_compensate, uuid.UUID(str(item.child)), session.claim.run_id, step.seq))


def _compensate(run_id: uuid.UUID, parent: uuid.UUID, seq: int) -> None:
    with locked_run(run_id) as run:
        Run.objects.filter(pk=run.row.id).update(report_to=parent, report_seq=seq)
        run.row.report_to, run.row.report_seq = parent, seq
        faults.point("undo.asked", run.row.workflow)
        if run.status == RunStatus.COMPLETED and plan_of(run.events).remaining:
            checkpoint = run.amend()
            reason = f"its parent {parent} is compensated"
            checkpoint.append(EventKind.COMPENSATION_REQUESTED, act_data("system", reason))
            checkpoint.append(EventKind.PLAN_STARTED, plan_data(end=RunStatus.COMPENSATED))
            run.commit(checkpoint, status=RunStatus.COMPENSATING, closed_at=None)
        elif run.status in CLOSED:
            telling.after_commit(run.row.id)  # an operator was first

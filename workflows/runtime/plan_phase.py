"""The phase in which a compensation plan runs: newest undo first, one after the other, each recorded once.

It needs no workflow code: the plan is data. Functions build on a checkpoint; none commits.
"""

from __future__ import annotations

from typing import Any

from workflows.core import payloads
from workflows.core.compensation import FAILED, PlanItem, plan_data
from workflows.core.events import EventKind
from workflows.core.projection import RESUME
from workflows.core.status import HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import InboxItem
from workflows.runtime import children, process
from workflows.runtime.session import Next, Session
from workflows.store import Checkpoint, StoredStep

_ENDS = {
    RunStatus.COMPENSATED: EventKind.RUN_COMPENSATED,
    RunStatus.CANCELLED: EventKind.RUN_CANCELLED,
    RunStatus.TIMED_OUT: EventKind.RUN_TIMED_OUT,
}


def begin(
    session: Session,
    checkpoint: Checkpoint,
    *,
    end: str,
    error: dict[str, Any] | None = None,
    seq: int | None = None,
    only: list[int] | None = None,
) -> None:
    """Record that the plan begins."""
    event = checkpoint.append(EventKind.PLAN_STARTED, plan_data(end=end, error=error, seq=seq, only=only))
    checkpoint.run["status"] = str(RunStatus.COMPENSATING)
    if error is not None:
        checkpoint.run["error"] = payloads.dumps(error)
    session.projection.apply(event)
    if session.machine is not None:
        session.machine.note(event)


def record_outcome(session: Session, checkpoint: Checkpoint, step: StoredStep) -> None:
    """A settled undo as its event."""
    assert session.plan is not None
    if step.status == StepStatus.COMPLETED:
        data: dict[str, Any] = {"seq": step.seq, "name": step.name, "result": step.result}
        event = checkpoint.append(EventKind.COMPENSATION_COMPLETED, data)
    else:
        data = {"seq": step.seq, "name": step.name, "error": step.error, "attempts": step.attempt}
        event = checkpoint.append(EventKind.COMPENSATION_FAILED, data)
    checkpoint.change_step(step.seq, step.ticket, delivered=True)
    session.plan.apply(event)
    session.projection.apply(event)
    session.steps.pop(step.seq, None)


def refuse_cancel(checkpoint: Checkpoint, item: InboxItem) -> None:
    """A cancel that arrived when the code had already ended: recorded as too late."""
    checkpoint.taken.append(item.pk)
    checkpoint.run["requested"] = ""
    checkpoint.append(EventKind.CANCEL_REQUESTED, {"actor": item.actor, "reason": item.reason, "too_late": True})


def conclude(session: Session, checkpoint: Checkpoint) -> Next:
    """The next undo, or the end of the plan."""
    assert session.plan is not None
    end = session.projection.plan_end
    if end is None:
        # What a race had given up is undone; the projection knows since the last of it (SEMANTICS B8).
        checkpoint.run["status"] = str(RunStatus.RUNNING)
        session.plan = None
        return Next(again=True)
    only = session.projection.plan_only
    remaining = [item for item in session.plan.remaining if only is None or item.origin in only]
    failed = [item for item in remaining if item.status == FAILED]
    if failed and (session.definition.compensation == "stop" or len(failed) == len(remaining)):
        return session.hold(checkpoint, HoldReason.COMPENSATION_FAILED)
    for item in remaining:
        if item.status != FAILED:
            return _next_undo(session, checkpoint, item)
    if end == RESUME:
        assert session.projection.plan_step is not None
        return give_back_to_code(session, checkpoint, session.steps[session.projection.plan_step])
    data = {"error": session.projection.error} if session.projection.error is not None else {}
    return session.close(checkpoint, _ENDS[RunStatus(end)], RunStatus(end), data)


def _next_undo(session: Session, checkpoint: Checkpoint, item: PlanItem) -> Next:
    assert session.plan is not None
    step = session.steps.get(item.seq) if item.seq is not None else None
    unstarted = step is None or step.status == StepStatus.SCHEDULED
    if unstarted and (process.leaving() or session.gives_way(checkpoint.at)):
        return session.let_go(checkpoint, RunStatus.COMPENSATING, wake_at=checkpoint.at)
    if step is None:
        step = session.add_step(
            checkpoint,
            seq=_next_seq(session, checkpoint),
            kind=StepKind.COMPENSATION,
            name=item.activity,
            args=item.arguments,
            undo_of=item.undoes,
        )
    elif item.child is not None and step.status == StepStatus.RUNNING:
        return session.let_go(checkpoint, RunStatus.COMPENSATING, wake_at=None)  # the child's plan runs
    elif step.due_at is not None and step.due_at > checkpoint.at:
        return session.let_go(checkpoint, RunStatus.COMPENSATING, wake_at=step.due_at)
    if item.child is not None:
        children.begin_undo(session, checkpoint, item, step)
        session.plan.apply(checkpoint.events[-1])
        return session.let_go(checkpoint, RunStatus.COMPENSATING, wake_at=None)
    data: dict[str, Any] = {"origin": item.origin, "undoes": item.undoes}
    if item.undone_key is not None:
        data["undone_key"] = item.undone_key
    if step.attempt == 0:
        data["args"] = step.args
    following = session.start_step(checkpoint, step, data)
    session.plan.apply(checkpoint.events[-1])
    return following


def _next_seq(session: Session, checkpoint: Checkpoint) -> int:
    taken = [event.data.get("seq") or 0 for event in session.events_so_far(checkpoint)]
    in_memory = session.machine.next_seq - 1 if session.machine is not None else 0
    return max([in_memory, *taken]) + 1


def give_back_to_code(session: Session, checkpoint: Checkpoint, step: StoredStep) -> Next:
    """The plan that `self.compensate()` asked for is done: its step is settled; a commit of its own delivers it."""
    step.status, step.settled_at = StepStatus.COMPLETED, checkpoint.at
    checkpoint.change_step(step.seq, step.ticket, status=str(step.status), settled_at=checkpoint.at)
    checkpoint.run["status"] = str(RunStatus.RUNNING)
    session.plan = None
    return Next(again=True)

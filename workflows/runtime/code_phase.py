"""The phase in which workflow code runs: facts are delivered, and what the code asks for becomes rows.

Every function here builds on a checkpoint; none commits. One activation, one commit (SEMANTICS B9).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from workflows.core import payloads
from workflows.core.commands import CancelStep, Command, RecordSideEffect, ScheduleStep
from workflows.core.compensation import plan_of
from workflows.core.events import Event, EventKind
from workflows.core.machine import Finished
from workflows.core.projection import RESUME
from workflows.core.status import HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import InboxItem
from workflows.runtime import guard, plan_phase, process
from workflows.runtime.session import Next, Session
from workflows.store import Checkpoint, StoredStep

_SETTLED = {
    StepStatus.COMPLETED: EventKind.STEP_COMPLETED,
    StepStatus.FAILED: EventKind.STEP_FAILED,
    StepStatus.TIMED_OUT: EventKind.STEP_TIMED_OUT,
}

Fact = Event | StoredStep | InboxItem


def waiting_facts(session: Session) -> list[Fact]:
    """Recorded facts, settled steps and acts that the code has not seen, by effective time (SEMANTICS B9)."""
    facts: list[tuple[datetime, int, int, Fact]] = []
    facts += [(event.at, 0, event.position, event) for event in session.undelivered]
    facts += [
        (step.settled_at, 1, step.seq, step)
        for step in session.steps.values()
        if step.status in _SETTLED and step.settled_at is not None and step.kind != StepKind.COMPENSATION
    ]
    facts += [(item.arrived_at, 2, item.pk, item) for item in session.inbox if item.kind == "cancel"]
    return [fact for *_, fact in sorted(facts, key=lambda entry: entry[:3])]


def deliver_waiting(session: Session, checkpoint: Checkpoint, fact: Fact) -> None:
    """Bring one waiting fact to the code."""
    if isinstance(fact, InboxItem):
        deliver_cancel(session, checkpoint, fact)
    elif isinstance(fact, StoredStep):
        checkpoint.change_step(fact.seq, fact.ticket, delivered=True)
        deliver_step(session, checkpoint, fact)
    else:
        checkpoint.append(EventKind.FACT_DELIVERED, {"of": fact.position})
        session.undelivered.remove(fact)
        deliver(session, checkpoint, fact)


def deliver_cancel(session: Session, checkpoint: Checkpoint, item: InboxItem) -> None:
    """An operator's cancel, left while the run was driven; too late when the code has already ended."""
    assert session.machine is not None
    data: dict[str, Any] = {"actor": item.actor, "reason": item.reason}
    checkpoint.taken.append(item.pk)
    checkpoint.run["requested"] = ""
    session.inbox = [other for other in session.inbox if other.pk != item.pk]
    if session.machine.ended or session.machine.cancel_delivered:
        checkpoint.append(EventKind.CANCEL_REQUESTED, data | {"too_late": True})
        return
    fact = checkpoint.append(EventKind.CANCEL_REQUESTED, data, at=item.arrived_at)
    checkpoint.append(EventKind.FACT_DELIVERED, {"of": fact.position})
    deliver(session, checkpoint, fact)


def outcome_data(step: StoredStep) -> dict[str, Any]:
    """A settled step as the data of its fact."""
    data: dict[str, Any] = {"seq": step.seq, "name": step.name}
    if step.status == StepStatus.COMPLETED:
        return data | {"result": step.result}
    assert step.error is not None
    if step.error.get("unknown"):
        data["unknown"] = True  # the effect may have happened: its undo enters the plan (SEMANTICS A2)
    return data | {"error": step.error, "attempts": step.attempt}


def deliver_step(session: Session, checkpoint: Checkpoint, step: StoredStep, **more: Any) -> None:
    """Bring a settled step's outcome to the code and drop it from memory."""
    fact = checkpoint.append(_SETTLED[StepStatus(step.status)], outcome_data(step) | more)
    session.steps.pop(step.seq, None)
    deliver(session, checkpoint, fact)


def deliver(session: Session, checkpoint: Checkpoint, fact: Event) -> None:
    """Run the code on one fact and turn its commands into events and rows."""
    assert session.machine is not None
    guard.bar_database()
    commands = session.machine.deliver(fact, at=checkpoint.at)
    for command in commands:
        _carry_out(session, checkpoint, command)


def _carry_out(session: Session, checkpoint: Checkpoint, command: Command) -> None:
    kind, data = command.event()
    checkpoint.append(kind, data)
    if isinstance(command, ScheduleStep):
        session.add_step(
            checkpoint,
            seq=command.seq,
            kind=command.kind,
            name=command.name,
            args=command.args,
            undo_name=command.undo,
            undo_map=payloads.dumps(command.undo_map) if command.undo is not None else None,
        )
    elif isinstance(command, CancelStep):
        step = session.steps.pop(command.seq)
        checkpoint.change_step(
            step.seq, step.ticket, status=str(StepStatus.CANCELLED), settled_at=checkpoint.at, delivered=True
        )
    elif isinstance(command, RecordSideEffect):
        session.add_step(checkpoint, seq=command.seq, kind=StepKind.SIDE_EFFECT, name=command.name, args={})
        del session.steps[command.seq]
        checkpoint.change_step(
            command.seq,
            0,
            status=str(StepStatus.COMPLETED),
            result=payloads.dumps(command.result) if command.error is None else None,
            error=payloads.dumps(command.error) if command.error is not None else None,
            settled_at=checkpoint.at,
            delivered=True,
        )


# --- What comes next -------------------------------------------------------------------------------------------------


def conclude(session: Session, checkpoint: Checkpoint) -> Next:
    """Decide, at the end of a checkpoint, what this process does next: run a step in place, end the run, or let go."""
    assert session.machine is not None
    finished = session.machine.finished
    if finished is not None:
        return _conclude_finished(session, checkpoint, finished)
    if waiting_facts(session):
        return Next(again=True)
    if process.leaving():
        return session.let_go(checkpoint, RunStatus.PENDING, wake_at=checkpoint.at)
    open_steps = [session.steps[seq] for seq in sorted(session.machine.steps) if seq in session.steps]
    for step in open_steps:
        if step.kind == StepKind.MARKER:
            return _begin_plan_of_code(session, checkpoint, step)
        if step.status == StepStatus.SCHEDULED and (step.due_at is None or step.due_at <= checkpoint.at):
            return session.start_step(checkpoint, step, {})
    due = [step.due_at for step in open_steps if step.status == StepStatus.SCHEDULED and step.due_at is not None]
    return session.let_go(checkpoint, RunStatus.WAITING, wake_at=min(due, default=None))


def _begin_plan_of_code(session: Session, checkpoint: Checkpoint, step: StoredStep) -> Next:
    """`self.compensate()`: the plan runs, then the code goes on."""
    session.plan = plan_of(session.events_so_far(checkpoint))
    if not session.plan.remaining:
        return plan_phase.give_back_to_code(session, checkpoint, step)
    plan_phase.begin(session, checkpoint, end=RESUME, seq=step.seq)
    return plan_phase.conclude(session, checkpoint)


def _conclude_finished(session: Session, checkpoint: Checkpoint, finished: Finished) -> Next:
    assert session.machine is not None
    if finished.error is None:
        return session.close(checkpoint, EventKind.RUN_COMPLETED, RunStatus.COMPLETED, {"result": finished.result})
    session.plan = plan_of(session.events_so_far(checkpoint))
    if finished.cancelled and session.machine.cancel_delivered:
        if session.definition.on_cancel == "leave" or not session.plan.remaining:
            return session.close(checkpoint, EventKind.RUN_CANCELLED, RunStatus.CANCELLED, {"error": finished.error})
        plan_phase.begin(session, checkpoint, end=RunStatus.CANCELLED, error=finished.error)
        return plan_phase.conclude(session, checkpoint)
    return _conclude_failed(session, checkpoint, finished.error)


def _conclude_failed(session: Session, checkpoint: Checkpoint, error: dict[str, Any]) -> Next:
    assert session.plan is not None
    data = {"error": error}
    if session.plan.items and not session.plan.remaining:
        # `self.compensate()` undid everything before the code gave up (SEMANTICS A5).
        return session.close(checkpoint, EventKind.RUN_COMPENSATED, RunStatus.COMPENSATED, data)
    if session.definition.on_failure == "hold":
        return session.hold(checkpoint, HoldReason.FAILURE, error)
    if session.definition.on_failure == "fail" or not session.plan.items:
        return session.close(checkpoint, EventKind.RUN_FAILED, RunStatus.FAILED, data)
    plan_phase.begin(session, checkpoint, end=RunStatus.COMPENSATED, error=error)
    return plan_phase.conclude(session, checkpoint)

"""The phase in which workflow code runs: facts are delivered, and what the code asks for becomes rows.

Every function here builds on a checkpoint; none commits. One activation, one commit (SEMANTICS B9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from workflows import calendars
from workflows.core import payloads
from workflows.core.branches import ChildHandle
from workflows.core.commands import (
    BusinessMoment,
    CancelStep,
    CloseChild,
    Command,
    CompleteUpdate,
    RecordSideEffect,
    SatisfyWait,
    ScheduleStep,
    SetAttributes,
)
from workflows.core.compensation import PLANNED, plan_of
from workflows.core.errors import NonDeterminismError, NotAllowedInState
from workflows.core.events import Event, EventKind
from workflows.core.machine import Finished
from workflows.core.projection import RESUME
from workflows.core.status import HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import InboxItem
from workflows.runtime import children, continuing, guard, outcomes, plan_phase, process, searching
from workflows.runtime.facts import Fact, TimeIsOver, is_waiting
from workflows.runtime.session import Next, Session
from workflows.runtime.verdicts import SETTLED
from workflows.store import Checkpoint, StoredStep


def deliver_waiting(session: Session, checkpoint: Checkpoint, fact: Fact) -> None:
    """Bring one waiting fact to the code."""
    if isinstance(fact, InboxItem):
        session.inbox = [other for other in session.inbox if other.pk != fact.pk]
        _DELIVER[fact.kind](session, checkpoint, fact)
    elif isinstance(fact, TimeIsOver):
        event = checkpoint.append(EventKind.TIMEOUT_REACHED, {"due_at": fact.at.isoformat()})
        deliver(session, checkpoint, event)
    elif isinstance(fact, StoredStep):
        if fact.kind in (StepKind.TIMER, StepKind.WAIT):
            _fire(session, checkpoint, fact)
            return
        checkpoint.deliver_step(fact.seq, fact.ticket)
        if fact.queue is not None:
            session.tell_attempts(checkpoint, fact)
        deliver_step(session, checkpoint, fact)
    else:
        delivered: dict[str, Any] = {"of": fact.position}
        if fact.kind == EventKind.CANCEL_REQUESTED and _comes_too_late(session):
            delivered["too_late"] = True
        checkpoint.append(EventKind.FACT_DELIVERED, delivered)
        session.undelivered.remove(fact)
        deliver(session, checkpoint, fact)


def _fire(session: Session, checkpoint: Checkpoint, step: StoredStep) -> None:
    """A timer's time is over, or that of a wait."""
    assert step.due_at is not None
    result = False if step.kind == StepKind.WAIT else None
    checkpoint.change_step(
        step.seq, step.ticket, status=str(StepStatus.COMPLETED), result=payloads.dumps(result),
        settled_at=checkpoint.at, delivered=True,
    )  # fmt: skip
    data = {"seq": step.seq, "name": step.name, "due_at": step.due_at.isoformat(), "result": result}
    session.steps.pop(step.seq, None)
    deliver(session, checkpoint, checkpoint.append(EventKind.TIMER_FIRED, data))


def _deliver_cancel(session: Session, checkpoint: Checkpoint, item: InboxItem) -> None:
    """An operator's cancel, left while the run was driven; too late when the code has already ended."""
    assert session.machine is not None
    data: dict[str, Any] = {"actor": item.actor, "reason": item.reason}
    checkpoint.taken.append(item.pk)
    checkpoint.run["requested"] = ""
    if _comes_too_late(session):
        checkpoint.append(EventKind.CANCEL_REQUESTED, data | {"too_late": True})
        return
    fact = checkpoint.append(EventKind.CANCEL_REQUESTED, data, at=item.arrived_at)
    checkpoint.append(EventKind.FACT_DELIVERED, {"of": fact.position})
    deliver(session, checkpoint, fact)


def _comes_too_late(session: Session) -> bool:
    """Whether a cancel meets no await any more: the code has ended, or was cancelled before (SEMANTICS A5)."""
    assert session.machine is not None
    return session.machine.ended or session.machine.cancel_delivered


def _message_data(item: InboxItem) -> dict[str, Any]:
    stored = payloads.loads(item.data)
    data: dict[str, Any] = {"name": stored["name"], "args": stored["args"], "actor": item.actor}
    if item.reason:
        data["reason"] = item.reason
    return data | {"arrived_at": item.arrived_at.isoformat()}


def _deliver_signal(session: Session, checkpoint: Checkpoint, item: InboxItem) -> None:
    checkpoint.taken.append(item.pk)
    key = {"key": item.key} if item.key is not None else {}
    deliver(session, checkpoint, checkpoint.append(EventKind.SIGNAL_RECEIVED, _message_data(item) | key))


def _deliver_update(session: Session, checkpoint: Checkpoint, item: InboxItem) -> None:
    """Ask the validator first: an update that it refuses leaves no trace in the history."""
    assert session.machine is not None
    data = _message_data(item)
    try:
        if session.machine.ended:
            raise NotAllowedInState(act="update", state="ending", allowed=())
        with guard.watched():
            session.machine.check_update(data["name"], data["args"])
    except Exception as error:
        if isinstance(error, NonDeterminismError) or session.machine.violation is not None:
            raise session.machine.violation or error from None
        checkpoint.answers.append(
            (str(item.key), payloads.dumps({"rejected": payloads.error_data(error, session.machine.secrets)}))
        )
        return
    checkpoint.taken.append(item.pk)
    checkpoint.updates[str(item.key)] = item.pk
    fact = checkpoint.append(EventKind.UPDATE_RECEIVED, {"id": item.key} | data)
    deliver(session, checkpoint, fact)


_DELIVER: dict[str, Callable[[Session, Checkpoint, InboxItem], None]] = {
    "cancel": _deliver_cancel,
    "signal": _deliver_signal,
    "update": _deliver_update,
}


def deliver_step(session: Session, checkpoint: Checkpoint, step: StoredStep, **more: Any) -> None:
    """Bring a settled step's outcome to the code and drop it from memory."""
    data = outcomes.outcome_data(session.claim.run_id, step) | more
    fact = checkpoint.append(outcomes.SETTLED_AS[StepStatus(step.status)], data)
    session.steps.pop(step.seq, None)
    deliver(session, checkpoint, fact)


def deliver(session: Session, checkpoint: Checkpoint, fact: Event) -> None:
    """Run the code on one fact and turn its commands into events and rows."""
    assert session.machine is not None
    with guard.watched():
        commands = session.machine.deliver(fact, at=checkpoint.at)
    for command in commands:
        _carry_out(session, checkpoint, command)


def _carry_out(session: Session, checkpoint: Checkpoint, command: Command) -> None:
    if isinstance(command, ScheduleStep):
        _schedule(session, checkpoint, command)
        return
    if isinstance(command, CancelStep):
        given_up = session.open_step(command.seq)
        if given_up.queue is not None and given_up.kind != StepKind.CHILD:
            # A lost attempt of it may have had its effect: the plan hears of it before the step is given up.
            session.tell_attempts(checkpoint, given_up)
    kind, data = command.event()
    if isinstance(command, CancelStep) and session.steps[command.seq].status in SETTLED:
        data |= _settled_data(session.steps[command.seq])
    checkpoint.append(kind, data)
    if isinstance(command, CancelStep):
        _cancel_step(session, checkpoint, session.steps.pop(command.seq))
    elif isinstance(command, SetAttributes):
        searching.set_attributes(session, checkpoint, command.values)
    elif isinstance(command, CloseChild):
        children.request_close(session, checkpoint, session.open_step(command.seq), command.how)
    elif isinstance(command, SatisfyWait):
        step = session.open_step(command.seq)
        del session.steps[command.seq]
        checkpoint.change_step(
            step.seq, step.ticket, status=str(StepStatus.COMPLETED), result=payloads.dumps(True),
            settled_at=checkpoint.at, delivered=True,
        )  # fmt: skip
    elif isinstance(command, CompleteUpdate):
        answer = {"error": command.error} if command.error is not None else {"result": command.result}
        checkpoint.answers.append((command.id, payloads.dumps(answer)))
        taken_here = checkpoint.updates.pop(command.id, None)
        if taken_here is not None:
            checkpoint.taken.remove(taken_here)  # its answer marks it as taken
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


def _schedule(session: Session, checkpoint: Checkpoint, command: ScheduleStep) -> None:
    if command.when is not None:
        command = replace(command, due_at=_dated(command.when, checkpoint.at))
    kind, data = command.event()
    checkpoint.append(kind, data)
    more: dict[str, Any] = {"due_at": command.due_at} if command.due_at is not None else {}
    if command.batch is not None:
        more["batch"] = command.batch
    session.add_step(
        checkpoint,
        seq=command.seq,
        kind=command.kind,
        name=command.name,
        args=command.args,
        undo_name=command.undo,
        undo_map=payloads.dumps(command.undo_map) if command.undo is not None else None,
        **more,
    )


def _dated(moment: BusinessMoment, at: datetime) -> datetime:
    """A described moment as a date, recorded with the timer: a later edit of the calendar breaks no replay."""
    try:
        return calendars.resolve(cast(calendars.BusinessDay, moment), at)
    except calendars.UnknownCalendar as error:
        # Nobody can go on until the calendar is there: the run is held and shows why.
        raise NonDeterminismError(f"a timer cannot be dated: {error}") from error


def _settled_data(step: StoredStep) -> dict[str, Any]:
    """How a child had ended that is left to itself before the code met its end: its row keeps that."""
    ended = {"result": step.result} if step.status == StepStatus.COMPLETED else {"error": step.error}
    return {"settled": str(step.status), **ended}


def _cancel_step(session: Session, checkpoint: Checkpoint, step: StoredStep) -> None:
    if step.status in SETTLED:
        checkpoint.deliver_step(step.seq, step.ticket)
        return
    columns: dict[str, Any] = {"status": str(StepStatus.CANCELLED), "settled_at": checkpoint.at, "delivered": True}
    if step.kind == StepKind.CHILD:
        if step.status == StepStatus.RUNNING:
            children.abandon(session, checkpoint, step)
    elif step.queue is not None:
        if step.seq not in checkpoint.new_steps:
            checkpoint.unstarted.append((step.seq, step.ticket))
        columns |= {"send_at": None, "start_by": None}
        checkpoint.sends = [sent for sent in checkpoint.sends if sent.seq != step.seq]
    checkpoint.change_step(step.seq, step.ticket, **columns)


# --- What comes next -------------------------------------------------------------------------------------------------


def conclude(session: Session, checkpoint: Checkpoint) -> Next:
    """Decide, at the end of a checkpoint, what this process does next: run a step in place, end the run, or let go."""
    machine = session.machine
    assert machine is not None
    if machine.completed_after_all and (following := _undo_lost(session, checkpoint)) is not None:
        return following
    if is_waiting(session, checkpoint.at):
        return Next(again=True)  # a run does not close over what was said to it
    if machine.finished is not None:
        return _conclude_finished(session, checkpoint, machine.finished)
    open_steps = [session.steps[seq] for seq in sorted(machine.steps) if seq in session.steps]
    marker = next((step for step in open_steps if step.kind == StepKind.MARKER), None)
    if marker is not None:
        return _begin_plan_of_code(session, checkpoint, marker)
    in_place = _send_out(session, checkpoint, open_steps)
    if in_place is not None and (in_place.due_at is None or in_place.due_at <= checkpoint.at):
        if process.leaving() or session.gives_way(checkpoint.at):
            return session.let_go(checkpoint, RunStatus.PENDING, wake_at=checkpoint.at)
        return session.start_step(checkpoint, in_place, {})
    due = [step.due_at for step in open_steps if _wakes_the_run(step) and step.due_at is not None]
    return session.let_go(checkpoint, RunStatus.WAITING, wake_at=min(due, default=None))


def _wakes_the_run(step: StoredStep) -> bool:
    """Whether a due time is the run's own; attempts that were sent out are found by theirs."""
    return step.status == StepStatus.SCHEDULED and step.queue is None


def _send_out(session: Session, checkpoint: Checkpoint, open_steps: list[StoredStep]) -> StoredStep | None:
    """Send out what cannot run here; gives the one step that a lone branch waits for, if it may (SEMANTICS B10)."""
    machine = session.machine
    assert machine is not None
    lone = machine.lone_step
    in_place = None
    for step in open_steps:
        handle = machine.steps[step.seq]
        if isinstance(handle, ChildHandle) and step.status == StepStatus.SCHEDULED:
            children.start(session, checkpoint, step, handle)
        if step.kind != StepKind.ACTIVITY or step.status != StepStatus.SCHEDULED or step.queue is not None:
            continue
        activity = machine.steps[step.seq].activity
        assert activity is not None
        if machine.steps[step.seq] is lone and not activity.options_.sent_out:
            in_place = step
        else:
            session.send_out(checkpoint, step, activity)
    return in_place


def _undo_lost(session: Session, checkpoint: Checkpoint) -> Next | None:
    """Undo at once what a race gave up and what completed after all (SEMANTICS B8); None when nothing is left."""
    machine = session.machine
    assert machine is not None
    plan = plan_of(session.events_so_far(checkpoint))
    lost, machine.completed_after_all = set(machine.completed_after_all), []
    only = [item.origin for item in plan.items if item.undoes in lost and item.status == PLANNED]
    if not only:
        return None
    session.plan = plan
    plan_phase.begin(session, checkpoint, end=RESUME, only=only)
    return plan_phase.conclude(session, checkpoint)


def _begin_plan_of_code(session: Session, checkpoint: Checkpoint, step: StoredStep) -> Next:
    """`self.compensate()`: the plan runs, then the code goes on."""
    session.plan = plan_of(session.events_so_far(checkpoint))
    if not session.plan.remaining:
        return plan_phase.give_back_to_code(session, checkpoint, step)
    plan_phase.begin(session, checkpoint, end=RESUME, seq=step.seq)
    return plan_phase.conclude(session, checkpoint)


def _conclude_finished(session: Session, checkpoint: Checkpoint, finished: Finished) -> Next:
    assert session.machine is not None
    if finished.continued is not None:
        return continuing.close(session, checkpoint, finished.continued)
    if finished.error is None:
        return session.close(checkpoint, EventKind.RUN_COMPLETED, RunStatus.COMPLETED, {"result": finished.result})
    session.plan = plan_of(session.events_so_far(checkpoint))
    if finished.timed_out:
        return _conclude_given_up(session, checkpoint, EventKind.RUN_TIMED_OUT, RunStatus.TIMED_OUT, finished.error)
    if finished.cancelled and session.machine.cancel_delivered:
        return _conclude_given_up(session, checkpoint, EventKind.RUN_CANCELLED, RunStatus.CANCELLED, finished.error)
    return _conclude_failed(session, checkpoint, finished)


def _conclude_given_up(
    session: Session, checkpoint: Checkpoint, kind: EventKind, end: RunStatus, error: dict[str, Any]
) -> Next:
    """A cancel or a time-out: the plan runs, unless the workflow says to leave things as they are."""
    assert session.plan is not None
    if session.definition.on_cancel == "leave" or not session.plan.remaining:
        return session.close(checkpoint, kind, end, {"error": error})
    plan_phase.begin(session, checkpoint, end=end, error=error)
    return plan_phase.conclude(session, checkpoint)


def _conclude_failed(session: Session, checkpoint: Checkpoint, finished: Finished) -> Next:
    assert session.plan is not None and finished.error is not None
    error = finished.error
    where: dict[str, Any] = {}  # a retry goes on there
    if finished.failed_step is not None:
        where["step"] = finished.failed_step
    elif finished.failed_at is not None:
        where["fact"] = finished.failed_at
    data = {"error": error} | where
    asked = any(
        event.kind == EventKind.PLAN_STARTED and event.data.get("seq") is not None
        for event in session.events_so_far(checkpoint)
    )
    if asked and session.plan.items and not session.plan.remaining:
        # `self.compensate()` undid everything before the code gave up (SEMANTICS A5).
        return session.close(checkpoint, EventKind.RUN_COMPENSATED, RunStatus.COMPENSATED, data)
    if session.definition.on_failure == "hold":
        return session.hold(checkpoint, HoldReason.FAILURE, error, **where)
    if session.definition.on_failure == "fail" or not session.plan.items:
        return session.close(checkpoint, EventKind.RUN_FAILED, RunStatus.FAILED, data)
    plan_phase.begin(session, checkpoint, end=RunStatus.COMPENSATED, error=error)
    return plan_phase.conclude(session, checkpoint)

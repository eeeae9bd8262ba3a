"""Moving a timer: an operator lets it fire earlier or later, with a reason."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from workflows import queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import InvalidInput, NotFound
from workflows.core.events import EventKind
from workflows.core.status import CLOSED, StepKind, StepStatus
from workflows.models import Step
from workflows.operations.authority import Actor, authorise, checked_reason, record
from workflows.runtime import timers
from workflows.runtime.locking import locked_run


def move_timer(run_id: uuid.UUID, seq: int, *, due_at: datetime, actor: Actor = None, reason: str) -> WorkflowRun:
    """Let a timer, or the time of a wait, be over at another instant; one in the past is over at once.

    Raises NotFound (no such open timer), InvalidInput (a time without its zone), NotAllowedInState (the run is closed),
    PermissionRefused, ReasonRequired.
    """
    principal = authorise(actor, "reschedule")
    reason = checked_reason(reason, required=True)
    if not isinstance(due_at, datetime) or due_at.tzinfo is None:
        raise InvalidInput("the new due time is a time with its zone")
    try:
        due_at = due_at.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"{due_at} is no date in UTC") from None
    with locked_run(run_id) as run:
        if run.status in CLOSED:
            raise run.refuse("reschedule")
        kinds = (StepKind.TIMER, StepKind.WAIT)
        step = Step.objects.filter(run_id=run.row.id, seq=seq, kind__in=kinds, status=StepStatus.SCHEDULED).first()
        if step is None or step.due_at is None:
            raise NotFound(f"run {run.row.id} has no open timer {seq}")
        if run.is_driven:
            data = {"seq": seq, "due_at": due_at.isoformat()}
            run.leave_fact("move", data, actor=principal, reason=reason)
        else:
            checkpoint = run.amend()
            told = timers.moved(seq, step.name, due_at, actor=principal, reason=reason)
            checkpoint.append(EventKind.TIMER_MOVED, told)
            checkpoint.change_step(seq, step.ticket, due_at=due_at)
            run.commit(checkpoint)
        detail = {"seq": seq, "due_at": due_at.isoformat(), "before": step.due_at.isoformat()}
        record("reschedule", principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow, **detail)
    return queries.get_run(run_id)

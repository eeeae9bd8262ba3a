"""Ending a run that nobody drives now, or asking its driver to: a cancel, and an end where it stands."""

from __future__ import annotations

import uuid
from typing import Any

from workflows import store
from workflows.core import payloads
from workflows.core.compensation import plan_data, plan_of
from workflows.core.definitions import registry
from workflows.core.errors import NotAllowedInState
from workflows.core.events import EventKind
from workflows.core.status import CLOSED, HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import Run
from workflows.runtime import outcomes, verdicts
from workflows.runtime.locking import LockedRun, act_data, locked_run
from workflows.store import Checkpoint, StoredStep, in_hand

TERMINATED = {"type": "Terminated", "code": "terminated", "message": "the run was terminated", "cause": None}
ACTIVE = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.WAITING)


def cancel(run: LockedRun, *, actor: str, reason: str) -> None:
    """Cancel a locked run: at once, or by its driver. Raises NotAllowedInState."""
    if run.status == RunStatus.HELD:
        _cancel_held(run, actor, reason)
    elif run.status not in ACTIVE and not (run.status == RunStatus.COMPENSATING and run.projection.resumes):
        raise run.refuse("cancel")  # unless its code goes on after the plan in hand, and meets the cancel then
    elif run.is_driven:
        run.leave_for_driver("cancel", actor=actor, reason=reason)
    elif _ends_at_once(run):
        _cancel_at_once(run, actor, reason)
    else:
        checkpoint = run.amend()
        checkpoint.append(EventKind.CANCEL_REQUESTED, act_data(actor, reason))
        run.commit(checkpoint)


def _ends_at_once(run: LockedRun) -> bool:
    """Whether a cancel meets no code and no effect: a link that was never driven may have a plan of earlier ones."""
    return run.never_driven and not plan_of(run.events).remaining


def _cancel_at_once(run: LockedRun, actor: str, reason: str) -> None:
    checkpoint = run.amend()
    checkpoint.append(EventKind.CANCEL_REQUESTED, act_data(actor, reason, ended=True))
    checkpoint.append(EventKind.RUN_CANCELLED, {})
    run.commit(checkpoint, status=RunStatus.CANCELLED, closed_at=checkpoint.at, requested="")


def _cancel_held(run: LockedRun, actor: str, reason: str) -> None:
    held = run.row.hold_reason
    if held == HoldReason.FAILURE:
        _cancel_failed(run, actor, reason)
        return
    if held not in (HoldReason.PAUSED, HoldReason.WORKER_LOST) or run.in_plan:
        raise run.refuse("cancel")
    if _ends_at_once(run):
        _cancel_at_once(run, actor, reason)
        return
    checkpoint = run.amend()
    checkpoint.append(EventKind.RUN_RELEASED, act_data(actor, reason))
    checkpoint.append(EventKind.CANCEL_REQUESTED, act_data(actor, reason))
    run.commit(checkpoint, status=RunStatus.PENDING, error=None)


def _cancel_failed(run: LockedRun, actor: str, reason: str) -> None:
    """`execute` has ended, so nothing is raised: the plan runs, or the run ends (SEMANTICS A5)."""
    plan = plan_of(run.events)
    checkpoint = run.amend()
    checkpoint.append(EventKind.CANCEL_REQUESTED, act_data(actor, reason, ended=True))
    if run.setting("on_cancel", "compensate") == "leave" or not plan.remaining:
        checkpoint.append(EventKind.RUN_CANCELLED, {})
        run.commit(checkpoint, status=RunStatus.CANCELLED, closed_at=checkpoint.at)
        return
    checkpoint.append(EventKind.PLAN_STARTED, plan_data(end=RunStatus.CANCELLED))
    run.commit(checkpoint, status=RunStatus.COMPENSATING, closed_at=None)


def reach(run_id: uuid.UUID, *, reason: str) -> None:
    """A parent's cancel reaches its child, in the transaction that records it in the parent's history.

    A child that is held and cannot be cancelled as it stands meets the cancel once it is released.
    """
    with locked_run(run_id) as run:
        if run.status in CLOSED:
            return
        try:
            cancel(run, actor="system", reason=reason)
        except NotAllowedInState:
            if not (run.status == RunStatus.COMPENSATING or run.in_plan):  # else it ends by itself
                run.leave_fact("cancel", {}, reason=reason)


def terminate(run: LockedRun, *, actor: str, reason: str) -> None:
    """End a locked run where it stands: nothing runs any more, its plan neither. Raises NotAllowedInState.

    The event lists the steps that were open and how many undos are left. One that had begun and is no transaction has
    an unknown outcome: its undo stands in the plan, should somebody run it. Children go by their `on_close`.
    """
    if run.status in CLOSED:
        raise run.refuse("terminate")
    checkpoint = run.amend()
    open_steps = _give_up_steps(run, checkpoint)
    left = plan_of([*run.events, *checkpoint.events]).remaining
    data = act_data(actor, reason) | {"open_steps": open_steps, "left_to_undo": [item.activity for item in left]}
    checkpoint.append(EventKind.RUN_TERMINATED, data)
    run.commit(checkpoint, status=RunStatus.TERMINATED, closed_at=checkpoint.at, requested="", in_hand=None)
    close_children(run.row.id, reason=f"its parent {run.row.id} was terminated")


def _give_up_steps(run: LockedRun, checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Every open step is cancelled; gives number, name and status of those, as they stood.

    The history tells what became of all of them, also of what the code has not met: else their undos were not found.
    """
    open_steps = []
    told: outcomes.Told = {}
    for event in run.events:
        outcomes.count_told(told, event)
    for row in store.load_all_steps(run.row.id):
        step = store.stored_step(row)
        if step.status in (StepStatus.SCHEDULED, StepStatus.RUNNING):
            open_steps.append({"seq": step.seq, "name": step.name, "status": step.status})
            _give_up(run, checkpoint, step, told)
        elif not row.delivered and step.kind != StepKind.COMPENSATION:
            _tell_attempts(run, checkpoint, step, told)
            data = outcomes.outcome_data(run.row.id, step) | {"terminated": True}
            checkpoint.append(outcomes.SETTLED_AS[StepStatus(step.status)], data)
            checkpoint.deliver_step(step.seq, step.ticket)
    return open_steps


def _give_up(run: LockedRun, checkpoint: Checkpoint, step: StoredStep, told: outcomes.Told) -> None:
    closed: dict[str, Any] = {"status": str(StepStatus.CANCELLED), "settled_at": checkpoint.at, "delivered": True}
    running = step.status == StepStatus.RUNNING and step.kind == StepKind.ACTIVITY
    if running or step.kind == StepKind.COMPENSATION:
        closed["error"] = payloads.dumps(TERMINATED)
    if run.row.in_hand is not None and (held := in_hand.read(run.row.in_hand))["seq"] == step.seq:
        checkpoint.new_steps[step.seq] = held | closed
    else:
        checkpoint.change_step(step.seq, step.ticket, **closed, due_at=None, send_at=None, start_by=None)
    if step.kind == StepKind.COMPENSATION:
        # Its step is kept: asked for again, the undo has the same key, and finds what it may have done by it.
        data = {"seq": step.seq, "name": step.name, "error": TERMINATED, "terminated": True}
        checkpoint.append(EventKind.COMPENSATION_FAILED, data)
        return
    _tell_attempts(run, checkpoint, step, told)
    if running:
        _tell_unknown(checkpoint, step)
    checkpoint.append(EventKind.STEP_CANCELLED, {"seq": step.seq, "name": step.name, "terminated": True})


def _tell_attempts(run: LockedRun, checkpoint: Checkpoint, step: StoredStep, told: outcomes.Told) -> None:
    if step.kind == StepKind.ACTIVITY and step.queue is not None:
        for kind, data, at in outcomes.untold_attempts(run.row.id, step, told):
            checkpoint.append(kind, data, at=at)


def _tell_unknown(checkpoint: Checkpoint, step: StoredStep) -> None:
    data: dict[str, Any] = {"seq": step.seq, "name": step.name, "attempt": step.attempt, "error": TERMINATED}
    if verdicts.is_uncertain(verdicts.LOST, registry.activities.get(step.name)):
        data["unknown"] = True
    checkpoint.append(EventKind.ATTEMPT_FAILED, data)


def close_children(parent: uuid.UUID, *, reason: str) -> None:
    """What becomes of the open children of a run that ended without waiting for them; nobody listens to them now."""
    for child in Run.objects.filter(report_to=parent).exclude(status__in=CLOSED).order_by("created_at", "id"):
        Run.objects.filter(pk=child.pk).update(report_to=None, report_seq=None)
        if (child.parent, child.parent_seq) != (parent, child.report_seq):
            continue  # it had completed, and runs its plan for an undo of the parent: that ends by itself
        if child.on_close == "terminate":
            end(child.pk, reason=reason)
        elif child.on_close == "cancel":
            reach(child.pk, reason=reason)


def end(run_id: uuid.UUID, *, reason: str) -> None:
    """Terminate a child whose policy says so, unless it has closed."""
    with locked_run(run_id) as run:
        if run.status not in CLOSED:
            terminate(run, actor="system", reason=reason)

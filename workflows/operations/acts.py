"""Acts of operators on a run: cancel, pause, resume, compensate. A reason is always required."""

from __future__ import annotations

import uuid
from typing import Any, Literal, overload

from workflows import queries
from workflows.contracts import PlanItemView, WorkflowRun
from workflows.core import payloads
from workflows.core.compensation import Plan, plan_data, plan_of
from workflows.core.errors import NothingToCompensate
from workflows.core.events import EventKind
from workflows.core.status import HoldReason, RunStatus
from workflows.operations.authority import Actor, authorise, checked_reason, record
from workflows.runtime import closing
from workflows.runtime.locking import LockedRun, act_data, locked_run

_COMPENSABLE = (
    RunStatus.COMPLETED,
    RunStatus.FAILED,
    RunStatus.CANCELLED,
    RunStatus.TERMINATED,
    RunStatus.TIMED_OUT,
)


def cancel_run(run_id: uuid.UUID, *, actor: Actor = None, reason: str) -> WorkflowRun:
    """Cancel a run: its code meets Cancelled, then its plan runs unless the workflow says `leave`.

    A driven run shows `requested = "cancel"` until its driver delivers it. Raises NotAllowedInState, NotFound,
    PermissionRefused, ReasonRequired.
    """
    principal = authorise(actor, "cancel")
    reason = checked_reason(reason, required=True)
    with locked_run(run_id) as run:
        closing.cancel(run, actor=principal, reason=reason)
        _audit("cancel", run, principal, reason)
    return queries.get_run(run_id)


def pause_run(run_id: uuid.UUID, *, actor: Actor = None, reason: str) -> WorkflowRun:
    """Hold a run as `paused` after the step in hand. Outcomes are still recorded; nothing is delivered."""
    principal = authorise(actor, "pause")
    reason = checked_reason(reason, required=True)
    with locked_run(run_id) as run:
        if run.status not in (*closing.ACTIVE, RunStatus.COMPENSATING):
            raise run.refuse("pause")
        if run.is_driven:
            run.leave_for_driver("pause", actor=principal, reason=reason)
        else:
            checkpoint = run.amend()
            data = act_data(principal, reason) | {"reason": HoldReason.PAUSED.value, "note": reason}
            checkpoint.append(EventKind.RUN_HELD, data)
            # A cancel that was left for a driver that died is delivered after the pause, and shown until then.
            requested = run.row.requested if run.row.requested == "cancel" else ""
            run.commit(checkpoint, status=RunStatus.HELD, hold_reason=HoldReason.PAUSED.value, requested=requested)
        _audit("pause", run, principal, reason)
    return queries.get_run(run_id)


def resume_run(run_id: uuid.UUID, *, actor: Actor = None, reason: str) -> WorkflowRun:
    """Let a run that is paused, or held for its code or its worker, go on where it stands."""
    principal = authorise(actor, "resume")
    reason = checked_reason(reason, required=True)
    with locked_run(run_id) as run:
        fitting = (HoldReason.PAUSED, HoldReason.WORKER_LOST, HoldReason.NONDETERMINISM, HoldReason.CODE_MISSING)
        if run.status != RunStatus.HELD or run.row.hold_reason not in fitting:
            raise run.refuse("resume")
        release(run, principal, reason)
        _audit("resume", run, principal, reason)
    return queries.get_run(run_id)


def release(run: LockedRun, principal: str, reason: str) -> None:
    """Release a held run to where it stood: its code, or its plan."""
    compensating = run.in_plan
    checkpoint = run.amend()
    checkpoint.append(EventKind.RUN_RELEASED, act_data(principal, reason, compensating=compensating or None))
    status = RunStatus.COMPENSATING if compensating else RunStatus.PENDING
    error = run.projection.plan_error if compensating else None
    run.commit(checkpoint, status=status, error=payloads.dumps(error) if error is not None else None)


@overload
def compensate_run(
    run_id: uuid.UUID, *, dry_run: Literal[True], actor: Actor = None, reason: str = ""
) -> list[PlanItemView]: ...


@overload
def compensate_run(
    run_id: uuid.UUID, *, dry_run: Literal[False] = False, actor: Actor = None, reason: str
) -> WorkflowRun: ...


def compensate_run(
    run_id: uuid.UUID, *, dry_run: bool = False, actor: Actor = None, reason: str = ""
) -> WorkflowRun | list[PlanItemView]:
    """Run what is left of a run's compensation plan; it ends `compensated`, its result or error kept.

    `dry_run=True` gives the plan and changes nothing. A compensated run is returned as it is. A run held as
    `compensation_failed` goes on at the failed undo with fresh attempts. Raises NothingToCompensate,
    NotAllowedInState, NotFound, PermissionRefused, ReasonRequired.
    """
    principal = authorise(actor, "compensate")
    if dry_run:
        return queries.get_compensation_plan(run_id)
    reason = checked_reason(reason, required=True)
    with locked_run(run_id) as run:
        if run.status == RunStatus.COMPENSATED:
            return queries.get_run(run_id)
        held = run.row.hold_reason
        fitting = run.status in _COMPENSABLE or held in (HoldReason.FAILURE, HoldReason.COMPENSATION_FAILED)
        if not fitting:
            raise run.refuse("compensate")
        _begin(run, plan_of(run.events), principal, reason)
        _audit("compensate", run, principal, reason)
    return queries.get_run(run_id)


def _begin(run: LockedRun, plan: Plan, principal: str, reason: str) -> None:
    if not plan.remaining:
        raise NothingToCompensate
    again = run.row.hold_reason == HoldReason.COMPENSATION_FAILED
    state = run.projection
    checkpoint = run.amend()
    checkpoint.append(EventKind.COMPENSATION_REQUESTED, act_data(principal, reason))
    _fresh_attempts(run, checkpoint)
    if again and state.plan_end is not None:
        checkpoint.append(EventKind.RUN_RELEASED, act_data(principal, reason, compensating=True))
    else:
        checkpoint.append(EventKind.PLAN_STARTED, plan_data(end=RunStatus.COMPENSATED))
    run.commit(checkpoint, status=RunStatus.COMPENSATING, closed_at=None)


def _fresh_attempts(run: LockedRun, checkpoint: Any) -> None:
    columns = {"status": "scheduled", "failures": 0, "delivered": False, "settled_at": None, "error": None}
    for seq, ticket in queries.failed_undos(run.row.id):
        checkpoint.change_step(seq, ticket, **columns)


def _audit(act: str, run: LockedRun, principal: str, reason: str) -> None:
    record(act, principal=principal, reason=reason, run_id=run.row.id, workflow=run.row.workflow)

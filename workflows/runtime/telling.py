"""A child that has closed tells the step that waits for it: that of its parent, or the undo that runs its plan.

In a transaction of its own after the child's closing commit, so that no driver holds two runs' rows at once; the sweep
tells what a crash left untold. Told once: the run forgets whom it reports to in the transaction that tells.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F

from workflows import clock, conf
from workflows.core import payloads
from workflows.core.status import CLOSED, DRIVABLE, RunStatus, StepKind, StepStatus
from workflows.models import Run, Step
from workflows.runtime import dispatch, faults

log = logging.getLogger("workflows.telling")

_REPORTED = CLOSED - {RunStatus.CONTINUED}
_ENDED = {
    RunStatus.FAILED: ("WorkflowFailed", "workflow_failed", "it failed"),
    RunStatus.COMPENSATED: ("WorkflowFailed", "compensated", "it was compensated"),
    RunStatus.CANCELLED: ("Cancelled", "cancelled", "it was cancelled"),
    RunStatus.TERMINATED: ("Terminated", "terminated", "it was terminated"),
    RunStatus.TIMED_OUT: ("RunTimedOut", "run_timed_out", "its time-out was over"),
}


def after_commit(run_id: uuid.UUID) -> None:
    """Tell once the present transaction has committed."""
    transaction.on_commit(partial(tell, run_id), robust=True)


def tell(run_id: uuid.UUID) -> bool:
    """Settle the step that waits for this run's end and see that its run is driven; False when nobody waits."""
    with transaction.atomic():
        run = Run.objects.filter(pk=run_id, report_to__isnull=False, status__in=_REPORTED).first()
        if run is None or run.report_to is None or run.report_seq is None:
            return False
        waiting, seq = run.report_to, run.report_seq
        faults.point("telling.before", run.workflow)
        step = Step.objects.filter(run_id=waiting, seq=seq, status=StepStatus.RUNNING)
        found = step.first()
        if found is not None:
            step.filter(ticket=found.ticket).update(settled_at=_ended_at(run, found), **_outcome(run, found))
        told = Run.objects.filter(pk=run_id, report_to=waiting, report_seq=seq)
        told.update(report_to=None, report_seq=None)
    faults.point("telling.after", run.workflow)
    _drive_on(waiting)
    return True


def _ended_at(run: Run, step: Step) -> datetime:
    """When the child ended, however late that is told: by it facts are put in order (SEMANTICS B9).

    An undo may find that the child had closed before.
    """
    return max(at for at in (run.closed_at, step.started_at, step.scheduled_at) if at is not None)


def _outcome(run: Run, step: Step) -> dict[str, Any]:
    done = {"status": StepStatus.COMPLETED}
    if step.kind == StepKind.COMPENSATION and run.status in (RunStatus.COMPENSATED, RunStatus.COMPLETED):
        return {**done, "result": payloads.dumps(None)}
    if step.kind != StepKind.COMPENSATION and run.status == RunStatus.COMPLETED:
        return {**done, "result": run.result}
    return {"status": StepStatus.FAILED, "error": payloads.dumps(_error(run)), "failures": F("failures") + 1}


def _error(run: Run) -> dict[str, Any]:
    if run.error is not None:
        stored = payloads.loads(run.error)
        return {part: stored.get(part) for part in ("type", "code", "message", "cause")}
    type_, code, message = _ENDED.get(RunStatus(run.status), ("WorkflowFailed", "workflow_failed", run.status))
    return {"type": type_, "code": code, "message": message, "cause": None}


def _drive_on(run_id: uuid.UUID) -> None:
    """A fact was left: mark it for the driver that is there, or hint (SEMANTICS C14)."""
    if Run.objects.filter(pk=run_id, driver__isnull=False).update(wanted=True):
        return
    if dispatch.is_silenced():
        Run.objects.filter(pk=run_id, status__in=DRIVABLE).update(wake_at=clock.now())
    else:
        dispatch.send_advance(run_id)


def tell_untold() -> int:
    """Tell what was left untold by a crash; gives how many."""
    waiting = Run.objects.filter(report_to__isnull=False, status__in=_REPORTED)
    count = 0
    for run_id in list(waiting.values_list("id", flat=True)[: conf.engine().wake_batch]):
        try:
            count += tell(run_id)
        except Exception:  # one that cannot be told now keeps the sweep from no other
            log.exception("the end of run %s could not be told to its parent", run_id)
    return count

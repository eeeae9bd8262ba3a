"""What becomes of a step's row when an attempt that was sent out ends: a compare-and-set on its ticket (SEMANTICS B9).

The attempt itself settles it, whoever holds its token, or the sweep that gives it up. Driving the run on is the
caller's.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from workflows import clock, store
from workflows.core import payloads
from workflows.core.definitions import Activity, registry
from workflows.core.status import StepStatus
from workflows.models import Attempt, Step
from workflows.runtime import attempts, dispatch, faults, policies, verdicts
from workflows.runtime.attempts import Outcome
from workflows.store import StoredStep
from workflows.store.checkpoint import Columns

log = logging.getLogger("workflows.settling")


def write(run_id: uuid.UUID, step: StoredStep, columns: Columns) -> bool:
    """Columns of the attempt's step, if the attempt still counts."""
    return store.move_attempt(run_id, step.seq, ticket=step.ticket, status=StepStatus.RUNNING, columns=columns)


def settle(run_id: uuid.UUID, step: StoredStep, outcome: Outcome, activity: Activity[..., Any] | None) -> bool:
    """Write an attempt's outcome if the attempt still counts; whether the step has settled for good.

    What came too late is kept as evidence on a step that was given up in doubt.
    """
    now = clock.now()
    after = replace(step)  # a refused write leaves the step as it was
    columns = verdicts.judge(after, outcome, activity, at=now, seed=step.key)
    if after.status == StepStatus.SCHEDULED and after.due_at is not None:
        columns |= {"send_at": after.due_at, "losses": 0, "start_by": start_by(after, after.due_at)}
    columns |= {"process": None, "deadline_at": None, "beat_by": None}
    faults.point("commit.before", step.name)
    if outcome.error is None:
        written = write(run_id, step, columns)
    else:
        with transaction.atomic(savepoint=False):
            written = write(run_id, step, columns)
            if written:
                Attempt.objects.create(run_id=run_id, **verdicts.failed_attempt(after, at=now))
    if not written:
        keep_evidence(run_id, step, outcome, ticket=step.ticket)
        return False
    step.status = after.status
    if not connection.in_atomic_block:
        faults.point("commit.after", step.name)
    if after.status == StepStatus.SCHEDULED and after.due_at is not None:
        dispatch.send_step(run_id, after, countdown=(after.due_at - now).total_seconds())
    return verdicts.is_settled(after)


def keep_evidence(run_id: uuid.UUID, step: StoredStep, outcome: Outcome, *, ticket: int) -> None:
    """An outcome that came too late: kept on a step in doubt, for whoever resolves it (SEMANTICS D19)."""
    evidence = payloads.dumps({"result": outcome.result, "error": outcome.error, "at": clock.now().isoformat()})
    late = Step.objects.filter(run_id=run_id, seq=step.seq, ticket=ticket, delivered=False)
    late = late.filter(status__in=[StepStatus.RUNNING, StepStatus.FAILED, StepStatus.TIMED_OUT])
    if not attempts.is_doubtful(registry.activities.get(step.name)) or not late.update(evidence=evidence):
        log.warning("run %s step %s: an outcome came after its attempt was given up", run_id, step.seq)


def send_again(
    run_id: uuid.UUID, step: StoredStep, error: dict[str, Any], *, due: datetime | None = None, **more: Any
) -> bool:
    """The step waits for a worker anew, at once or from `due` on; the try is told of and does not count as failed."""
    now = clock.now()
    columns: Columns = {
        "status": str(StepStatus.SCHEDULED), "process": None, "deadline_at": None, "beat_by": None, "due_at": due,
        "send_at": due or now, "start_by": start_by(step, due or now), "error": payloads.dumps(error), **more,
    }  # fmt: skip
    with transaction.atomic():
        if not write(run_id, step, columns):
            return False
        step.error = error
        Attempt.objects.create(run_id=run_id, **verdicts.failed_attempt(step, at=now))
    return True


def start_by(step: StoredStep, first: datetime) -> datetime | None:
    """Until when a worker must have begun the next attempt, which may begin from `first` on."""
    within = policies.start_within(step.policy)
    return first + within if within is not None else None

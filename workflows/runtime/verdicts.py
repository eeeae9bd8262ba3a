"""What becomes of a step after an attempt: done, tried again, or failed for good. The same in place and sent out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from workflows.core import payloads
from workflows.core.definitions import Activity
from workflows.core.status import StepStatus
from workflows.runtime.attempts import Outcome, is_doubtful
from workflows.store import StoredStep
from workflows.store.checkpoint import Columns

LOST = {"type": "WorkerLost", "code": "worker_lost", "message": "the attempt's outcome was lost", "cause": None}
OVERDUE = {
    "type": "TimedOut",
    "code": "timed_out",
    "message": "the attempt took longer than its time-out",
    "cause": None,
}
SILENT = {
    "type": "HeartbeatLost",
    "code": "heartbeat_lost",
    "message": "the attempt's heartbeat stayed away",
    "cause": None,
}
BUSY = {"type": "DatabaseBusy", "code": "database_busy", "message": "locks did not come free", "cause": None}
UNCLAIMED = {
    "type": "TimedOut",
    "code": "schedule_to_start",
    "message": "no worker began the attempt in time",
    "cause": None,
}


def _mark(error: dict[str, Any]) -> tuple[str, str]:
    """What tells the engine's own verdicts from errors of activities that happen to have the same code."""
    return error["type"], error["code"]


#: Attempts of which nobody knows what they did.
_UNCERTAIN = frozenset({_mark(LOST), _mark(OVERDUE), _mark(SILENT)})
#: Errors that end a step as timed out.
_TIMED_OUT = frozenset({_mark(OVERDUE), _mark(SILENT), _mark(UNCLAIMED)})
SETTLED = frozenset({StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.TIMED_OUT})


def judge(
    step: StoredStep, outcome: Outcome, activity: Activity[..., Any] | None, *, at: datetime, seed: str
) -> Columns:
    """Move a step on by an attempt's outcome; gives the columns to write. `seed` makes the back-off's jitter."""
    if outcome.error is None:
        step.status, step.result, step.settled_at = StepStatus.COMPLETED, outcome.result, at
        return {"status": str(step.status), "result": payloads.dumps(outcome.result), "settled_at": at}
    step.failures += 1
    step.error = dict(outcome.error)
    if outcome.unknown:
        step.error["unknown"] = True
    if outcome.doubt:
        step.error["in_doubt"] = True
    policy = activity.options_.retry if activity is not None else None
    again = policy is not None and outcome.retryable and not outcome.doubt and step.failures < policy.max_attempts
    again = again and not is_doubtful(activity)  # what must not be repeated has one attempt
    if again:
        assert policy is not None
        step.status = StepStatus.SCHEDULED
        step.due_at = at + policy.delay(step.failures, seed=f"{seed}:{step.seq}:{step.attempt}")
        return {
            "status": str(step.status), "failures": step.failures, "due_at": step.due_at,
            "error": payloads.dumps(step.error),
        }  # fmt: skip
    step.status = StepStatus.TIMED_OUT if _mark(outcome.error) in _TIMED_OUT else StepStatus.FAILED
    step.settled_at = at
    return {
        "status": str(step.status), "error": payloads.dumps(step.error), "settled_at": at, "failures": step.failures,
    }  # fmt: skip


def is_settled(step: StoredStep) -> bool:
    return step.status in SETTLED


def is_uncertain(error: dict[str, Any] | None, activity: Activity[..., Any] | None) -> bool:
    """Whether a failed attempt's effect may stand: its undo enters the plan and its input is not edited (A2, D20)."""
    transactional = activity is not None and activity.options_.transactional
    return error is not None and not transactional and (_mark(error) in _UNCERTAIN or bool(error.get("in_doubt")))


def lost_outcome(error: dict[str, Any], activity: Activity[..., Any] | None) -> Outcome:
    """An attempt that nobody can tell the outcome of."""
    return Outcome(error=error, doubt=is_doubtful(activity) and _mark(error) in _UNCERTAIN)


def failed_attempt(step: StoredStep, *, at: datetime) -> Columns:
    """The row of a failed try."""
    return {
        "seq": step.seq, "number": step.attempt, "error": payloads.dumps(step.error), "started_at": step.started_at,
        "failed_at": at,
    }  # fmt: skip

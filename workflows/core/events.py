"""History events: facts of a run in the order they were recorded. Never edited, only appended.

`data` is JSON-ready and small in keys: `seq` the step, `kind` its kind, `name` its activity, and payloads in their
stored form (sensitive fields encrypted). A *fact* can be delivered to workflow code; a *decision* is what the code
asked for when a fact reached it; all others are records of what the runtime or an operator did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """Kinds of history events."""

    # Recorded by operations.
    RUN_STARTED = "RunStarted"
    CANCEL_REQUESTED = "CancelRequested"
    RETRY_REQUESTED = "RetryRequested"
    COMPENSATION_REQUESTED = "CompensationRequested"
    RUN_RELEASED = "RunReleased"
    STEP_RESOLVED = "StepResolved"
    TIMER_MOVED = "TimerMoved"
    # Delivery of a fact that stands earlier in the history (data: of = its position).
    FACT_DELIVERED = "FactDelivered"
    # Facts.
    STEP_COMPLETED = "StepCompleted"
    STEP_FAILED = "StepFailed"
    STEP_TIMED_OUT = "StepTimedOut"
    TIMER_FIRED = "TimerFired"
    SIGNAL_RECEIVED = "SignalReceived"
    UPDATE_RECEIVED = "UpdateReceived"
    TIMEOUT_REACHED = "TimeoutReached"
    # Decisions.
    STEP_SCHEDULED = "StepScheduled"
    STEP_CANCELLED = "StepCancelled"
    SIDE_EFFECT_RECORDED = "SideEffectRecorded"
    TRACKED = "Tracked"
    COMPENSATION_ADDED = "CompensationAdded"
    WAIT_SATISFIED = "WaitSatisfied"
    PATCH_MARKED = "PatchMarked"
    UPDATE_COMPLETED = "UpdateCompleted"
    CHILD_CLOSE_REQUESTED = "ChildCloseRequested"
    ATTRIBUTES_SET = "AttributesSet"
    # What the runtime did.
    STEP_STARTED = "StepStarted"
    ATTEMPT_FAILED = "AttemptFailed"
    PLAN_STARTED = "PlanStarted"
    COMPENSATION_STARTED = "CompensationStarted"
    COMPENSATION_COMPLETED = "CompensationCompleted"
    COMPENSATION_FAILED = "CompensationFailed"
    RUN_HELD = "RunHeld"
    RUN_COMPLETED = "RunCompleted"
    RUN_FAILED = "RunFailed"
    RUN_COMPENSATED = "RunCompensated"
    RUN_CANCELLED = "RunCancelled"
    RUN_TERMINATED = "RunTerminated"
    RUN_TIMED_OUT = "RunTimedOut"
    RUN_CONTINUED = "RunContinued"


_K = EventKind

#: Appended before they are delivered; a `FactDelivered` marks the moment they reach the code.
POSTED_FACTS = frozenset({_K.RUN_STARTED, _K.CANCEL_REQUESTED})
#: Appended in the commit that delivers them.
STEP_OUTCOMES = frozenset({_K.STEP_COMPLETED, _K.STEP_FAILED, _K.STEP_TIMED_OUT})
DIRECT_FACTS = STEP_OUTCOMES | {_K.TIMER_FIRED, _K.SIGNAL_RECEIVED, _K.UPDATE_RECEIVED, _K.TIMEOUT_REACHED}
DECISIONS = frozenset(
    {
        _K.STEP_SCHEDULED,
        _K.STEP_CANCELLED,
        _K.SIDE_EFFECT_RECORDED,
        _K.TRACKED,
        _K.COMPENSATION_ADDED,
        _K.WAIT_SATISFIED,
        _K.PATCH_MARKED,
        _K.UPDATE_COMPLETED,
        _K.CHILD_CLOSE_REQUESTED,
        _K.ATTRIBUTES_SET,
    }
)
#: Events that close a run, with the status they close it in.
CLOSING = {
    _K.RUN_COMPLETED: "completed",
    _K.RUN_FAILED: "failed",
    _K.RUN_COMPENSATED: "compensated",
    _K.RUN_CANCELLED: "cancelled",
    _K.RUN_TERMINATED: "terminated",
    _K.RUN_TIMED_OUT: "timed_out",
    _K.RUN_CONTINUED: "continued",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded event. `position` counts from 1 within its run; `at` is UTC."""

    position: int
    kind: str
    at: datetime
    data: dict[str, Any]

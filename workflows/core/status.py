"""States of runs and steps and the one table of allowed moves; the database triggers are generated from it."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    COMPENSATING = "compensating"
    HELD = "held"
    COMPLETED = "completed"
    FAILED = "failed"
    COMPENSATED = "compensated"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"
    CONTINUED = "continued"


class HoldReason(StrEnum):
    """Why a held run waits for someone."""

    FAILURE = "failure"
    COMPENSATION_FAILED = "compensation_failed"
    IN_DOUBT = "in_doubt"
    NONDETERMINISM = "nondeterminism"
    CODE_MISSING = "code_missing"
    WORKER_LOST = "worker_lost"
    PAUSED = "paused"


class StepKind(StrEnum):
    """What a step records."""

    ACTIVITY = "activity"
    TIMER = "timer"
    CHILD = "child"
    WAIT = "wait"
    SIDE_EFFECT = "side_effect"
    MARKER = "marker"
    COMPENSATION = "compensation"


class StepStatus(StrEnum):
    """Where a step stands."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


_R = RunStatus
_S = StepStatus

CLOSED: frozenset[RunStatus] = frozenset(
    {_R.COMPLETED, _R.FAILED, _R.COMPENSATED, _R.CANCELLED, _R.TERMINATED, _R.TIMED_OUT, _R.CONTINUED}
)
OPEN: frozenset[RunStatus] = frozenset(set(_R) - CLOSED)
#: A run in one of these can be claimed by a driver.
DRIVABLE: frozenset[RunStatus] = frozenset({_R.PENDING, _R.RUNNING, _R.WAITING, _R.COMPENSATING})

RUN_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    _R.PENDING: frozenset({_R.RUNNING, _R.HELD, _R.CANCELLED, _R.TERMINATED, _R.TIMED_OUT}),
    _R.RUNNING: frozenset({_R.PENDING, _R.WAITING, _R.HELD, _R.COMPENSATING}) | CLOSED,
    _R.WAITING: frozenset({_R.RUNNING, _R.HELD, _R.TERMINATED}),
    _R.COMPENSATING: frozenset({_R.RUNNING, _R.HELD, _R.COMPENSATED, _R.CANCELLED, _R.TIMED_OUT, _R.TERMINATED}),
    _R.HELD: frozenset({_R.PENDING, _R.COMPENSATING, _R.CANCELLED, _R.TERMINATED}),
    _R.FAILED: frozenset({_R.PENDING, _R.COMPENSATING}),
    _R.COMPLETED: frozenset({_R.COMPENSATING}),
    _R.CANCELLED: frozenset({_R.COMPENSATING}),
    _R.TIMED_OUT: frozenset({_R.COMPENSATING}),
    _R.TERMINATED: frozenset({_R.COMPENSATING}),
    _R.COMPENSATED: frozenset(),
    _R.CONTINUED: frozenset(),
}

STEP_MOVES: dict[StepStatus, frozenset[StepStatus]] = {
    _S.SCHEDULED: frozenset({_S.RUNNING, _S.COMPLETED, _S.CANCELLED}),
    _S.RUNNING: frozenset({_S.SCHEDULED, _S.COMPLETED, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED}),
    _S.FAILED: frozenset({_S.SCHEDULED, _S.COMPLETED}),
    _S.TIMED_OUT: frozenset({_S.SCHEDULED, _S.COMPLETED}),
    _S.CANCELLED: frozenset({_S.SCHEDULED}),
    _S.COMPLETED: frozenset(),
}

#: Steps that may go from scheduled to completed without ever running.
UNSTARTED_KINDS: frozenset[StepKind] = frozenset({StepKind.TIMER, StepKind.WAIT, StepKind.MARKER, StepKind.SIDE_EFFECT})


def can_move(old: RunStatus, new: RunStatus) -> bool:
    """Whether a run may go from `old` to `new`; staying is always allowed."""
    return old == new or new in RUN_MOVES[old]


_HELD_ACTS: dict[str, tuple[str, ...]] = {
    HoldReason.FAILURE: ("retry", "compensate", "cancel"),
    HoldReason.COMPENSATION_FAILED: ("compensate",),
    HoldReason.IN_DOUBT: ("resolve",),
    HoldReason.NONDETERMINISM: ("resume",),
    HoldReason.CODE_MISSING: ("resume",),
    HoldReason.WORKER_LOST: ("resume", "cancel"),
    HoldReason.PAUSED: ("resume", "cancel"),
}
_STATUS_ACTS: dict[RunStatus, tuple[str, ...]] = {
    RunStatus.PENDING: ("cancel", "pause"),
    RunStatus.RUNNING: ("cancel", "pause"),
    RunStatus.WAITING: ("cancel", "pause"),
    RunStatus.COMPENSATING: ("pause",),
    RunStatus.HELD: (),
    RunStatus.COMPLETED: ("compensate",),
    RunStatus.FAILED: ("retry", "compensate"),
    RunStatus.CANCELLED: ("compensate",),
    RunStatus.TIMED_OUT: ("compensate",),
    RunStatus.TERMINATED: ("compensate",),
    RunStatus.COMPENSATED: ("compensate",),
    RunStatus.CONTINUED: (),
}


def allowed_acts(status: str, hold_reason: str = "") -> list[str]:
    """Acts that may fit a run's state; whether a plan is left only the act itself can tell.

    `resolve` is an act on the step in doubt.
    """
    fitting = _HELD_ACTS.get(hold_reason, ()) if status == RunStatus.HELD else _STATUS_ACTS[RunStatus(status)]
    return sorted({*fitting, "rerun"})

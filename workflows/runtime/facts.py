"""What waits for the code of a run: recorded facts, settled steps, messages, due timers, the end of its time.

Facts are taken by effective time: arrival, or due time for timers; at equal times facts come before timers
(SEMANTICS B9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from workflows.core.events import Event, EventKind
from workflows.core.status import StepKind, StepStatus
from workflows.models import InboxItem
from workflows.runtime.session import Session
from workflows.runtime.verdicts import SETTLED
from workflows.store import StoredStep

#: Kinds of inbox items that the code meets.
MESSAGES = frozenset({"cancel", "signal", "update"})
_START = datetime.min.replace(tzinfo=UTC)
_WAITS = frozenset({StepKind.TIMER, StepKind.WAIT})


@dataclass(frozen=True, slots=True)
class TimeIsOver:
    """The run has timed out."""

    at: datetime


Fact = Event | StoredStep | InboxItem | TimeIsOver


def is_due(step: StoredStep, now: datetime) -> bool:
    """Whether a timer, or the time of a wait, is over."""
    waits = step.kind in _WAITS and step.status == StepStatus.SCHEDULED
    return waits and step.due_at is not None and step.due_at <= now


def is_moving_on(session: Session) -> bool:
    """Whether what is said to the run is for the next link of its chain."""
    return session.machine is not None and session.machine.continuing


def waiting_facts(session: Session, now: datetime) -> list[Fact]:
    """Everything the code has not seen, first to be delivered first."""
    facts: list[tuple[datetime, int, int, Fact]] = []
    moving_on = is_moving_on(session)
    # Nothing reaches a run before its start, whatever the clock of whoever sent it says.
    facts += [
        (_START if event.kind == EventKind.RUN_STARTED else event.at, 0, event.position, event)
        for event in session.undelivered
        if not moving_on
    ]
    for step in session.steps.values():
        if step.status in SETTLED and step.settled_at is not None and step.kind != StepKind.COMPENSATION:
            facts.append((step.settled_at, 1, step.seq, step))
        elif is_due(step, now):
            assert step.due_at is not None
            # A timer that was due before it was asked for comes when it was asked for.
            facts.append((max(step.due_at, step.scheduled_at), 3, step.seq, step))
    facts += [(item.arrived_at, 2, item.pk, item) for item in session.inbox if item.kind in MESSAGES and not moving_on]
    timeout = session.claim.timeout_at
    if timeout is not None and timeout <= now and session.machine is not None and not session.machine.ended:
        facts.append((timeout, 4, 0, TimeIsOver(timeout)))
    return [fact for *_, fact in sorted(facts, key=lambda entry: entry[:3])]


def is_waiting(session: Session, now: datetime) -> bool:
    """Whether anything waits; asked at the end of each step, so it does not sort."""
    told = session.undelivered or any(item.kind in MESSAGES for item in session.inbox)
    if told and not is_moving_on(session):
        return True
    timeout = session.claim.timeout_at
    if timeout is not None and timeout <= now and session.machine is not None and not session.machine.ended:
        return True
    return any(
        is_due(step, now)
        or (step.status in SETTLED and step.settled_at is not None and step.kind != StepKind.COMPENSATION)
        for step in session.steps.values()
    )

"""Timers that an operator moved: the new due time, as a fact of the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from workflows.core import payloads
from workflows.core.events import EventKind
from workflows.core.status import StepStatus
from workflows.models import InboxItem
from workflows.runtime.session import Session


def moved(seq: int, name: str, due_at: datetime, *, actor: str, reason: str) -> dict[str, Any]:
    """The data of a `TimerMoved` event."""
    return {"seq": seq, "name": name, "due_at": due_at.isoformat(), "actor": actor, "reason": reason}


def take_moves(session: Session, items: Sequence[InboxItem]) -> None:
    """Carry out what an operator left while the run was driven; a timer that is gone meanwhile is passed over."""
    checkpoint = session.checkpoint(unless_wanted=False)
    for item in items:
        checkpoint.taken.append(item.pk)
        data = payloads.loads(item.data)
        step = session.steps.get(data["seq"])
        if step is None or step.status != StepStatus.SCHEDULED or step.due_at is None:
            continue
        step.due_at = datetime.fromisoformat(data["due_at"])
        told = moved(step.seq, step.name, step.due_at, actor=item.actor, reason=item.reason)
        checkpoint.append(EventKind.TIMER_MOVED, told)
        checkpoint.change_step(step.seq, step.ticket, due_at=step.due_at)
    session.inbox = [item for item in session.inbox if item.kind != "move"]
    session.commit(checkpoint)

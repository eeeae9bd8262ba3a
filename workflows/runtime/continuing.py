"""Continue-as-new: a run ends and its next link begins, in one commit (SEMANTICS A6)."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from workflows import store
from workflows.core.compensation import PlanItem, plan_of
from workflows.core.events import Event, EventKind
from workflows.core.projection import attributes_after
from workflows.core.status import RunStatus
from workflows.models import InboxItem, Run
from workflows.runtime import dispatch, faults, starts
from workflows.runtime.session import Next, Session
from workflows.store import Checkpoint


def next_id(run_id: uuid.UUID) -> uuid.UUID:
    """The id of the link after `run_id`."""
    return uuid.uuid5(run_id, "next")


def close(session: Session, checkpoint: Checkpoint, stored_input: dict[str, Any]) -> Next:
    """End this link and begin the next with `stored_input`."""
    following = next_id(session.claim.run_id)
    carried: dict[str, Any] = {}
    plan = plan_of(session.events_so_far(checkpoint)).remaining
    attributes = attributes_after(session.projection.attributes, checkpoint.events)
    if attributes:
        carried["attributes"] = attributes
    waiting = [event for event in session.undelivered if event.kind == EventKind.CANCEL_REQUESTED]
    begin = partial(_begin, session.claim.run_id, following, stored_input, carried, plan, waiting)
    checkpoint.joined.append(begin)
    data = {"next": str(following), "input": stored_input}
    return session.close(checkpoint, EventKind.RUN_CONTINUED, RunStatus.CONTINUED, data)


def _begin(
    run_id: uuid.UUID,
    following: uuid.UUID,
    stored_input: dict[str, Any],
    carried: dict[str, Any],
    plan: list[PlanItem],
    waiting: list[Event],
) -> None:
    """The next link takes over who waits for the chain, and what was said to it and not delivered."""
    last = Run.objects.get(pk=run_id)
    if plan:
        keys = [store.step_key(run_id, item.undoes) if item.undoes is not None else None for item in plan]
        # Oldest first, as they stand in a plan: it runs in reverse.
        carried["plan"] = [item.carried(key) for item, key in zip(plan[::-1], keys[::-1], strict=True)]
    starts.insert_link(last, following, stored_input, carried)
    Run.objects.filter(pk=run_id).update(report_to=None, report_seq=None)
    InboxItem.objects.filter(run_id=run_id, taken_at=None).update(run_id=following)
    for event in waiting:
        InboxItem.objects.create(
            run_id=following, kind="cancel", actor=event.data["actor"], reason=event.data["reason"], arrived_at=event.at
        )
    if waiting or last.requested:
        Run.objects.filter(pk=following).update(requested="cancel" if waiting else last.requested)
    faults.point("link.begun", last.workflow)
    dispatch.advance_after_commit(following)

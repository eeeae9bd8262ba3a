"""An act on a run: its row locked, then the living driver told or the fence taken and the history written (B9)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from workflows import clock, store
from workflows.core import payloads
from workflows.core.definitions import registry
from workflows.core.errors import NotAllowedInState, NotFound
from workflows.core.events import Event, EventKind
from workflows.core.projection import RESUME, Projection, project
from workflows.core.status import CLOSED, DRIVABLE, RunStatus, StepStatus, allowed_acts
from workflows.models import InboxItem, Process, Run, Step
from workflows.runtime import dispatch, telling
from workflows.store import Checkpoint, Head
from workflows.store.database_time import database_now


@dataclass(slots=True)
class LockedRun:
    """A run row under lock, and its history once asked for."""

    row: Run
    _events: list[Event] | None = field(default=None)

    @property
    def status(self) -> RunStatus:
        return RunStatus(self.row.status)

    @property
    def events(self) -> list[Event]:
        if self._events is None:
            self._events = store.load_history(self.row.id)
        return self._events

    @property
    def projection(self) -> Projection:
        return project(self.events)

    @property
    def never_driven(self) -> bool:
        return not any(event.kind == EventKind.FACT_DELIVERED for event in self.events)

    @property
    def is_driven(self) -> bool:
        """Whether a living process drives it at this moment."""
        driver = self.row.driver
        return driver is not None and Process.objects.filter(pk=driver, expires_at__gt=database_now()).exists()

    @property
    def in_plan(self) -> bool:
        """Whether a compensation plan is in hand (also below a hold)."""
        state = self.projection
        if state.plan_end == RESUME and state.plan_step is not None:
            step = Step.objects.filter(run_id=self.row.id, seq=state.plan_step).first()
            return step is not None and step.status != StepStatus.COMPLETED
        return state.plan_end is not None

    @property
    def only_undoes(self) -> bool:
        """Whether its code has ended, and what is left of it is its plan (also below a hold)."""
        open_plan = self.status in (RunStatus.COMPENSATING, RunStatus.HELD) and self.in_plan
        return open_plan and not self.projection.resumes

    def setting(self, name: str, default: str) -> str:
        """A class attribute of the run's workflow, or the default where its code is not at hand."""
        cls = registry.workflows.get(self.row.workflow, {}).get(self.row.version)
        return str(getattr(cls, name, default))

    def refuse(self, act: str, detail: str = "") -> NotAllowedInState:
        """The typed refusal of an act that does not fit."""
        state = self.row.status
        if self.row.hold_reason:
            state = f"{state} ({self.row.hold_reason})"
        allowed = allowed_acts(self.row.status, self.row.hold_reason)
        return NotAllowedInState(act=act, state=state, allowed=allowed, detail=detail)

    def leave_for_driver(self, act: str, *, actor: str, reason: str) -> None:
        """Tell the living driver: it delivers the act with its next commit."""
        if self.row.requested == act:
            return
        InboxItem.objects.create(run_id=self.row.id, kind=act, actor=actor, reason=reason, arrived_at=clock.now())
        self.row.requested = act
        Run.objects.filter(pk=self.row.id).update(wanted=True, requested=act)

    def leave_fact(
        self, kind: str, data: dict[str, Any], *, actor: str = "system", reason: str = "", key: str | None = None
    ) -> bool:
        """Leave a fact for whoever drives the run, and see that somebody does; False if the key left one before.

        Nothing is driven while the run is held: the fact is there when it goes on.
        """
        at = clock.now()
        item = InboxItem(run_id=self.row.id, kind=kind, actor=actor, reason=reason, arrived_at=at, key=key)
        item.data = payloads.dumps(data)
        if key is not None and self.knows(kind, key):
            return False  # the run's row is locked: nobody leaves the same one meanwhile
        item.save(force_insert=True)
        self.see_driven(at)
        return True

    def knows(self, kind: str, key: str) -> bool:
        """Whether a message of this key was left before, for this run or an earlier link of its chain."""
        return store.find_message(self.row.id, kind, key) is not None

    def see_driven(self, at: datetime) -> None:
        """Something waits for this run: mark it for its driver, or see that it gets one; a held run is left alone."""
        if self.row.driver is not None:
            Run.objects.filter(pk=self.row.id).update(wanted=True)
        elif self.status in DRIVABLE:
            self._wake(at)

    def _wake(self, at: datetime) -> None:
        """Due now; a run that was never driven not before its start."""
        due = max(at, self.first_due) if self.row.status == RunStatus.PENDING and self.never_driven else at
        if self.row.wake_at is None or due < self.row.wake_at:
            Run.objects.filter(pk=self.row.id).update(wake_at=due, wake_tries=0)
        if due == at:
            dispatch.advance_after_commit(self.row.id)

    def amend(self, at: datetime | None = None) -> Checkpoint:
        """Take the fence: whoever drove it writes nothing more. The checkpoint is still to be committed."""
        row = self.row
        row.fence += 1
        row.driver = None
        Run.objects.filter(pk=row.id).update(fence=row.fence, driver=None)
        head = Head(row.head_seq, bytes(row.head_hash))
        return Checkpoint(row.id, None, row.fence, head, at or clock.now(), unless_wanted=False)

    @property
    def first_due(self) -> datetime:
        """When a run that was never driven is due: a delayed start keeps its time through a pause."""
        due = self.events[0].data.get("due_at")
        return datetime.fromisoformat(due) if due is not None else self.row.created_at

    def commit(self, checkpoint: Checkpoint, *, status: RunStatus | None = None, **columns: Any) -> None:
        """Write the act; a run that can be driven is due at once, one that was never driven not before its start."""
        after = status or self.status
        due = checkpoint.at if after in DRIVABLE else None
        if due is not None and self.never_driven:
            due = max(due, self.first_due)
        if status is not None:
            columns |= {"status": str(status), "hold_reason": columns.get("hold_reason", "")}
        checkpoint.run |= {**columns, "wake_at": due, "wake_tries": 0, "unclaimed_since": None, "deadline_at": None}
        if store.commit(checkpoint) is None:  # pragma: no cover - the row is locked and the fence is ours
            raise RuntimeError("a locked run refused its own fence")
        if due == checkpoint.at:
            dispatch.advance_after_commit(self.row.id)
        if after in CLOSED and self.row.report_to is not None:
            telling.after_commit(self.row.id)


@contextmanager
def locked_run(run_id: uuid.UUID) -> Iterator[LockedRun]:
    """The run's row under lock, in a transaction; of a chain that continued, its last link. Raises NotFound."""
    with transaction.atomic():
        rows = Run.objects.all()
        if connection.features.has_select_for_update:
            rows = rows.select_for_update()
        row = rows.filter(pk=run_id).first()
        while row is not None and row.status == RunStatus.CONTINUED:  # it may go on again before its lock is ours
            row = rows.filter(pk=store.current_link(row.id)).first()
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        yield LockedRun(row)


def act_data(actor: str, reason: str, **more: Any) -> dict[str, Any]:
    """Who and why, as an event's data."""
    return {"actor": actor, "reason": reason, **{key: value for key, value in more.items() if value is not None}}

"""One claimed run in memory: what was loaded, and the checkpoint being built. Used by the phases of `advance`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection

from workflows import clock, conf, store
from workflows.core import payloads
from workflows.core.compensation import Plan, plan_of
from workflows.core.definitions import Activity, WorkflowDefinition, registry
from workflows.core.events import Event, EventKind
from workflows.core.machine import Machine, WorkflowInfo
from workflows.core.projection import Projection, project
from workflows.core.replay import replay
from workflows.core.status import CLOSED, HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import InboxItem, Run
from workflows.runtime import attempts
from workflows.runtime.process import Identity, LostLease
from workflows.store import Checkpoint, Claim, Head, StoredStep, in_hand
from workflows.store.checkpoint import Columns

#: How often a checkpoint is tried again when locks do not come free.
PASSING_TRIES = 5


class Stale(Exception):
    """What is in memory no longer counts: drop it and read the rows again."""


@dataclass(slots=True)
class Next:
    """What a concluded checkpoint leads to: a step to run in place, or the run was let go (`hint_in` seconds).

    `again`: facts wait, deliver them first.
    """

    step: StoredStep | None = None
    hint_in: float | None = None
    again: bool = False


@dataclass
class Session:
    """A claimed run. Only the phases change it; a refused commit makes it stale."""

    claim: Claim
    identity: Identity
    definition: WorkflowDefinition
    head: Head = field(init=False)
    events: list[Event] = field(default_factory=list)
    projection: Projection = field(default_factory=Projection)
    plan: Plan | None = None
    machine: Machine | None = None
    undelivered: list[Event] = field(default_factory=list)
    steps: dict[int, StoredStep] = field(default_factory=dict)
    inbox: Sequence[InboxItem] = ()
    #: The step that runs in place, as on the run's row; its own row is written once, with its outcome.
    in_hand: Columns | None = None
    #: The attempt this session began last (step, ticket), and whether its activity was called: one that was not, or
    #: whose call was rolled back with certainty, is simply run.
    begun: tuple[int, int] | None = None
    called: bool = False
    #: How often in a row an outcome could not be committed.
    refused: int = 0

    def __post_init__(self) -> None:
        self.head = self.claim.head
        self.in_hand = in_hand.read(self.claim.in_hand) if self.claim.in_hand is not None else None

    # --- Loading -----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read history, open steps and what others left; replay the code. NonDeterminismError when it disagrees."""
        run_id = self.claim.run_id
        self.drop()
        self.events = store.load_history(run_id)
        never_driven = len(self.events) == 1  # then it has no step either
        rows = [] if never_driven else store.load_run_steps(run_id, self.in_hand)
        self.steps = {step.seq: step for step in rows}
        self.inbox = store.load_inbox(run_id)
        self.projection = project(self.events)
        self.plan = plan_of(self.events) if self.compensating else None
        if not self.compensating:
            self.bring_code()

    def reload(self) -> None:
        """Read again after a refused commit; raises LostLease when the run is no longer ours."""
        claim = self.claim
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        if not store.acknowledge(claim.run_id, driver=claim.driver, fence=claim.fence):
            raise LostLease
        seq, digest, held = Run.objects.values_list("head_seq", "head_hash", "in_hand").get(pk=claim.run_id)
        self.head = Head(seq, bytes(digest))
        self.in_hand = in_hand.read(held) if held is not None else None
        self.load()

    def bring_code(self) -> None:
        """Replay the code over the loaded history."""
        self.machine, self.undelivered = replay(self.definition, self.info, json.loads(self.claim.input), self.events)

    def drop(self) -> None:
        """Forget the coroutine, disarmed."""
        if self.machine is not None:
            self.machine.dispose()
            self.machine = None

    @property
    def compensating(self) -> bool:
        """Whether the plan runs; the plan of `self.compensate()` is over once the step that asked has settled."""
        step = self.steps.get(self.projection.plan_step) if self.projection.plan_step is not None else None
        over = step is not None and step.status == StepStatus.COMPLETED
        return self.projection.status == RunStatus.COMPENSATING and not over

    @property
    def info(self) -> WorkflowInfo:
        claim = self.claim
        return WorkflowInfo(claim.run_id, claim.workflow, claim.version, claim.key, claim.attempt, claim.seed)

    def activity_of(self, step: StoredStep) -> Activity[..., Any] | None:
        """The activity of a step with the options the code asked for; an undo's own by name."""
        if step.kind == StepKind.ACTIVITY and self.machine is not None and step.seq in self.machine.steps:
            return self.machine.steps[step.seq].activity
        return registry.activities.get(step.name)

    # --- Building a checkpoint ---------------------------------------------------------------------------------------

    def checkpoint(self, *, at: datetime | None = None, unless_wanted: bool = True) -> Checkpoint:
        """An empty checkpoint under this claim's fence."""
        claim = self.claim
        return Checkpoint(
            claim.run_id, claim.driver, claim.fence, self.head, at or clock.now(), unless_wanted=unless_wanted
        )

    def add_step(
        self, checkpoint: Checkpoint, *, seq: int, kind: str, name: str, args: dict[str, Any], **more: Any
    ) -> StoredStep:
        """A new step row, scheduled."""
        key = f"{self.claim.run_id}:{seq}"
        step = StoredStep(
            seq, kind, name, StepStatus.SCHEDULED, 0, 0, 0, key, args, None, None, None, None, None, more.get("undo_of")
        )
        checkpoint.new_steps[seq] = {
            "seq": seq, "kind": str(kind), "name": name, "status": str(StepStatus.SCHEDULED), "attempt": 0,
            "failures": 0, "ticket": 0, "key": key, "args": payloads.dumps(args), "scheduled_at": checkpoint.at,
            "started_at": None, "delivered": False, **more,
        }  # fmt: skip
        self.steps[seq] = step
        return step

    def start_step(self, checkpoint: Checkpoint, step: StoredStep, data: dict[str, Any]) -> Next:
        """Record that the next attempt of a step begins, in this process, now."""
        held = step.ticket
        step.status, step.attempt, step.ticket = StepStatus.RUNNING, step.attempt + 1, step.ticket + 1
        step.started_at, step.due_at = checkpoint.at, None
        self.begun, self.called = (step.seq, step.ticket), False
        kind = EventKind.COMPENSATION_STARTED if step.kind == StepKind.COMPENSATION else EventKind.STEP_STARTED
        event = checkpoint.append(kind, {"seq": step.seq, "name": step.name, "attempt": step.attempt, **data})
        if self.machine is not None:
            self.machine.note(event)
        columns: Columns = {
            "status": str(step.status), "attempt": step.attempt, "ticket": step.ticket, "started_at": step.started_at,
            "due_at": None,
        }  # fmt: skip
        fresh = checkpoint.new_steps.pop(step.seq, None)
        if fresh is not None:
            checkpoint.in_hand = fresh | columns
            checkpoint.run["in_hand"] = in_hand.written(checkpoint.in_hand)
        else:
            checkpoint.change_step(step.seq, held, **columns)
        checkpoint.run["deadline_at"] = checkpoint.at + conf.engine().activity_timeout
        return Next(step)

    def lay_down(self, checkpoint: Checkpoint, step: StoredStep) -> None:
        """The step in hand has settled: its row is written now, with what its outcome changes."""
        if self.in_hand is not None and self.in_hand["seq"] == step.seq:
            checkpoint.new_steps[step.seq] = dict(self.in_hand)
            checkpoint.run["in_hand"] = None

    def let_go(self, checkpoint: Checkpoint, status: RunStatus, *, wake_at: datetime | None) -> Next:
        """Give the lease up in this checkpoint; the run is driven again at `wake_at`."""
        checkpoint.run |= {"status": str(status), "driver": None, "wake_at": wake_at, "deadline_at": None}
        if wake_at is None or wake_at <= checkpoint.at:
            return Next(hint_in=0.0 if wake_at is not None else None)
        away = wake_at - checkpoint.at
        return Next(hint_in=away.total_seconds() if away <= timedelta(minutes=1) else None)

    def hold(self, checkpoint: Checkpoint, reason: HoldReason, error: dict[str, Any] | None = None, **who: str) -> Next:
        """Hold the run for an operator."""
        data: dict[str, Any] = {"reason": reason.value, **who}
        if error is not None:
            data["error"] = error
            checkpoint.run["error"] = payloads.dumps(error)
        checkpoint.append(EventKind.RUN_HELD, data)
        cancelling = reason == HoldReason.PAUSED and any(item.kind == "cancel" for item in self.inbox)
        checkpoint.run |= {"hold_reason": reason.value, "requested": "cancel" if cancelling else ""}
        return self.let_go(checkpoint, RunStatus.HELD, wake_at=None)

    def close(self, checkpoint: Checkpoint, kind: EventKind, status: RunStatus, data: dict[str, Any]) -> Next:
        """End the run."""
        assert status in CLOSED
        checkpoint.append(kind, data)
        if kind == EventKind.RUN_COMPLETED:
            checkpoint.run["result"] = payloads.dumps(data.get("result"))
            checkpoint.run["error"] = None
        elif data.get("error") is not None:
            checkpoint.run["error"] = payloads.dumps(data["error"])
        checkpoint.run |= {"closed_at": checkpoint.at, "requested": ""}
        return self.let_go(checkpoint, status, wake_at=None)

    # --- Committing --------------------------------------------------------------------------------------------------

    def commit(self, checkpoint: Checkpoint) -> None:
        """Write it. Raises Stale when somebody left a fact, LostLease when the run is another's."""
        head = self._commit_past_locks(checkpoint)
        if head is None:
            claim = self.claim
            if store.peek(claim.run_id, driver=claim.driver, fence=claim.fence) is store.Peek.LOST:
                raise LostLease
            raise Stale
        self.head = head
        self.events += checkpoint.events
        if "in_hand" in checkpoint.run:
            self.in_hand = checkpoint.in_hand

    @staticmethod
    def _commit_past_locks(checkpoint: Checkpoint) -> Head | None:
        """In autocommit a lock time-out or deadlock is tried again: the statement left nothing behind."""
        for attempt in range(1, PASSING_TRIES + 1):
            try:
                return store.commit(checkpoint)
            except OperationalError as error:
                if attempt == PASSING_TRIES or connection.in_atomic_block or not attempts.is_passing(error):
                    raise
        raise AssertionError("unreachable")

    def events_so_far(self, checkpoint: Checkpoint) -> list[Event]:
        """The history as it will be once `checkpoint` is written."""
        return self.events + checkpoint.events

    def undone_key(self, step: StoredStep) -> str | None:
        """The idempotency key of the step that an undo undoes."""
        return store.step_key(self.claim.run_id, step.undo_of) if step.undo_of is not None else None

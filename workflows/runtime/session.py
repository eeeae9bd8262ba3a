"""One claimed run in memory: what was loaded, and the checkpoint being built. Used by the phases of `advance`."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction

from workflows import clock, conf, store
from workflows.core import payloads
from workflows.core.asking import WorkflowInfo
from workflows.core.compensation import Plan, plan_of
from workflows.core.definitions import Activity, WorkflowDefinition, registry
from workflows.core.events import Event, EventKind
from workflows.core.machine import Machine
from workflows.core.projection import Projection, project
from workflows.core.replay import replay
from workflows.core.status import CLOSED, DRIVABLE, HoldReason, RunStatus, StepKind, StepStatus
from workflows.models import InboxItem, Process, Run, Step
from workflows.runtime import attempts, dispatch, guard, outcomes, policies, suspended, telling, verdicts
from workflows.runtime.process import Identity, LostLease
from workflows.runtime.suspended import Suspended
from workflows.store import Checkpoint, Claim, Head, StoredStep, in_hand
from workflows.store.checkpoint import Columns
from workflows.store.database_time import database_now

#: The first wait before an attempt that nobody began is sent again; it doubles.
SEND_AGAIN = timedelta(seconds=10)
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
    #: Let go for a while, neither closed nor held.
    suspended: bool = False


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
    told: outcomes.Told = field(default_factory=dict)
    #: Since when it has driven without asking whether others wait, monotonic seconds.
    since: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.head = self.claim.head
        self.in_hand = in_hand.read(self.claim.in_hand) if self.claim.in_hand is not None else None

    # --- Loading -----------------------------------------------------------------------------------------------------

    def load(self) -> None:
        """Read history, open steps and what others left; replay the code. NonDeterminismError when it disagrees."""
        run_id = self.claim.run_id
        self.drop()
        kept = suspended.take(run_id, head=self.head.hash, definition=self.definition)
        if kept is not None:
            self.events, self.machine, self.undelivered = kept.events, kept.machine, list(kept.undelivered)
            self.projection, self.told = kept.projection, kept.told
        else:
            self.events = store.load_history(run_id)
            self.projection = project(self.events)
            self.told = {}
            for event in self.events:
                self.count_told(event)
        never_driven = len(self.events) == 1  # then it has no step either
        rows = [] if never_driven else store.load_run_steps(run_id, self.in_hand)
        self.steps = {step.seq: step for step in rows}
        self.inbox = store.load_inbox(run_id)
        self.plan = plan_of(self.events) if self.compensating else None
        if not self.compensating and self.machine is None:
            self.bring_code()

    def suspend(self) -> None:
        """The run was let go and may come back here: keep what is in memory."""
        machine, self.machine = self.machine, None
        if machine is None:
            return
        kept = Suspended(self.head.hash, machine, self.events, self.projection, self.told, self.undelivered)
        suspended.keep(self.claim.run_id, kept)

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
        given = json.loads(self.claim.input)
        with guard.watched():
            self.machine, self.undelivered = replay(self.definition, self.info, given, self.events)

    def count_told(self, event: Event) -> None:
        """Keep count of the attempts that the history tells of."""
        outcomes.count_told(self.told, event)

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

    def open_step(self, seq: int) -> StoredStep:
        """A step that the code knows; LostLease where it is gone: somebody ended the run when its rows were read."""
        if seq not in self.steps:
            claim = self.claim
            if store.peek(claim.run_id, driver=claim.driver, fence=claim.fence) is store.Peek.LOST:
                raise LostLease
        return self.steps[seq]

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
            seq, kind, name, StepStatus.SCHEDULED, 0, 0, 0, key, args, None, None, more.get("due_at"), None, None,
            more.get("undo_of"), checkpoint.at, batch=more.get("batch"),
        )  # fmt: skip
        checkpoint.new_steps[seq] = {
            "seq": seq, "kind": str(kind), "name": name, "status": str(StepStatus.SCHEDULED), "attempt": 0,
            "failures": 0, "ticket": 0, "key": key, "args": payloads.dumps(args), "scheduled_at": checkpoint.at,
            "started_at": None, "delivered": False, **more,
        }  # fmt: skip
        self.steps[seq] = step
        return step

    def send_out(self, checkpoint: Checkpoint, step: StoredStep, activity: Activity[..., Any]) -> None:
        """Let workers run the step's attempts: one of them, once this is written, or whoever finds it later."""
        options = activity.options_
        step.queue, step.policy = options.queue or "", policies.stored(activity)
        first = max(step.due_at or checkpoint.at, checkpoint.at)
        start_by = checkpoint.at + options.schedule_to_start if options.schedule_to_start is not None else None
        checkpoint.change_step(
            step.seq, step.ticket, queue=step.queue, policy=step.policy, batch=step.batch, start_by=start_by,
            send_at=first + SEND_AGAIN if first == checkpoint.at else first, sends=0,
        )  # fmt: skip
        if first == checkpoint.at:
            checkpoint.sends.append(step)

    def tell_attempts(self, checkpoint: Checkpoint, step: StoredStep) -> None:
        """Append what became of a sent-out step's attempts since the history last told of it (SEMANTICS B9)."""
        for kind, data, at in list(outcomes.untold_attempts(self.claim.run_id, step, self.told)):
            self.tell(checkpoint.append(kind, data, at=at))

    def tell_begun(self, checkpoint: Checkpoint) -> None:
        """Tell of every attempt that has begun, which is awaited, or failed, which is cancelled in its back-off."""
        for step in self.steps.values():
            if step.queue is None:
                continue
            started, failed = self.told.get(step.seq, (0, 0))
            in_back_off = step.status == StepStatus.SCHEDULED and step.attempt > failed
            if step.attempt > started or in_back_off:
                self.tell_attempts(checkpoint, step)

    def _tell_settled(self, checkpoint: Checkpoint, step: StoredStep) -> None:
        """Tell of a step's attempts; of one that timed out without any, that its outcome is there and is awaited."""
        before = len(checkpoint.events)
        self.tell_attempts(checkpoint, step)
        if len(checkpoint.events) == before and verdicts.is_settled(step):
            data = {"seq": step.seq, "name": step.name, "attempt": step.attempt, "error": step.error, "last": True}
            self.tell(checkpoint.append(EventKind.ATTEMPT_FAILED, data))

    def tell(self, event: Event) -> None:
        """The code takes in what the runtime did."""
        self.count_told(event)
        if self.machine is not None:
            self.machine.note(event)

    def start_step(self, checkpoint: Checkpoint, step: StoredStep, data: dict[str, Any]) -> Next:
        """Record that the next attempt of a step begins, in this process, now."""
        held = step.ticket
        step.status, step.attempt, step.ticket = StepStatus.RUNNING, step.attempt + 1, step.ticket + 1
        step.started_at, step.due_at = checkpoint.at, None
        self.begun, self.called = (step.seq, step.ticket), False
        kind = EventKind.COMPENSATION_STARTED if step.kind == StepKind.COMPENSATION else EventKind.STEP_STARTED
        self.tell(checkpoint.append(kind, {"seq": step.seq, "name": step.name, "attempt": step.attempt, **data}))
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
        activity = self.activity_of(step)
        limit = activity.options_.timeout if activity is not None else None
        checkpoint.run["deadline_at"] = checkpoint.at + (limit or conf.engine().activity_timeout)
        return Next(step)

    def leave_open(self, checkpoint: Checkpoint, step: StoredStep, activity: Activity[..., Any]) -> None:
        """Somebody else ends the step in hand: from now on it stands like one that was sent out."""
        self.lay_down(checkpoint, step)
        options = activity.options_
        began = step.started_at or checkpoint.at
        step.queue, step.policy = options.queue or "", policies.stored(activity)
        checkpoint.change_step(
            step.seq, step.ticket, queue=step.queue, policy=step.policy, process=None,
            deadline_at=began + (options.timeout or conf.engine().activity_timeout),
            beat_by=began + options.heartbeat if options.heartbeat is not None else None,
        )  # fmt: skip

    def lay_down(self, checkpoint: Checkpoint, step: StoredStep) -> None:
        """The step in hand has settled: its row is written now, with what its outcome changes."""
        if self.in_hand is not None and self.in_hand["seq"] == step.seq:
            checkpoint.new_steps[step.seq] = dict(self.in_hand)
            checkpoint.run["in_hand"] = None

    def let_go(self, checkpoint: Checkpoint, status: RunStatus, *, wake_at: datetime | None) -> Next:
        """Give the lease up in this checkpoint; the run is driven again at `wake_at`, or when it times out."""
        timeout = self.claim.timeout_at
        if status == RunStatus.WAITING and timeout is not None and self.machine is not None and not self.machine.ended:
            wake_at = min(wake_at, timeout) if wake_at is not None else timeout
        checkpoint.run |= {"status": str(status), "driver": None, "wake_at": wake_at, "deadline_at": None}
        goes_on = status in (RunStatus.WAITING, RunStatus.PENDING)
        if wake_at is None or wake_at <= checkpoint.at:
            return Next(hint_in=0.0 if wake_at is not None else None, suspended=goes_on)
        away = wake_at - checkpoint.at
        near = away <= timedelta(minutes=1)
        return Next(hint_in=away.total_seconds() if near else None, suspended=goes_on)

    def gives_way(self, now: datetime) -> bool:
        """Whether this driver has had its slice and others wait (SEMANTICS C17)."""
        if self.begun is None or time.monotonic() - self.since < conf.engine().slice.total_seconds():
            return False  # who has done nothing since it came moves on first, else two runs would hand over for ever
        self.since = time.monotonic()
        waiting = Run.objects.filter(wake_at__lte=now, driver__isnull=True, status__in=DRIVABLE)
        return waiting.exclude(pk=self.claim.run_id).exists()

    def hold(self, checkpoint: Checkpoint, reason: HoldReason, error: dict[str, Any] | None = None, **who: Any) -> Next:
        """Hold the run for an operator."""
        data: dict[str, Any] = {"reason": reason.value, **who}
        if error is not None:
            data["error"] = error
            checkpoint.run["error"] = payloads.dumps(error)
        checkpoint.append(EventKind.RUN_HELD, data)
        cancelling = any(item.kind == "cancel" for item in self.inbox)  # delivered after the hold, and shown until then
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
        if self.claim.reports and status != RunStatus.CONTINUED:
            checkpoint.joined.append(partial(telling.after_commit, self.claim.run_id))
        return self.let_go(checkpoint, status, wake_at=None)

    # --- Committing --------------------------------------------------------------------------------------------------

    def commit(self, checkpoint: Checkpoint) -> None:
        """Write it. Raises Stale when somebody left a fact, LostLease when the run is another's."""
        head = self._commit_unstarted(checkpoint) if checkpoint.unstarted else self._commit_past_locks(checkpoint)
        if head is None:
            claim = self.claim
            if store.peek(claim.run_id, driver=claim.driver, fence=claim.fence) is store.Peek.LOST:
                raise LostLease
            raise Stale
        self.head = head
        self.events += checkpoint.events
        for event in checkpoint.events:
            self.projection.apply(event)  # the plan's phase has applied its own already: that changes nothing
        if "in_hand" in checkpoint.run:
            self.in_hand = checkpoint.in_hand
        if checkpoint.sends:
            transaction.on_commit(partial(self._send, list(checkpoint.sends)), robust=True)

    def _send(self, steps: list[StoredStep]) -> None:
        processes = 1
        if len(steps) > 1:
            processes = Process.objects.filter(expires_at__gt=database_now()).count()
        dispatch.send_steps(self.claim.run_id, steps, processes=processes)

    def _commit_unstarted(self, checkpoint: Checkpoint) -> Head | None:
        """Give steps up that were sent out: only if none has begun meanwhile (SEMANTICS B7).

        One that has is told of in a commit of its own; the code meets the fact again, knowing it.
        """
        with transaction.atomic():
            asked = dict(checkpoint.unstarted)
            runs = Run.objects.filter(pk=self.claim.run_id)
            if connection.features.has_select_for_update:
                list(runs.select_for_update().values_list("fence"))  # the run before its steps, as everybody else
            rows = Step.objects.filter(run_id=self.claim.run_id, seq__in=list(asked)).order_by("seq")
            if connection.features.has_select_for_update:
                rows = rows.select_for_update()
            begun = [row for row in rows if row.status != StepStatus.SCHEDULED or row.ticket != asked[row.seq]]
            if not begun:
                return store.commit(checkpoint)
        telling = self.checkpoint(unless_wanted=False)
        for row in begun:
            self._tell_settled(telling, store.stored_step(row))
        if telling.events:
            head = store.commit(telling)
            if head is None:
                raise LostLease
            self.head = head  # inside an activity's transaction its outcome is still to be written
        raise Stale

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
        if step.undo_of is not None:
            return store.step_key(self.claim.run_id, step.undo_of)
        items = self.plan.items if self.plan is not None and step.kind == StepKind.COMPENSATION else ()
        return next((item.undone_key for item in items if item.seq == step.seq), None)  # of an earlier link

"""What operations and queries give to their callers: frozen values, decoded, never rows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run as it stands. `result` is decoded to the workflow's result type; `error` is {type, code, message, cause}.

    Of a run that continued as new, `status` is its own; `result` and `error` are those of the chain's last link.
    `requested` is `cancel` or `pause` while that act waits for the driver. `input` is stored JSON, sensitive fields
    masked. Times are UTC.
    """

    id: uuid.UUID
    workflow: str
    version: int
    key: str | None
    status: str
    hold_reason: str | None
    requested: str | None
    input: dict[str, Any]
    result: Any
    error: dict[str, Any] | None
    actor: str
    attempt: int
    rerun_of: uuid.UUID | None
    created_at: datetime
    closed_at: datetime | None
    wake_at: datetime | None
    #: The stored JSON of the result, sensitive fields masked: what doors show.
    result_json: Any = None
    #: Whether this call made the run (start operations only).
    created: bool = False
    #: Whose child it is, and by which of its steps.
    parent_id: uuid.UUID | None = None
    parent_seq: int | None = None
    #: First run of the chain it continues (its own id where it is the first), and its place in the chain, from 1.
    chain_id: uuid.UUID | None = None
    link: int = 1
    #: The run that goes on where it continued as new.
    continued_by: uuid.UUID | None = None
    #: Search attributes (`self.set_attributes`).
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try of a step; `error` is None for the try that succeeded or still runs."""

    number: int
    started_at: datetime | None
    ended_at: datetime | None
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class WorkerView:
    """The process that runs an attempt; `is_alive` as the others believe."""

    id: uuid.UUID
    host: str
    pid: int
    is_alive: bool


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """An outcome that came after its attempt was given up. `result` is masked JSON, `error` None where there is one."""

    at: datetime
    result: Any
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. `attempts` counts the tries that began; `tries` tells them one by one. Payloads are masked JSON.

    Steps with a `queue` are sent out to workers ("" = any); members of a flat gather share a `batch`, the number of its
    first step.
    """

    seq: int
    kind: str
    name: str
    status: str
    attempts: int
    tries: tuple[AttemptView, ...]
    key: str
    arguments: dict[str, Any]
    result: Any
    error: dict[str, Any] | None
    undoes: int | None
    scheduled_at: datetime
    started_at: datetime | None
    settled_at: datetime | None
    due_at: datetime | None
    queue: str | None = None
    batch: int | None = None
    #: Who runs the present attempt.
    worker: WorkerView | None = None
    #: The present attempt is to be ended from outside, by its token.
    awaits_token: bool = False
    #: When the present attempt is overdue, when its heartbeat is, and until when a worker must have begun one.
    deadline_at: datetime | None = None
    beat_by: datetime | None = None
    start_by: datetime | None = None
    #: Details of the last heartbeat, None where there was none.
    heartbeat: Any = None
    #: Nobody knows what its last attempt did (SEMANTICS D19).
    in_doubt: bool = False
    evidence: EvidenceView | None = None
    #: The run that a child step started in its present try.
    child_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class DoubtView:
    """A step in doubt, for whoever resolves it.

    `reconcile` is the activity that asks the counterparty, which did not know; None where there is nobody to ask.
    `result_schema` is JSON Schema of the result that the step would have had, None where its code is not at hand.
    """

    step: StepView
    reconcile: str | None
    result_schema: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class TimerView:
    """A due time that a run waits for.

    `kind` is `timer` (a sleep), `wait` (the end of a wait_for) or `retry` (the next attempt of a step); `arguments` say
    what was asked for. Only timers and waits can be moved. `is_overdue`: its time is over and it has not fired.
    """

    run_id: uuid.UUID
    workflow: str
    key: str | None
    run_status: str
    hold_reason: str | None
    seq: int
    kind: str
    name: str
    attempts: int
    arguments: dict[str, Any]
    scheduled_at: datetime
    due_at: datetime
    is_overdue: bool

    @property
    def is_movable(self) -> bool:
        return self.kind != "retry"


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A signal or an update as it was sent to a run. Payloads are masked JSON.

    `status` is `waiting` (not delivered yet), `delivered` (a signal), `running` (an update whose method goes on),
    `completed`, `failed` or `rejected`. `key` tells a message from its repetition; of an update it is the id.
    """

    run_id: uuid.UUID
    kind: str
    name: str
    key: str | None
    arguments: dict[str, Any]
    status: str
    result: Any
    error: dict[str, Any] | None
    actor: str
    reason: str
    arrived_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One event of a history; `data` is masked JSON."""

    position: int
    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlanItemView:
    """One undo of a plan, in the order it runs. `amounts` are the {amount, currency} objects among its arguments."""

    seq: int
    activity: str
    arguments: dict[str, Any]
    undoes: int | None
    undone_activity: str | None
    status: str
    amounts: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A business event for one saga; `data` is masked JSON.

    `method` is None where the event starts the saga's run of `key`. `status` is `pending`, `delivered`,
    `undeliverable` (a method, and no live run of the key), `parked` (it failed for good and waits for somebody) or
    `dropped`. `behind`: how many later events of the same saga and key wait for a parked one.
    """

    id: int
    event_id: int
    event: str
    data: dict[str, Any]
    workflow: str
    method: str | None
    key: str
    status: str
    failures: int
    error: dict[str, Any] | None
    run_id: uuid.UUID | None
    published_at: datetime
    due_at: datetime | None
    settled_at: datetime | None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class MessageType:
    """A signal, query or update that a workflow takes.

    `input_schema` is JSON Schema of its arguments as one object, `result_schema` of its answer; None for a signal.
    """

    kind: str
    name: str
    summary: str
    input_schema: dict[str, Any]
    result_schema: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class WorkflowType:
    """A registered workflow; `input_schema` is JSON Schema of its input object."""

    name: str
    version: int
    summary: str
    on_failure: str
    input_schema: dict[str, Any]
    messages: tuple[MessageType, ...] = ()

    def of_kind(self, kind: str) -> tuple[MessageType, ...]:
        """Its signals, queries or updates, in the order its author declared them."""
        return tuple(message for message in self.messages if message.kind == kind)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `verify` found wrong in one run's history or rows."""

    run_id: uuid.UUID
    position: int | None
    problem: str

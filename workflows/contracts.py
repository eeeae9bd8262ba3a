"""What operations and queries give to their callers: frozen values, decoded, never rows."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """A run as it stands. `result` is decoded to the workflow's result type; `error` is {type, code, message, cause}.

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


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try of a step; `error` is None for the try that succeeded or still runs."""

    number: int
    started_at: datetime | None
    ended_at: datetime | None
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. `attempts` counts the tries that began; `tries` tells them one by one. Payloads are masked JSON."""

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
class WorkflowType:
    """A registered workflow; `input_schema` is JSON Schema of its input object."""

    name: str
    version: int
    summary: str
    on_failure: str
    input_schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `verify` found wrong in one run's history or rows."""

    run_id: uuid.UUID
    position: int | None
    problem: str

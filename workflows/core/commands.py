"""Commands: what workflow code asks for when a fact reaches it. Orders, not facts; the runtime turns them into rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from workflows.core.definitions import Activity
from workflows.core.events import EventKind
from workflows.core.status import StepKind

Json = Any
#: What becomes of a child that is open when its parent closes: `abandon` leaves it to itself.
OnClose = Literal["cancel", "terminate", "abandon"]


class BusinessMoment(Protocol):
    """A due time that is described and not yet known: the runtime resolves it when it writes the timer."""

    def describe(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class ChildOptions:
    """How a child goes with its parent. Raises TypeError or ValueError for nonsense.

    `on_close`: what becomes of it when the parent closes first. `compensate`: whether a completed one is undone with
    its parent.
    """

    on_close: OnClose = "cancel"
    compensate: bool = True

    def __post_init__(self) -> None:
        if self.on_close not in ("cancel", "terminate", "abandon"):
            raise ValueError("child: on_close is 'cancel', 'terminate' or 'abandon'")
        if not isinstance(self.compensate, bool):
            raise TypeError("child: compensate is True or False")


@dataclass(frozen=True, slots=True)
class ScheduleStep:
    """Open a step: an activity, a timer, a wait, a child, or the marker of `self.compensate()`.

    `activity` is set for activities only and carries the options the code asked for (`fn.options(...)`); `child` for
    children only. Timers and waits have a due time, UTC; `when` describes one that the runtime resolves. `batch` is
    the first step of a flat gather, whose members are awaited together.
    """

    seq: int
    kind: StepKind
    name: str
    args: Json
    undo: str | None = None
    undo_map: Json = None
    undo_when: str = "completed"
    activity: Activity[..., Any] | None = field(default=None, compare=False)
    due_at: datetime | None = None
    when: BusinessMoment | None = None
    batch: int | None = None
    child: ChildOptions | None = None

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        data: dict[str, Any] = {"seq": self.seq, "kind": self.kind.value, "name": self.name, "args": self.args}
        if self.undo is not None:
            data |= {"undo": self.undo, "undo_map": self.undo_map, "undo_when": self.undo_when}
        if self.due_at is not None:
            data["due_at"] = self.due_at.isoformat()
        if self.child is not None:
            data |= {"on_close": self.child.on_close, "compensate": self.child.compensate}
        return EventKind.STEP_SCHEDULED, data


@dataclass(frozen=True, slots=True)
class CancelStep:
    """Give up a step that did not start, a timer, a wait, or a child that is left to itself."""

    seq: int
    name: str

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.STEP_CANCELLED, {"seq": self.seq, "name": self.name}


@dataclass(frozen=True, slots=True)
class CloseChild:
    """Ask a child that has started to close: by a cancel, or by ending it where it stands."""

    seq: int
    name: str
    how: Literal["cancel", "terminate"]

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.CHILD_CLOSE_REQUESTED, {"seq": self.seq, "name": self.name, "how": self.how}


@dataclass(frozen=True, slots=True)
class SetAttributes:
    """Set search attributes of the run, in stored form; one that is None is taken away."""

    values: dict[str, Any]

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.ATTRIBUTES_SET, {"attributes": self.values}


@dataclass(frozen=True, slots=True)
class RecordSideEffect:
    """Keep what a side effect returned or raised, so that replay sees the same."""

    seq: int
    name: str
    result: Json = None
    error: dict[str, Any] | None = None

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        data: dict[str, Any] = {"seq": self.seq, "kind": StepKind.SIDE_EFFECT.value, "name": self.name}
        return EventKind.SIDE_EFFECT_RECORDED, data | (
            {"error": self.error} if self.error is not None else {"result": self.result}
        )


@dataclass(frozen=True, slots=True)
class Track:
    """Put an author's entry into the history."""

    name: str
    data: Json

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.TRACKED, {"step": self.name, "data": self.data}


@dataclass(frozen=True, slots=True)
class AddCompensation:
    """Register an undo by hand; it stands from the commit that records it."""

    seq: int
    name: str
    args: Json

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.COMPENSATION_ADDED, {"seq": self.seq, "name": self.name, "args": self.args}


@dataclass(frozen=True, slots=True)
class SatisfyWait:
    """What a `wait_for` waited for holds."""

    seq: int

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.WAIT_SATISFIED, {"seq": self.seq}


@dataclass(frozen=True, slots=True)
class MarkPatch:
    """This run takes the new way at a change (`self.patched`)."""

    change: str

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        return EventKind.PATCH_MARKED, {"change": self.change}


@dataclass(frozen=True, slots=True)
class CompleteUpdate:
    """The answer of an update: what its method returned, or the error it raised."""

    id: str
    name: str
    result: Json = None
    error: dict[str, Any] | None = None

    def event(self) -> tuple[EventKind, dict[str, Any]]:
        data: dict[str, Any] = {"id": self.id, "name": self.name}
        return EventKind.UPDATE_COMPLETED, data | (
            {"error": self.error} if self.error is not None else {"result": self.result}
        )


Command = (
    ScheduleStep
    | CancelStep
    | CloseChild
    | RecordSideEffect
    | Track
    | SetAttributes
    | AddCompensation
    | SatisfyWait
    | MarkPatch
    | CompleteUpdate
)


def signature(kind: str, data: dict[str, Any]) -> str:
    """What replay compares: the command's kind and name, as a person would say it (SEMANTICS E23)."""
    if kind == EventKind.STEP_SCHEDULED:
        return f"schedule {data['kind']} {data['name']}"
    if kind == EventKind.STEP_CANCELLED:
        return f"cancel step {data['seq']} ({data['name']})"
    if kind == EventKind.CHILD_CLOSE_REQUESTED:
        return f"{data['how']} child {data['seq']} ({data['name']})"
    if kind == EventKind.ATTRIBUTES_SET:
        return f"set attributes {', '.join(data['attributes'])}"
    if kind == EventKind.SIDE_EFFECT_RECORDED:
        return f"side effect {data['name']}"
    if kind == EventKind.TRACKED:
        return f"track {data['step']}"
    if kind == EventKind.WAIT_SATISFIED:
        return f"wait {data['seq']} satisfied"
    if kind == EventKind.PATCH_MARKED:
        return f"patched {data['change']}"
    if kind == EventKind.UPDATE_COMPLETED:
        return f"answer update {data['name']}"
    return f"add compensation {data['name']}"

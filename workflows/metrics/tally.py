"""What a closed run or a failed attempt adds to the figures. Pure: documents in, documents out, both plain JSON."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

Document = dict[str, Any]

#: How many errors are kept in all, and durations of each workflow.
MOST_ERRORS = 1000
MOST_DURATIONS = 1000
#: Upper bounds of the histogram of durations, in seconds: from a moment to a loan's month.
BUCKETS = (
    0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 14_400, 86_400, 259_200, 604_800, 2_592_000,
)  # fmt: skip
_LONGEST_MESSAGE = 500

POSITION, ERRORS, ATTEMPTS = "position", "errors", "attempts"
_TYPE = "type:"


@dataclass(frozen=True, slots=True)
class Closing:
    """A run as it closed. `error` is {type, code, message}, scrubbed as the run's own; `attempts` it made since it was
    last closed."""

    run_id: UUID
    workflow: str
    status: str
    created_at: datetime
    closed_at: datetime
    error: Mapping[str, Any] | None
    attempts: int

    @property
    def mark(self) -> str:
        """Tells this closing from another one of the same run, which was retried in between."""
        return mark_of(self.run_id, self.closed_at)


def mark_of(run_id: UUID, closed_at: datetime) -> str:
    """The mark of one closing of a run."""
    return f"{run_id.hex}@{closed_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class RunError:
    """The error with which a run closed."""

    at: datetime
    workflow: str
    run_id: UUID
    type: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class TypeFigures:
    """Figures of one workflow. `started` counts its runs; `closed` counts by the state in which runs closed.

    Durations are of completed runs, in seconds from their start, newest last; `buckets` counts all of them by
    `BUCKETS`, the longer ones last, and `seconds` is their sum.
    """

    started: int = 0
    closed: dict[str, int] = field(default_factory=dict)
    attempts: int = 0
    taken_over: int = 0
    durations: tuple[float, ...] = ()
    buckets: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was counted. `failed_attempts`: (activity, how it ended) -> number."""

    types: dict[str, TypeFigures]
    errors: tuple[RunError, ...]
    failed_attempts: dict[tuple[str, str], int]


def type_name(workflow: str) -> str:
    """The document of one workflow."""
    return f"{_TYPE}{workflow}"


def add_start(document: Document) -> None:
    """Count a run in its workflow's document."""
    document["started"] = document.get("started", 0) + 1


def add_closing(document: Document, closing: Closing) -> None:
    """Count a closed run in its workflow's document."""
    closed = document.setdefault("closed", {})
    closed[closing.status] = closed.get(closing.status, 0) + 1
    document["attempts"] = document.get("attempts", 0) + closing.attempts
    if closing.status != "completed":
        return
    took = max((closing.closed_at - closing.created_at).total_seconds(), 0.0)
    document["durations"] = [*document.get("durations", ()), round(took, 6)][-MOST_DURATIONS:]
    buckets = document.setdefault("buckets", [0] * (len(BUCKETS) + 1))
    buckets[bisect_left(BUCKETS, took)] += 1
    document["seconds"] = document.get("seconds", 0.0) + took


def add_error(document: Document, closing: Closing) -> None:
    """Keep the error with which a run closed, newest last."""
    if closing.error is None:
        return
    entry = {
        "at": closing.closed_at.isoformat(), "workflow": closing.workflow, "run_id": str(closing.run_id),
        "type": str(closing.error.get("type", "")), "code": str(closing.error.get("code", "")),
        "message": str(closing.error.get("message", ""))[:_LONGEST_MESSAGE],
    }  # fmt: skip
    document["errors"] = [*document.get("errors", ()), entry][-MOST_ERRORS:]


def add_take_over(document: Document) -> None:
    """Count a run that was taken over from a process that fell silent."""
    document["taken_over"] = document.get("taken_over", 0) + 1


def move_on(place: Document, found: Mapping[str, datetime], *, overlap: timedelta) -> None:
    """Remember what was counted: the latest time, and the marks of all that happened shortly before it.

    What happened at one time may commit a moment after what happened later, so that stretch is looked through again.
    """
    if not found:
        return
    seen = dict(place.get("seen", {})) | {mark: at.isoformat() for mark, at in found.items()}
    latest = max(found.values())
    if "at" in place:
        latest = max(latest, datetime.fromisoformat(place["at"]))
    place["at"] = latest.isoformat()
    place["seen"] = {mark: at for mark, at in seen.items() if datetime.fromisoformat(at) >= latest - overlap}


def figures_of(documents: Mapping[str, Document]) -> Figures:
    """Documents as values."""
    types = {
        name.removeprefix(_TYPE): TypeFigures(
            started=document.get("started", 0),
            closed=dict(document.get("closed", {})),
            attempts=document.get("attempts", 0),
            taken_over=document.get("taken_over", 0),
            durations=tuple(document.get("durations", ())),
            buckets=tuple(document.get("buckets", (0,) * (len(BUCKETS) + 1))),
            seconds=document.get("seconds", 0.0),
        )
        for name, document in documents.items()
        if name.startswith(_TYPE)
    }
    errors = tuple(
        RunError(
            datetime.fromisoformat(entry["at"]), entry["workflow"], UUID(entry["run_id"]), entry["type"],
            entry["code"], entry["message"],
        )
        for entry in documents.get(ERRORS, {}).get("errors", ())
    )  # fmt: skip
    failed = {
        (activity, how): number
        for activity, by_how in documents.get(ATTEMPTS, {}).get("failed", {}).items()
        for how, number in by_how.items()
    }
    return Figures(dict(sorted(types.items())), errors, failed)

"""One commit of a run: the fence, the run row, its steps and its history, together or not at all.

How it is written differs by database (`store.postgres`, `store.portable`); what it means does not.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows import crypto
from workflows.core import payloads
from workflows.core.events import Event

Columns = dict[str, Any]


@dataclass(slots=True)
class StoredStep:
    """A step that is open, or settled but not yet delivered. `queue` is None while it runs with its workflow's code."""

    seq: int
    kind: str
    name: str
    status: str
    attempt: int
    failures: int
    ticket: int
    key: str
    args: dict[str, Any]
    result: Any
    error: dict[str, Any] | None
    due_at: datetime | None
    started_at: datetime | None
    settled_at: datetime | None
    undo_of: int | None
    scheduled_at: datetime
    queue: str | None = None
    batch: int | None = None
    policy: str | None = None
    beat: str | None = None


@dataclass(slots=True)
class Head:
    """The end of a run's history: the last position and its hash."""

    seq: int
    hash: bytes


@dataclass(slots=True)
class Checkpoint:
    """What one commit writes. `unless_wanted`: write nothing if somebody left a fact meanwhile (SEMANTICS C14)."""

    run_id: uuid.UUID
    driver: uuid.UUID | None
    fence: int
    head: Head
    at: datetime
    unless_wanted: bool = True
    run: Columns = field(default_factory=dict)
    step_changes: dict[int, tuple[int, Columns]] = field(default_factory=dict)
    new_steps: dict[int, Columns] = field(default_factory=dict)
    #: The step in hand once this is written, as on the run's row (`run["in_hand"]`).
    in_hand: Columns | None = None
    attempts: list[Columns] = field(default_factory=list)
    #: Steps whose outcome the code has seen: number and ticket.
    delivered: list[tuple[int, int]] = field(default_factory=list)
    #: Steps sent out to workers that are given up here: they must not have started meanwhile.
    unstarted: list[tuple[int, int]] = field(default_factory=list)
    #: Steps to send out once this is written.
    sends: list[StoredStep] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    #: Answers of updates: the update's id and its answer.
    answers: list[tuple[str, str]] = field(default_factory=list)
    #: Updates taken here: id and row. One that is answered here too is written once, by its answer.
    updates: dict[str, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    #: Writes on rows of other runs, in this transaction, once the fence has let it pass.
    joined: list[Callable[[], None]] = field(default_factory=list)

    def append(self, kind: str, data: dict[str, Any], *, at: datetime | None = None) -> Event:
        """Add an event behind the head; its position is final once the checkpoint commits."""
        event = Event(self.head.seq + len(self.events) + 1, str(kind), at or self.at, data)
        self.events.append(event)
        return event

    def change_step(self, seq: int, holding: int, /, **columns: Any) -> None:
        """Change a step whose ticket is still `holding`; several changes of one step merge into one write."""
        if seq in self.new_steps:
            self.new_steps[seq] |= columns
        elif seq in self.step_changes:
            self.step_changes[seq][1].update(columns)
        else:
            self.step_changes[seq] = (holding, columns)

    def deliver_step(self, seq: int, ticket: int) -> None:
        """The code has seen the step's outcome."""
        if seq in self.new_steps or seq in self.step_changes:
            self.change_step(seq, ticket, delivered=True)
        else:
            self.delivered.append((seq, ticket))


def header(run_id: uuid.UUID, position: int, kind: str, at: datetime) -> str:
    """What a hash covers beside the payload."""
    return f"{run_id}|{position}|{kind}|{at.isoformat()}"


#: A history row: position, kind, time, stored payload, hash.
EventRow = tuple[int, str, datetime, str, bytes]


def chain(checkpoint: Checkpoint) -> tuple[Head, list[EventRow]]:
    """The events as rows of the keyed chain, and the head they lead to."""
    previous = checkpoint.head.hash
    rows: list[EventRow] = []
    run_id, at, told = str(checkpoint.run_id), checkpoint.at, checkpoint.at.isoformat()
    key = crypto.chain_key()
    for event in checkpoint.events:
        text = payloads.dumps(event.data)
        when = told if event.at is at else event.at.isoformat()
        previous = crypto.chain_hash(previous, f"{run_id}|{event.position}|{event.kind}|{when}", text, key=key)
        rows.append((event.position, event.kind, event.at, text, previous))
    return Head(checkpoint.head.seq + len(rows), previous), rows

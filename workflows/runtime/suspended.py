"""Runs that this process let go of, kept in memory: coming back to one costs no replay (SEMANTICS C17).

A kept run counts only while its history ends where it ended then: the head's hash tells. Whatever anybody wrote since,
here or elsewhere, makes it worthless, and it is dropped.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from workflows import conf
from workflows.core.definitions import WorkflowDefinition
from workflows.core.events import Event
from workflows.core.machine import Machine
from workflows.core.projection import Projection

#: Longer histories are read again: one of them weighs as much as all the others.
_LONGEST = 20_000


@dataclass(slots=True)
class Suspended:
    """What a session knew of its run when it let go."""

    head: bytes
    machine: Machine
    events: list[Event]
    projection: Projection
    told: dict[int, list[int]]
    undelivered: Sequence[Event] = ()


_kept: OrderedDict[uuid.UUID, Suspended] = OrderedDict()
_lock = threading.Lock()


def keep(run_id: uuid.UUID, suspended: Suspended) -> None:
    """Keep a run; the one that was kept longest goes when there are too many."""
    dropped = []
    if len(suspended.events) > _LONGEST:
        dropped.append(suspended)
    else:
        with _lock:
            before = _kept.pop(run_id, None)
            if before is not None:
                dropped.append(before)
            _kept[run_id] = suspended
            while len(_kept) > conf.engine().suspended_runs:
                dropped.append(_kept.popitem(last=False)[1])
    for gone in dropped:
        gone.machine.dispose()


def take(run_id: uuid.UUID, *, head: bytes, definition: WorkflowDefinition) -> Suspended | None:
    """The run as it was kept, if nothing was written since; it is this caller's now."""
    with _lock:
        found = _kept.pop(run_id, None)
    if found is None:
        return None
    if found.head == head and found.machine.definition is definition:
        return found
    found.machine.dispose()
    return None


def forget() -> None:
    """Drop everything, like a new process."""
    with _lock:
        gone = list(_kept.values())
        _kept.clear()
    for suspended in gone:
        suspended.machine.dispose()

"""Histories as files: JSON lines, a run's header and then its events, for tests that replay them with newer code."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.core import payloads
from workflows.core.asking import WorkflowInfo
from workflows.core.definitions import WorkflowDefinition, registry
from workflows.core.errors import InvalidInput, UnknownWorkflow
from workflows.core.events import Event, EventKind
from workflows.core.machine import Machine
from workflows.core.replay import replay

#: The format of the lines; raised when they change.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """One run's history, as a file keeps it. Sensitive fields stay encrypted under the installation's keys."""

    info: WorkflowInfo
    input: dict[str, Any]
    events: Sequence[Event]


def lines_of(history: RecordedHistory) -> Iterator[str]:
    """The history as JSON lines, without line ends."""
    info = history.info
    yield payloads.dumps(
        {
            "format": FORMAT, "run": str(info.run_id), "workflow": info.workflow, "version": info.version,
            "key": info.key, "attempt": info.attempt, "seed": info.seed, "input": history.input,
        }
    )  # fmt: skip
    for event in history.events:
        at = event.at.isoformat()
        yield payloads.dumps({"position": event.position, "kind": event.kind, "at": at, "data": event.data})


def read_lines(lines: Iterable[str]) -> RecordedHistory:
    """A history from its lines; raises InvalidInput naming the line that cannot be read."""
    at_line = 0
    info: WorkflowInfo | None = None
    stored: dict[str, Any] = {}
    events: list[Event] = []
    try:
        for line in lines:
            at_line += 1
            if not line.strip():
                continue
            data = json.loads(line)
            if info is None:
                if data["format"] != FORMAT:
                    raise InvalidInput(f"line 1: format {data['format']} is not known, only {FORMAT}")
                run_id, version = uuid.UUID(data["run"]), int(data["version"])
                info = WorkflowInfo(run_id, data["workflow"], version, data["key"], data["attempt"], data["seed"])
                stored = data["input"]
                continue
            at = datetime.fromisoformat(data["at"])
            events.append(Event(int(data["position"]), str(EventKind(data["kind"])), at, data["data"]))
    except json.JSONDecodeError as error:
        raise InvalidInput(f"line {at_line} is no JSON ({error.msg} at character {error.pos})") from error
    except KeyError as error:
        raise InvalidInput(f"line {at_line} is no line of an exported history: it has no {error}") from error
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"line {at_line} is no line of an exported history: {error}") from error
    if info is None or not events:
        raise InvalidInput("the file holds no history")
    return RecordedHistory(info, stored, events)


def definition_of(info: WorkflowInfo) -> WorkflowDefinition:
    """The registered code of a history; raises UnknownWorkflow."""
    cls = registry.workflows.get(info.workflow, {}).get(info.version)
    if cls is None:
        raise UnknownWorkflow(f"{info.workflow} version {info.version} is not registered")
    definition: WorkflowDefinition = cls.definition
    return definition


def replay_history(history: RecordedHistory) -> Machine:
    """The code as it is now, brought to where the history ends; the caller disposes of it.

    Raises NonDeterminismError, naming the expected and the found command, when the code no longer fits.
    """
    machine, _ = replay(definition_of(history.info), history.info, history.input, history.events)
    return machine

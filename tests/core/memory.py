"""A run in memory: facts go to the machine, and what the runtime would record becomes a list of events.

No database, no clock: each event is a second later than the one before.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows.core.asking import WorkflowInfo
from workflows.core.commands import Command, ScheduleStep
from workflows.core.events import Event, EventKind
from workflows.core.machine import Machine
from workflows.core.replay import replay
from workflows.core.status import StepKind
from workflows.core.workflow import Workflow

RUN_ID = uuid.UUID("00000000-0000-4000-8000-000000000001")
BEGIN = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def info_of(workflow: type[Workflow[Any]], *, seed: str = "seed") -> WorkflowInfo:
    definition = workflow.definition
    return WorkflowInfo(RUN_ID, definition.name, definition.version, None, 1, seed)


def stored_input(workflow: type[Workflow[Any]], arguments: dict[str, Any]) -> dict[str, Any]:
    """The input as a run keeps it."""
    signature = workflow.definition.signature
    return signature.encode(signature.bind((), arguments))


def event(position: int, kind: EventKind, /, **data: Any) -> Event:
    """One event of a history written by hand."""
    return Event(position, str(kind), BEGIN + timedelta(seconds=position), data)


def history(*entries: tuple[EventKind, dict[str, Any]]) -> list[Event]:
    """A history written by hand, positions counted from 1."""
    return [event(position, kind, **data) for position, (kind, data) in enumerate(entries, start=1)]


def standing(machine: Machine) -> tuple[Any, ...]:
    """Where a machine stands, as far as anybody can tell from outside."""
    steps = [
        (handle.command.seq, handle.command.kind, handle.command.name, handle.command.args, handle.started, handle.lost)
        for handle in machine.open_steps
        if handle.command is not None
    ]
    ends = machine.finished, machine.ended, machine.cancel_delivered, machine.completed_after_all
    return steps, ends, machine.next_seq, machine.now


#: Every run of the present test (fixture `runs_replay`).
RUNS: list[MemoryRun] = []


class MemoryRun:
    """One run and its history. Each method brings one fact and gives the commands it caused."""

    def __init__(self, workflow: type[Workflow[Any]], *, seed: str = "seed", **arguments: Any) -> None:
        self.workflow = workflow
        self.info = info_of(workflow, seed=seed)
        self.input = stored_input(workflow, arguments)
        self.events: list[Event] = []
        self.machine = Machine(workflow.definition, self.info, self.input)
        RUNS.append(self)

    def record(self, kind: str, data: dict[str, Any], *, at: datetime | None = None) -> Event:
        position = len(self.events) + 1
        added = Event(position, str(kind), at or BEGIN + timedelta(seconds=position), data)
        self.events.append(added)
        return added

    def deliver(self, fact: Event, *, at: datetime | None = None) -> list[Command]:
        commands = self.machine.deliver(fact, at=at or self.events[-1].at)
        for command in commands:
            self.record(*command.event())
        return commands

    def start(self) -> list[Command]:
        return self._post(EventKind.RUN_STARTED, {"input": self.input})

    def cancel(self) -> list[Command]:
        return self._post(EventKind.CANCEL_REQUESTED, {"actor": "system", "reason": "test"})

    def begin(self, seq: int) -> None:
        """The step's attempt begins."""
        self.machine.note(self.record(EventKind.STEP_STARTED, {"seq": seq, "attempt": 1}))

    def record_completion(self, seq: int, result: Any = None) -> Event:
        """A completion that is recorded, not delivered yet."""
        return self.record(EventKind.STEP_COMPLETED, {"seq": seq, "result": result})

    def complete(self, seq: int, result: Any = None) -> list[Command]:
        return self.deliver(self.record_completion(seq, result))

    def fail(self, seq: int, message: str = "no", *, code: str = "refused") -> list[Command]:
        error = {"type": "Refusal", "code": code, "message": message, "cause": None}
        return self.deliver(self.record(EventKind.STEP_FAILED, {"seq": seq, "error": error, "attempts": 1}))

    def fire(self, seq: int) -> list[Command]:
        """The time of a timer, or of a wait, is over."""
        handle = self.machine.steps.get(seq)
        waits = handle is not None and handle.command is not None and handle.command.kind == StepKind.WAIT
        return self.deliver(self.record(EventKind.TIMER_FIRED, {"seq": seq, "result": False if waits else None}))

    def signal(self, name: str, **arguments: Any) -> list[Command]:
        return self.deliver(self.record(EventKind.SIGNAL_RECEIVED, {"name": name, "args": self._sent(name, arguments)}))

    def update(self, name: str, *, id: str = "u", **arguments: Any) -> list[Command]:
        data = {"id": id, "name": name, "args": self._sent(name, arguments)}
        return self.deliver(self.record(EventKind.UPDATE_RECEIVED, data))

    def time_out(self) -> list[Command]:
        """The run's time is over."""
        return self.deliver(self.record(EventKind.TIMEOUT_REACHED, {}))

    def _sent(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        signature = self.workflow.definition.messages[name].signature
        return signature.encode(signature.bind((), arguments))

    def _post(self, kind: EventKind, data: dict[str, Any]) -> list[Command]:
        fact = self.record(kind, data)
        self.record(EventKind.FACT_DELIVERED, {"of": fact.position})
        return self.deliver(fact)

    def replayed(self, events: Sequence[Event] | None = None) -> Machine:
        """A machine that has replayed the history (or the given part of it)."""
        machine, _ = replay(self.workflow.definition, self.info, self.input, self.events if events is None else events)
        return machine


def scheduled(commands: Sequence[Command]) -> list[str]:
    """Names of the steps that were asked for, in order."""
    return [command.name for command in commands if isinstance(command, ScheduleStep)]

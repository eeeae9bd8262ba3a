"""What workflow code waits for: steps, branches and groups of them, and how they settle (SEMANTICS B7).

They know the machine that drives them by what they need of it alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from workflows.core.commands import CancelStep, Command, ScheduleStep
from workflows.core.definitions import Activity
from workflows.core.errors import Cancelled


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an awaited thing settled: a value, or an error to raise."""

    value: Any = None
    error: BaseException | None = None

    def unwrap(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


class Host(Protocol):
    """What a handle needs of the machine."""

    steps: dict[int, StepHandle]
    ready: deque[tuple[Branch, Outcome]]
    disarmed: bool

    def take_seq(self) -> int: ...

    def ask(self, command: Command) -> None: ...

    def settle(self, handle: Handle, outcome: Outcome) -> None: ...

    def before_await(self) -> None: ...


class Handle:
    """Something a branch can wait for. Made by the machine only."""

    def __init__(self, machine: Host) -> None:
        self.machine = machine
        self.outcome: Outcome | None = None
        self.waiter: Branch | None = None
        self.group: Group | None = None

    def begin(self) -> None:
        """Start what this stands for, once."""

    def cancel(self) -> None:
        """Give up what has not started; what has is awaited."""

    def __await__(self) -> Generator[Handle, None, Any]:
        self.machine.before_await()
        self.begin()
        if self.outcome is None:
            yield self
        assert self.outcome is not None
        return self.outcome.unwrap()


class StepHandle(Handle):
    """A step: an activity, or the marker of `self.compensate()`. Scheduled when first awaited or gathered."""

    def __init__(self, machine: Host, command: Callable[[int], ScheduleStep], activity: Activity[..., Any] | None):
        super().__init__(machine)
        self._command = command
        self.activity = activity
        self.command: ScheduleStep | None = None
        self.started = False

    def begin(self) -> None:
        if self.command is None and not self.machine.disarmed:
            command = self._command(self.machine.take_seq())
            self.machine.ask(command)
            self.command = command
            self.machine.steps[command.seq] = self

    def cancel(self) -> None:
        if self.outcome is None and self.command is not None and not self.started:
            self.machine.ask(CancelStep(self.command.seq, self.command.name))
            self.machine.steps.pop(self.command.seq, None)
            self.machine.settle(self, Outcome(error=Cancelled()))


class Branch(Handle):
    """A coroutine of the workflow: `execute` itself, or a member of a gather. Others can wait for its end."""

    def __init__(self, machine: Host, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__(machine)
        self.coroutine = coroutine
        self.waiting_on: Handle | None = None
        self.begun = False
        self.cancelling = False

    def begin(self) -> None:
        if not self.begun:
            self.begun = True
            self.machine.ready.append((self, Outcome()))

    def cancel(self) -> None:
        if self.outcome is not None or self.cancelling:
            return
        self.cancelling = True
        target = self.waiting_on
        if target is not None:
            # A member awaits what has started; Cancelled meets it at its next await (SEMANTICS B7).
            target.cancel()


class Group(Handle):
    """A gather: settles when all members have; after the first failure the others are cancelled (SEMANTICS B7)."""

    def __init__(self, machine: Host, members: Sequence[Handle], names: Sequence[str] | None) -> None:
        super().__init__(machine)
        self.members = list(members)
        self.names = names
        self.failure: BaseException | None = None
        self.cancelled = False
        self.begun = False

    def begin(self) -> None:
        if self.begun:
            return
        self.begun = True
        for member in self.members:
            member.group = self
            member.begin()
            if member.outcome is not None:
                self.member_settled(member)
        self._settle_if_done()

    def member_settled(self, member: Handle) -> None:
        assert member.outcome is not None
        error = member.outcome.error
        if error is not None and self.failure is None and not self.cancelled:
            self.failure = error
            self._cancel_members()
        self._settle_if_done()

    def cancel(self) -> None:
        if self.outcome is None and not self.cancelled:
            self.cancelled = True
            self._cancel_members()
            self._settle_if_done()

    def _cancel_members(self) -> None:
        for member in self.members:
            member.cancel()

    def _settle_if_done(self) -> None:
        if self.outcome is not None or any(member.outcome is None for member in self.members):
            return
        if self.cancelled:
            self.machine.settle(self, Outcome(error=Cancelled()))
        elif self.failure is not None:
            self.machine.settle(self, Outcome(error=self.failure))
        else:
            values = [member.outcome.value for member in self.members if member.outcome is not None]
            result = values if self.names is None else dict(zip(self.names, values, strict=True))
            self.machine.settle(self, Outcome(value=result))

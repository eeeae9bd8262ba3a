"""What workflow code waits for: steps, waits and branches, and how they settle (SEMANTICS B7).

They know the machine that drives them by what they need of it alone. Groups of them stand in `core.groups`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from workflows.core.commands import CancelStep, CloseChild, Command, OnClose, ScheduleStep
from workflows.core.definitions import Activity
from workflows.core.errors import Cancelled, ChildFailed
from workflows.core.failures import child_failed
from workflows.core.status import StepKind

#: Kinds that can be given up at any moment: nothing of them runs anywhere.
_IDLE = frozenset({StepKind.TIMER, StepKind.WAIT})


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an awaited thing settled: a value, or an error to raise."""

    value: Any = None
    error: BaseException | None = None

    def unwrap(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


class Watcher(Protocol):
    """Whoever must know when a handle settles: a gather or a race."""

    def member_settled(self, member: Handle) -> None: ...


class Host(Protocol):
    """What a handle needs of the machine."""

    steps: dict[int, StepHandle]
    waits: dict[int, WaitHandle]
    ready: deque[tuple[Branch, Settlement]]
    disarmed: bool
    #: A failure has left the code: nothing new is begun.
    stopped: bool

    @property
    def next_seq(self) -> int: ...

    def take_seq(self) -> int: ...

    def ask(self, command: Command) -> None: ...

    def settle(self, handle: Handle, settlement: Settlement) -> None: ...

    def before_await(self) -> None: ...

    def holds(self, condition: Callable[[], Any]) -> bool: ...

    def drop_coroutine(self, coroutine: Coroutine[Any, Any, Any]) -> None: ...


class Handle:
    """Something a branch can wait for. Made by the machine only."""

    def __init__(self, machine: Host) -> None:
        self.machine = machine
        self.outcome: Settlement | None = None
        #: How many handles of the run had settled before it did; among settled ones the order of delivery.
        self.settled_as = 0
        self.waiters: list[Branch] = []
        self.watchers: list[Watcher] = []

    def begin(self) -> None:
        """Start what this stands for, once."""

    def cancel(self) -> None:
        """Give up what has not started; what has is awaited."""

    def lose(self) -> None:
        """Given up by a race: whatever completes of it after all is undone at once (SEMANTICS B8)."""
        self.cancel()

    def __await__(self) -> Generator[Handle, None, Any]:
        self.machine.before_await()
        self.begin()
        if self.outcome is None:
            yield self
        assert self.outcome is not None
        return self.outcome.unwrap()


class StepHandle(Handle):
    """A step: an activity, a timer, or the marker of `self.compensate()`. Scheduled when first awaited or gathered."""

    def __init__(self, machine: Host, command: Callable[[int], ScheduleStep], activity: Activity[..., Any] | None):
        super().__init__(machine)
        self._command = command
        self.activity = activity
        self.command: ScheduleStep | None = None
        self.started = False
        #: A race went on without it.
        self.lost = False
        #: The first step of the flat gather it is a member of.
        self.batch: int | None = None

    @property
    def begun(self) -> bool:
        return self.command is not None

    def begin(self) -> None:
        if self.command is None and self.outcome is None and not self.machine.disarmed:
            command = self._command(self.machine.take_seq())
            if self.batch is not None:
                command = replace(command, batch=self.batch)
            self.machine.ask(command)
            self.command = command
            self.machine.steps[command.seq] = self

    def cancel(self) -> None:
        if self.outcome is not None:
            return
        if self.command is None:
            self.machine.settle(self, Settlement(error=Cancelled()))
        elif not self.started or self.command.kind in _IDLE:
            self.machine.ask(CancelStep(self.command.seq, self.command.name))
            self.machine.steps.pop(self.command.seq, None)
            self.machine.settle(self, Settlement(error=Cancelled()))

    def lose(self) -> None:
        self.lost = True
        self.cancel()


class ChildHandle(StepHandle):
    """A child run. Once started it is awaited like a started activity; a cancel of the run reaches it (A6)."""

    def __init__(self, machine: Host, command: Callable[[int], ScheduleStep], workflow: type[Any]) -> None:
        super().__init__(machine, command, None)
        #: The class whose run it is.
        self.workflow = workflow
        self._asked = False

    def reach(self) -> None:
        """The run is cancelled: so is this child, unless its policy says otherwise; one not yet started never will."""
        if self.outcome is not None or self._policy != "cancel":
            return
        if self.started:
            self._ask("cancel")
        else:
            assert self.command is not None
            self.machine.ask(CancelStep(self.command.seq, self.command.name))
            self.machine.steps.pop(self.command.seq, None)
            self.machine.settle(self, Settlement(error=self._called_off()))

    def _called_off(self) -> ChildFailed:
        """What code meets that awaits it all the same: the same as of a child that a cancel reached."""
        assert self.command is not None
        message = "it was cancelled before it began"
        told = {"type": "Cancelled", "code": "cancelled", "message": message, "cause": None}
        error = child_failed(self.command.name, {"seq": self.command.seq, "error": told, "attempts": 0})
        error.seq = None  # no outcome of the step says so
        return error

    def close(self) -> None:
        """The run is about to close: the child closes first, or is left to itself."""
        if not self._is_open:
            self.cancel()
        elif self._policy == "abandon":
            assert self.command is not None
            self.machine.ask(CancelStep(self.command.seq, self.command.name))
            self.machine.steps.pop(self.command.seq, None)
            self.machine.settle(self, Settlement(error=Cancelled()))
        else:
            self._ask(self._policy)

    @property
    def _is_open(self) -> bool:
        return self.outcome is None and self.started

    @property
    def _policy(self) -> OnClose:
        assert self.command is not None and self.command.child is not None
        return self.command.child.on_close

    def _ask(self, how: Literal["cancel", "terminate"]) -> None:
        assert self.command is not None
        if not self._asked:
            self._asked = True
            self.machine.ask(CloseChild(self.command.seq, self.command.name, how))


class WaitHandle(StepHandle):
    """A `wait_for`: settles with True once its condition holds, with False when its time is over."""

    def __init__(self, machine: Host, command: Callable[[int], ScheduleStep], condition: Callable[[], Any]):
        super().__init__(machine, command, None)
        self.condition = condition

    def begin(self) -> None:
        if self.command is not None or self.outcome is not None:
            return
        try:
            holds = self.machine.holds(self.condition)
        except Exception as error:  # it reaches whoever waits: a gather goes on settling its other members
            self.machine.settle(self, Settlement(error=error))
            return
        if holds:
            self.machine.settle(self, Settlement(value=True))
            return
        super().begin()
        if self.command is not None:
            self.machine.waits[self.command.seq] = self


class Branch(Handle):
    """A coroutine of the workflow: `execute` itself, a member of a gather, a handler. Others can wait for its end."""

    def __init__(self, machine: Host, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__(machine)
        self.coroutine = coroutine
        self.waiting_on: Handle | None = None
        self.begun = False
        #: It meets Cancelled at its next await.
        self.cancelling = False
        #: It was cancelled before: what it does now is clean-up.
        self.given_up = False

    def begin(self) -> None:
        if not self.begun and self.outcome is None:
            self.begun = True
            self.machine.ready.append((self, Settlement()))

    def cancel(self) -> None:
        self._give_up(lost=False)

    def lose(self) -> None:
        self._give_up(lost=True)

    def _give_up(self, *, lost: bool) -> None:
        if self.outcome is not None or self.cancelling:
            return
        if not self.begun:
            self.machine.drop_coroutine(self.coroutine)
            self.machine.settle(self, Settlement(error=Cancelled()))
            return
        self.cancelling = self.given_up = True
        target = self.waiting_on
        if target is None:
            return
        if len(target.waiters) + len(target.watchers) > 1:
            # Others wait for it too: only this branch gives it up.
            target.waiters.remove(self)
            self.waiting_on = None
            self.cancelling = False
            self.machine.ready.append((self, Settlement(error=Cancelled())))
            return
        # A member awaits what has started; Cancelled meets it at its next await (SEMANTICS B7).
        if lost:
            target.lose()
        else:
            target.cancel()

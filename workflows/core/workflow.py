"""The base class of workflows: the author's words for asking the engine. Everything is carried out by the machine."""

from __future__ import annotations

import logging
import random
import sys
import uuid
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Literal, NoReturn, ParamSpec, overload
from typing import TypeVar as PlainTypeVar

from workflows.core.asking import WorkflowInfo
from workflows.core.business_events import listen_by_methods
from workflows.core.commands import BusinessMoment, ChildOptions, OnClose
from workflows.core.definitions import Activity, R, WorkflowDefinition, define_workflow, registry
from workflows.core.groups import GatherOptions
from workflows.core.machine import Machine

P = ParamSpec("P")
A = PlainTypeVar("A")
S = PlainTypeVar("S")
C = PlainTypeVar("C")


class _Ready:
    """An awaitable that is done: for calls that settle in the activation they are made in."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        return self._value
        yield  # makes this a generator


class WorkflowLog(logging.LoggerAdapter[logging.Logger]):
    """A logger that is silent on replay and in a dropped coroutine."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(logging.getLogger(f"workflow.{machine.definition.name}"), {})
        self._machine = machine

    def isEnabledFor(self, level: int) -> bool:
        return not (self._machine.replaying or self._machine.disarmed) and super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return f"[{self._machine.info.run_id}] {msg}", kwargs


class Workflow(Generic[R]):
    """A durable process: order, branching and waiting; effects happen in activities.

    Subclasses are registered by (name, version). Define `async def execute(self, ...)`; its parameters are the input.
    """

    version: ClassVar[int] = 1
    name: ClassVar[str]
    on_failure: ClassVar[Literal["compensate", "hold", "fail"]] = "compensate"
    on_cancel: ClassVar[Literal["compensate", "leave"]] = "compensate"
    compensation: ClassVar[Literal["stop", "continue"]] = "stop"
    run_timeout: ClassVar[timedelta | None] = None
    start_checks: ClassVar[tuple[Activity[..., Any], ...]] = ()
    definition: ClassVar[WorkflowDefinition]

    __machine: Machine

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.execute is not Workflow.execute:  # inherited or not: a subclass with other options is another workflow
            definition = define_workflow(cls, sys._getframe(1).f_locals)
            cls.definition = definition
            cls.name = definition.name
            registry.add_workflow(definition.name, definition.version, cls)
            listen_by_methods(definition)

    async def execute(self, *args: Any, **kwargs: Any) -> R:
        raise NotImplementedError

    def _bind(self, machine: Machine) -> None:
        self.__machine = machine

    # --- Steps -------------------------------------------------------------------------------------------------------

    def activity(self, fn: Activity[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[A]:
        """Run an activity as a step and give its result; raises ActivityFailed when it failed for good.

        Arguments are given by name and checked here: PayloadError when one does not fit.
        """
        if args:
            raise TypeError(f"{fn.name}: give arguments by name")
        return self.__machine.activity(fn, dict(kwargs))

    def start(self, fn: Activity[P, A], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[A]:
        """Start an activity now and give a handle that can be awaited later, or gathered."""
        if args:
            raise TypeError(f"{fn.name}: give arguments by name")
        handle = self.__machine.activity(fn, dict(kwargs))
        handle.begin()
        return handle

    # --- Children ----------------------------------------------------------------------------------------------------

    def child(
        self, wf: type[Workflow[C]], /, *args: Any, on_close: OnClose = "cancel", compensate: bool = True, **kwargs: Any
    ) -> Awaitable[C]:
        """Run another workflow as a run of its own and give its result; raises ChildFailed when it ended without one.

        A completed child stands in this run's compensation plan unless `compensate=False`. `on_close` says what becomes
        of one that is still open when this run closes: `cancel` and `terminate` close it first, `abandon` leaves it.
        Its start checks are not asked. Raises PayloadError when the input does not fit.
        """
        return self.__machine.child(wf, args, kwargs, ChildOptions(on_close, compensate))

    def start_child(
        self, wf: type[Workflow[C]], /, *args: Any, on_close: OnClose = "cancel", compensate: bool = True, **kwargs: Any
    ) -> Awaitable[C]:
        """Start a child now and give a handle that can be awaited later, or gathered."""
        handle = self.__machine.child(wf, args, kwargs, ChildOptions(on_close, compensate))
        handle.begin()
        return handle

    def continue_as_new(self, *args: Any, **kwargs: Any) -> NoReturn:
        """End this run and go on as a new one with this input and an empty history: the next link of its chain.

        Key, time-out, attributes, compensation plan, dedupe keys of signals and what was not delivered yet go along.
        Called by `execute` itself. Raises RuntimeError while a step is open, PayloadError when the input does not fit.
        """
        self.__machine.continue_as_new(args, kwargs)

    # --- Side by side ------------------------------------------------------------------------------------------------

    @overload
    def gather(
        self,
        *members: Awaitable[Any],
        tolerate: int | None = None,
        min_successful: int | None = None,
        max_parallel: int | None = None,
        return_failures: bool = False,
    ) -> Awaitable[list[Any]]: ...

    @overload
    def gather(
        self,
        *,
        tolerate: int | None = None,
        min_successful: int | None = None,
        max_parallel: int | None = None,
        return_failures: bool = False,
        **named: Awaitable[Any],
    ) -> Awaitable[dict[str, Any]]: ...

    def gather(
        self,
        *members: Any,
        tolerate: int | None = None,
        min_successful: int | None = None,
        max_parallel: int | None = None,
        return_failures: bool = False,
        **named: Any,
    ) -> Any:
        """Await members side by side: calls of this workflow, handles, its own coroutines; a list or a dict by name.

        All settle. The first failure cancels the others and is raised, unless `tolerate` (so many may fail),
        `min_successful` (so many must not) or `return_failures` allow for it: then a failed place holds None, or the
        exception with `return_failures`, which alone tolerates all. `max_parallel` holds members back that have not
        started. Raises TypeError or ValueError for options and members that make no sense.
        """
        if members and named:
            raise TypeError("gather takes members in a row or by name, not both")
        options = GatherOptions(tolerate, min_successful, max_parallel, return_failures)
        return self.__machine.gather(list(named.values()) or members, list(named) if named else None, options)

    def first_of(self, *members: Any) -> Awaitable[Any]:
        """Await whichever member settles first: its result, or its error.

        The others are cancelled and settle in the background; one that completed after all is undone at once.
        """
        return self.__machine.first_of(members)

    # --- Waiting -----------------------------------------------------------------------------------------------------

    def sleep(self, delay: timedelta) -> Awaitable[None]:
        """Wait for a time, never less; the timer survives restarts."""
        return self.__machine.sleep(delay)

    def sleep_until(self, moment: datetime | BusinessMoment) -> Awaitable[None]:
        """Wait until an instant with its zone, or a business moment of `workflows.calendars`."""
        return self.__machine.sleep_until(moment)

    def wait_for(self, condition: Callable[[], Any], timeout: timedelta | None = None) -> Awaitable[bool]:
        """Wait until the condition holds; False when the time was over first, and that is final.

        The condition reads the workflow's own state, which signals, updates and other branches change.
        """
        return self.__machine.wait_for(condition, timeout)

    # --- Changed code and side effects --------------------------------------------------------------------------------

    def patched(self, change: str) -> bool:
        """Whether this run takes the new way at a change: True for runs that reach it with this code, and kept."""
        return self.__machine.patched(change)

    def side_effect(self, fn: Callable[[], S], /) -> Awaitable[S]:
        """Run a short function once and record what it gave (as JSON); replay gives the same again."""
        return _Ready(self.__machine.side_effect(fn))

    # --- Compensation ------------------------------------------------------------------------------------------------

    def add_compensation(self, fn: Activity[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Register an undo by hand; it stands from the commit that records it."""
        if args:
            raise TypeError(f"{fn.name}: give arguments by name")
        self.__machine.add_compensation(fn, dict(kwargs))

    def compensate(self) -> Awaitable[None]:
        """Run every undo registered so far, newest first, and go on after them."""
        return self.__machine.compensate()

    # --- Time, chance, records ---------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """When the present fact was delivered (UTC); the same on replay, and it never goes back."""
        assert self.__machine.now is not None
        return self.__machine.now

    def uuid4(self) -> uuid.UUID:
        """A random UUID, the same on replay."""
        return self.__machine.uuid4()

    def random(self) -> random.Random:
        """A random number generator, seeded the same on replay."""
        return self.__machine.random()

    def track(self, step: str, data: Any = None) -> None:
        """Put an entry into the history that `queries.get_history` reads back."""
        self.__machine.track(step, data)

    def set_attributes(self, **values: Any) -> None:
        """Set what this run is found by: texts, numbers, bools, UUIDs, dates, times with their zone; None takes away.

        Raises PayloadError for another type, a text above 255 characters, a sensitive value.
        """
        self.__machine.set_attributes(values)

    @property
    def info(self) -> WorkflowInfo:
        """The run this code belongs to."""
        return self.__machine.info

    @property
    def log(self) -> WorkflowLog:
        """A logger that is silent on replay."""
        return WorkflowLog(self.__machine)

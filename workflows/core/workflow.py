"""The base class of workflows: the author's words for asking the engine. Everything is carried out by the machine."""

from __future__ import annotations

import logging
import random
import sys
import uuid
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, ParamSpec
from typing import TypeVar as PlainTypeVar

from workflows.core.definitions import Activity, R, WorkflowDefinition, define_workflow, registry
from workflows.core.machine import Machine, WorkflowInfo

P = ParamSpec("P")
A = PlainTypeVar("A")
S = PlainTypeVar("S")


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

    @property
    def info(self) -> WorkflowInfo:
        """The run this code belongs to."""
        return self.__machine.info

    @property
    def log(self) -> WorkflowLog:
        """A logger that is silent on replay."""
        return WorkflowLog(self.__machine)

"""What authors declare: activities and workflows. Nothing here runs them.

An activity stays a plain typed function: called directly it just runs. Called directly inside workflow code it raises,
because its effect would not be recorded.
"""

from __future__ import annotations

import contextvars
import inspect
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, ParamSpec, overload

from typing_extensions import TypeVar

from workflows.core import payloads
from workflows.core.errors import DefinitionError, NonDeterminismError
from workflows.core.retry import Retry

P = ParamSpec("P")
R = TypeVar("R", default=Any)

UndoWhen = Literal["completed", "attempted"]


class WorkflowCode:
    """Workflow code is running: activities, the database and chance are barred.

    A violation is kept here, so that it holds the run even when the code catches the error.
    """

    violation: NonDeterminismError | None = None

    def violated(self, error: NonDeterminismError) -> NonDeterminismError:
        if self.violation is None:
            self.violation = error
        return error


#: The workflow code that runs in this thread at this moment, if any.
workflow_code: contextvars.ContextVar[WorkflowCode | None] = contextvars.ContextVar("workflow_code", default=None)


def bar_workflow_code(message: str) -> None:
    """Raise NonDeterminismError with `message` if workflow code is running; called by whatever it must not touch."""
    code = workflow_code.get()
    if code is not None:
        raise code.violated(NonDeterminismError(message))


@dataclass(frozen=True, slots=True)
class ActivityInfo:
    """What an activity may know about the attempt it runs in.

    `idempotency_key` is the same across attempts and operator retries of its step. In an undo, `undone_key` is the key
    of the step it undoes (None for one registered by hand).
    """

    run_id: uuid.UUID | None
    seq: int | None
    attempt: int
    idempotency_key: str
    undone_key: str | None = None
    activity: str = ""


current_activity: contextvars.ContextVar[ActivityInfo | None] = contextvars.ContextVar("current_activity", default=None)


def activity_info() -> ActivityInfo:
    """The running attempt; outside the engine attempt 1 with a fresh `direct:` key, the same within one call."""
    info = current_activity.get()
    if info is None:
        raise RuntimeError("activity_info() is only known while an activity runs")
    return info


def app_label(module: str) -> str:
    return module.split(".", 1)[0]


#: The policy of activities that declare none.
DEFAULT_RETRY = Retry()


@dataclass(frozen=True, slots=True, eq=False)
class ActivityOptions:
    """Options of an activity; `fn.options(...)` gives a variant with some of them changed."""

    retry: Retry = DEFAULT_RETRY
    transactional: bool = False
    undo: Activity[..., Any] | None = None
    undo_when: UndoWhen = "completed"


class Activity(Generic[P, R]):
    """A registered activity. Calling it calls the function."""

    def __init__(
        self, function: Callable[P, R], name: str, options: ActivityOptions, signature: payloads.Signature
    ) -> None:
        self.function = function
        self.name = name
        self.options_ = options
        self.signature = signature
        self.undo_map = undo_map(self) if options.undo is not None else None
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        bar_workflow_code(
            f"{self.name} was called directly in workflow code; write `await self.activity({self.__name__}, ...)`"
        )
        if current_activity.get() is not None:
            return self.function(*args, **kwargs)
        token = current_activity.set(ActivityInfo(None, None, 1, f"direct:{uuid.uuid4()}", activity=self.name))
        try:
            return self.function(*args, **kwargs)
        finally:
            current_activity.reset(token)

    def options(
        self,
        *,
        retry: Retry | None = None,
        undo: Activity[..., Any] | None = None,
        undo_when: UndoWhen | None = None,
    ) -> Activity[P, R]:
        """The same activity with other options; its name and signature stay."""
        changed = replace(
            self.options_,
            retry=retry if retry is not None else self.options_.retry,
            undo=undo if undo is not None else self.options_.undo,
            undo_when=undo_when if undo_when is not None else self.options_.undo_when,
        )
        return Activity(self.function, self.name, changed, self.signature)

    def __repr__(self) -> str:
        return f"<activity {self.name}>"


def undo_map(activity: Activity[..., Any]) -> dict[str, list[str]]:
    """How the undo's parameters are filled: by name from the result's fields, then from the arguments (SEMANTICS A1).

    Gives parameter -> ["result"] | ["result", field] | ["argument", name]. Raises DefinitionError when a parameter
    could not be filled, or could be filled only by a result that a failed attempt does not have.
    """
    undo = activity.options_.undo
    assert undo is not None
    fields = payloads.result_fields(activity.signature.result_annotation)
    certain = activity.options_.transactional and activity.options_.undo_when == "completed"
    mapping: dict[str, list[str]] = {}
    for name, parameter in undo.signature.parameters.items():
        if name == "result":
            mapping[name] = ["result"]
        elif name in fields:
            mapping[name] = ["result", name]
        elif name in activity.signature.parameters:
            mapping[name] = ["argument", name]
            continue
        elif parameter.required:
            raise DefinitionError(
                f"{activity.name}: its undo {undo.name} needs {name!r}, which is neither in the result nor an argument"
            )
        else:
            continue
        also_argument = name in activity.signature.parameters
        if parameter.required and not certain and not also_argument:
            raise DefinitionError(
                f"{activity.name}: its undo {undo.name} takes {name!r} from the result, which an attempt with an "
                f"unknown outcome does not have; give it a default (None) and find the effect by undone_key"
            )
    return mapping


class Registry:
    """Activities and workflows by name; doubles are refused."""

    def __init__(self) -> None:
        self.activities: dict[str, Activity[..., Any]] = {}
        self.workflows: dict[str, dict[int, type[Any]]] = {}

    def add_activity(self, activity: Activity[..., Any]) -> None:
        present = self.activities.get(activity.name)
        if present is not None and not _same_source(present.function, activity.function):
            raise DefinitionError(f"two activities are named {activity.name!r}")
        self.activities[activity.name] = activity

    def add_workflow(self, name: str, version: int, definition: type[Any]) -> None:
        versions = self.workflows.setdefault(name, {})
        present = versions.get(version)
        if present is not None and not _same_source(present, definition):
            raise DefinitionError(f"two workflows are named {name!r} with version {version}")
        versions[version] = definition

    def capabilities(self) -> list[str]:
        """Every registered `name@version`: what a worker of this build can drive."""
        return sorted(f"{name}@{version}" for name, versions in self.workflows.items() for version in versions)


def _same_source(one: Any, other: Any) -> bool:
    """Whether both are the same definition, seen again (a module that was imported twice)."""
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


registry = Registry()


@overload
def activity(function: Callable[P, R], /) -> Activity[P, R]: ...


@overload
def activity(
    *,
    name: str | None = None,
    retry: Retry | None = None,
    transactional: bool = False,
    undo: Activity[..., Any] | None = None,
    undo_when: UndoWhen = "completed",
) -> Callable[[Callable[P, R]], Activity[P, R]]: ...


def activity(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    transactional: bool = False,
    undo: Activity[..., Any] | None = None,
    undo_when: UndoWhen = "completed",
) -> Any:
    """Declare a typed synchronous function as an activity, bare or with options.

    `transactional`: its business rows commit with its checkpoint, exactly once; any other activity runs at least once
    with a stable key. `undo` names the activity that reverses it, `undo_when="attempted"` also after a failed attempt.
    Raises DefinitionError for a double name, an async function or an undo whose parameters cannot be filled.
    """
    localns = sys._getframe(1).f_locals

    def declare(target: Callable[..., Any]) -> Activity[..., Any]:
        if inspect.iscoroutinefunction(target):
            raise DefinitionError(f"{target.__qualname__}: an activity is a synchronous function")
        if undo_when not in ("completed", "attempted"):
            raise DefinitionError(f"{target.__qualname__}: undo_when is 'completed' or 'attempted'")
        full_name = name or f"{app_label(target.__module__)}.{target.__name__}"
        signature = payloads.Signature(target, label=full_name, skip_self=False, localns=localns)
        options = ActivityOptions(retry or Retry(), transactional, undo, undo_when)
        declared: Activity[..., Any] = Activity(target, full_name, options, signature)
        registry.add_activity(declared)
        return declared

    return declare(function) if function is not None else declare


#: Parameters that `start_run`, `child` and the operations take for themselves.
RESERVED_PARAMETERS = frozenset({"key", "delay", "version", "actor", "reason", "on_close", "compensate"})


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """A registered workflow class and what the engine knows of it without running it."""

    name: str
    version: int
    cls: type[Any]
    signature: payloads.Signature
    on_failure: str
    on_cancel: str
    compensation: str
    start_checks: tuple[Activity[..., Any], ...]

    @property
    def summary(self) -> str:
        """The first line of the docstring: what the console shows."""
        own = self.cls.__dict__.get("__doc__") or self.name  # not the base class's
        return inspect.cleandoc(own).strip().splitlines()[0]


def define_workflow(cls: type[Any], localns: Mapping[str, Any]) -> WorkflowDefinition:
    """Check a workflow class; raises DefinitionError naming what cannot run safely."""
    name = cls.__dict__.get("name") or f"{app_label(cls.__module__)}.{cls.__name__.removesuffix('Workflow')}"
    label = f"{name} (version {cls.version})"
    execute = cls.execute
    if not inspect.iscoroutinefunction(execute):
        raise DefinitionError(f"{label}: execute must be `async def`")
    if not isinstance(cls.version, int) or isinstance(cls.version, bool) or cls.version < 1:
        raise DefinitionError(f"{label}: version is a whole number from 1")
    for attribute, allowed in (
        ("on_failure", ("compensate", "hold", "fail")),
        ("on_cancel", ("compensate", "leave")),
        ("compensation", ("stop", "continue")),
    ):
        if getattr(cls, attribute) not in allowed:
            raise DefinitionError(f"{label}: {attribute} is one of {', '.join(allowed)}")
    signature = payloads.Signature(execute, label=name, skip_self=True, localns=localns)
    taken = sorted(RESERVED_PARAMETERS & set(signature.parameters))
    if taken:
        raise DefinitionError(f"{label}: execute may not have parameters named {', '.join(taken)}")
    for check in cls.start_checks:
        missing = sorted(set(check.signature.parameters) - set(signature.parameters))
        if missing:
            raise DefinitionError(f"{label}: start check {check.name} asks for unknown {', '.join(missing)}")
    return WorkflowDefinition(
        name, cls.version, cls, signature, cls.on_failure, cls.on_cancel, cls.compensation, tuple(cls.start_checks)
    )

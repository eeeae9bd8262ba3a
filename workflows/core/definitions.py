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
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Generic, Literal, ParamSpec, Protocol, overload

from typing_extensions import TypeVar

from workflows.core import payloads
from workflows.core.errors import DefinitionError, NonDeterminismError
from workflows.core.messages import Message, MessageKind, messages_of
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


class AttemptHost(Protocol):
    """What an attempt asks of whoever runs it."""

    def heartbeat(self, details: Any) -> None: ...

    def complete_later(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ActivityInfo:
    """What an activity may know about the attempt it runs in.

    `idempotency_key` is the same across attempts and operator retries of its step. In an undo, `undone_key` is the key
    of the step it undoes (None for one registered by hand). `last_details` are those of the last heartbeat of the
    attempt before, as JSON; None if there was none.
    """

    run_id: uuid.UUID | None
    seq: int | None
    attempt: int
    idempotency_key: str
    undone_key: str | None = None
    activity: str = ""
    last_details: Any = None
    _host: AttemptHost | None = field(default=None, repr=False, compare=False)

    def heartbeat(self, details: Any = None) -> None:
        """Say that the attempt lives, with details (JSON) that the next attempt finds in `last_details`.

        Raises an error when the attempt is no longer wanted: it was given up as lost or overdue. Outside the engine it
        does nothing.
        """
        if self._host is not None:
            self._host.heartbeat(details)

    def complete_later(self) -> str:
        """A token with which somebody else ends this step; what the function returns is then ignored.

        The token is random and stands hashed in the database. `timeout` and `heartbeat` run from the attempt's start.
        """
        if self._host is None:
            return f"direct:{uuid.uuid4()}"
        return self._host.complete_later()


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
    #: Workers of this queue run it; None = any.
    queue: str | None = None
    #: Longest time from an attempt's start to its end.
    timeout: timedelta | None = None
    #: Longest silence between heartbeats of an attempt.
    heartbeat: timedelta | None = None
    #: Longest wait for a worker.
    schedule_to_start: timedelta | None = None
    #: Whether an attempt of unknown outcome may be repeated; if not, the run is held as in doubt (SEMANTICS D19).
    repeatable: bool = True
    reconcile: Activity[..., Any] | None = None

    @property
    def sent_out(self) -> bool:
        """Whether each attempt is sent to a worker of its own instead of running with the workflow's code."""
        return any(value is not None for value in (self.queue, self.timeout, self.heartbeat, self.schedule_to_start))


class Activity(Generic[P, R]):
    """A registered activity. Calling it calls the function."""

    def __init__(
        self, function: Callable[P, R], name: str, options: ActivityOptions, signature: payloads.Signature
    ) -> None:
        self._function = function
        #: The registered activity that this is a variant of: one body, whoever stands in for it.
        self._source: Activity[P, R] | None = None
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
        queue: str | None = None,
        timeout: timedelta | None = None,
        heartbeat: timedelta | None = None,
        schedule_to_start: timedelta | None = None,
    ) -> Activity[P, R]:
        """The same activity with other options; its name and signature stay. Raises DefinitionError as `activity`."""
        given: dict[str, Any] = {
            "retry": retry, "undo": undo, "undo_when": undo_when, "queue": queue, "timeout": timeout,
            "heartbeat": heartbeat, "schedule_to_start": schedule_to_start,
        }  # fmt: skip
        changed = replace(self.options_, **{name: value for name, value in given.items() if value is not None})
        check_options(self.name, changed, self.signature)
        return self.with_options(changed)

    def with_options(self, options: ActivityOptions) -> Activity[P, R]:
        """The same activity under other options."""
        variant = Activity(self.function, self.name, options, self.signature)
        variant._source = self._source or self
        return variant

    @property
    def function(self) -> Callable[P, R]:
        """The body; a variant has that of the activity it was made from."""
        return self._function if self._source is None else self._source.function

    @function.setter
    def function(self, body: Callable[P, R]) -> None:
        self._function = body

    def __repr__(self) -> str:
        return f"<activity {self.name}>"


def check_options(name: str, options: ActivityOptions, signature: payloads.Signature) -> None:
    """Raise DefinitionError for options that cannot be kept together, or that make no sense."""
    for label in ("timeout", "heartbeat", "schedule_to_start"):
        value = getattr(options, label)
        if value is not None and (not isinstance(value, timedelta) or value <= timedelta()):
            raise DefinitionError(f"{name}: {label} is a timedelta above zero")
    if options.queue is not None and not (isinstance(options.queue, str) and options.queue):
        raise DefinitionError(f"{name}: queue is the name of a queue")
    if options.heartbeat is not None and options.transactional:
        raise DefinitionError(f"{name}: a heartbeat would only be seen when the transaction ends")
    if options.undo_when not in ("completed", "attempted"):
        raise DefinitionError(f"{name}: undo_when is 'completed' or 'attempted'")
    if options.reconcile is None:
        return
    if options.repeatable:
        raise DefinitionError(f"{name}: reconcile answers for an activity that is not repeatable")
    known = {"key", *signature.parameters}
    unknown = [
        parameter
        for parameter, asked in options.reconcile.signature.parameters.items()
        if asked.required and parameter not in known
    ]
    if unknown:
        raise DefinitionError(f"{name}: reconcile asks for {', '.join(unknown)}, which is neither key nor an argument")


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
    queue: str | None = None,
    timeout: timedelta | None = None,
    heartbeat: timedelta | None = None,
    schedule_to_start: timedelta | None = None,
    repeatable: bool = True,
    reconcile: Activity[..., Any] | None = None,
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
    queue: str | None = None,
    timeout: timedelta | None = None,
    heartbeat: timedelta | None = None,
    schedule_to_start: timedelta | None = None,
    repeatable: bool = True,
    reconcile: Activity[..., Any] | None = None,
) -> Any:
    """Declare a typed synchronous function as an activity, bare or with options.

    `transactional`: its business rows commit with its checkpoint, exactly once; any other activity runs at least once
    with a stable key. `undo` names the activity that reverses it, `undo_when="attempted"` also after a failed attempt.
    `queue`, `timeout` (an attempt's start to its end), `heartbeat` (longest silence) and `schedule_to_start` (longest
    wait for a worker) send its attempts out to workers. `repeatable=False`: an attempt of unknown outcome is never
    repeated; `reconcile` names the activity that asks what happened, by `key` and the arguments it names, and gives an
    `Outcome`. Raises DefinitionError for a double name, an async function, options that do not go together or an undo
    whose parameters cannot be filled.
    """
    localns = sys._getframe(1).f_locals

    def declare(target: Callable[..., Any]) -> Activity[..., Any]:
        if inspect.iscoroutinefunction(target):
            raise DefinitionError(f"{target.__qualname__}: an activity is a synchronous function")
        full_name = name or f"{app_label(target.__module__)}.{target.__name__}"
        signature = payloads.Signature(target, label=full_name, skip_self=False, localns=localns)
        options = ActivityOptions(
            retry or Retry(), transactional, undo, undo_when, queue, timeout, heartbeat, schedule_to_start, repeatable,
            reconcile,
        )  # fmt: skip
        check_options(full_name, options, signature)
        declared: Activity[..., Any] = Activity(target, full_name, options, signature)
        registry.add_activity(declared)
        return declared

    return declare(function) if function is not None else declare


#: The longest time that a declaration may name: beyond it a date overflows.
LONGEST = timedelta(days=36500)
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
    #: How long after its start a run may still be open; None = for ever.
    run_timeout: timedelta | None
    messages: dict[str, Message[..., Any]]

    def message(self, kind: MessageKind, name: str) -> Message[..., Any] | None:
        """The signal, query or update of that name."""
        found = self.messages.get(name)
        return found if found is not None and found.kind is kind else None

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
    timeout = cls.run_timeout
    if timeout is not None and (not isinstance(timeout, timedelta) or timeout <= timedelta()):
        raise DefinitionError(f"{label}: run_timeout is a timedelta above zero, or None")
    if timeout is not None and timeout > LONGEST:
        raise DefinitionError(f"{label}: run_timeout is at most a hundred years")
    signature = payloads.Signature(execute, label=name, skip_self=True, localns=localns)
    taken = sorted(RESERVED_PARAMETERS & set(signature.parameters))
    if taken:
        raise DefinitionError(f"{label}: execute may not have parameters named {', '.join(taken)}")
    for check in cls.start_checks:
        missing = sorted(set(check.signature.parameters) - set(signature.parameters))
        if missing:
            raise DefinitionError(f"{label}: start check {check.name} asks for unknown {', '.join(missing)}")
    return WorkflowDefinition(
        name, cls.version, cls, signature, cls.on_failure, cls.on_cancel, cls.compensation, tuple(cls.start_checks),
        timeout, messages_of(cls),
    )  # fmt: skip

"""What workflow code may not touch: the database always, clock, chance, threads and event loops in tests and dev.

Each connection refuses queries while workflow code runs in its thread. The other calls cannot be patched: `datetime` is
a C type, and `from time import time` keeps the function whatever stands in the module later. So with
`WORKFLOWS["GUARD"]` the thread has a profile function while workflow code runs (`sys.setprofile`). It sees every call
before it is made, and what it raises is raised in place of the call. It costs a few hundredths of a millisecond a step,
which is why production goes without.

A call counts when an author's code makes it: no code of the engine, of the standard library or of an installed package,
which ask for the time on their own account (a log record, a callback of the garbage collector). Modules of `_THROUGH`
only pass on what they are asked. What `self.side_effect` runs is free, since its result is recorded.

A profile function that is already there goes on seeing every call and stays when the code has run. Python cannot put
back one that is written in C (cProfile): beside such a one only the database is barred. Coverage and debuggers trace,
which is another hook; clocks that tests move (time-machine) are the same functions and are barred like them.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from pathlib import PurePath
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple

from django.db import connections
from django.utils import timezone

from workflows import clock, conf
from workflows.core.definitions import bar_workflow_code, workflow_code
from workflows.core.workflow import Workflow

Watcher = Callable[[FrameType, str, Any], object]


class Barred(NamedTuple):
    """A call that is not for workflow code, as people write it, and what to write instead."""

    call: str
    instead: str


_ASYNC = {
    "sleep": "await self.sleep(...)",
    "gather": "await self.gather(...)",
    "wait": "await self.gather(...) or await self.first_of(...)",
    "wait_for": "await self.wait_for(..., timeout=...)",
    "timeout": "await self.wait_for(..., timeout=...)",
    **dict.fromkeys(("create_task", "ensure_future"), "self.start(...)"),
    "to_thread": "await self.activity(...)",
    **dict.fromkeys(("run", "new_event_loop", "get_event_loop", "get_running_loop"), "await self.activity(...)"),
}
_THE_TIME = [
    f"{name}{unit}"
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")
    for unit in ("", "_ns")
    if hasattr(time, f"{name}{unit}")
]
_ASYNC_CALLS: list[tuple[Any, Barred]] = [
    (getattr(asyncio, name), Barred(f"asyncio.{name}", instead)) for name, instead in _ASYNC.items()
]
#: The hidden generator of the module: every function of `random` ends in one of its methods. Others, such as those that
#: `self.random()` gives, are free.
_GENERATOR: Any = random.random.__self__  # type: ignore[attr-defined]

#: Functions written in C, by name: whose they are (a module, an object, a class with its subclasses).
_BUILTINS: dict[str, tuple[object, Barred]] = {
    **{name: (time, Barred(f"time.{name}", "self.now()")) for name in _THE_TIME},
    "sleep": (time, Barred("time.sleep", _ASYNC["sleep"])),
    "now": (datetime, Barred("datetime.now", "self.now()")),
    "utcnow": (datetime, Barred("datetime.utcnow", "self.now()")),
    "today": (date, Barred("date.today", "self.now().date()")),
    **{
        name: (_GENERATOR, Barred(f"random.{name}", "self.random()"))
        for name in ("random", "getrandbits", "seed", "setstate")
    },
    "urandom": (sys.modules[os.urandom.__module__], Barred("os.urandom", "self.random(), or an activity for secrets")),
    **{call.__name__: (call.__self__, barred) for call, barred in _ASYNC_CALLS if not isinstance(call, FunctionType)},
}
#: Functions written in Python, by the identity of their code (its hash is slow).
_FUNCTIONS: dict[int, tuple[CodeType, Barred]] = {
    id(call.__code__): (call.__code__, barred)
    for call, barred in [
        (uuid.uuid1, Barred("uuid.uuid1", "self.uuid4()")),
        (uuid.uuid4, Barred("uuid.uuid4", "self.uuid4()")),
        (threading.Thread.start, Barred("threading.Thread.start", "self.start(...) or await self.gather(...)")),
        (timezone.now, Barred("django.utils.timezone.now", "self.now()")),
        (clock.now, Barred("workflows.clock.now", "self.now()")),
        *_ASYNC_CALLS,
    ]
    if isinstance(call, FunctionType)
}
#: Modules that pass on: what is called through them, their caller calls.
_THROUGH = frozenset(
    {"random", "secrets", "uuid", "concurrent.futures.thread", "django.utils.timezone", clock.__name__}
)
_ENGINE = __name__.partition(".")[0]
_INSTALLED = frozenset({"site-packages", "dist-packages"})


# --- The database ----------------------------------------------------------------------------------------------------


def _refuse_query(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    bar_workflow_code("workflow code queried the database; read in an activity and take the result from the step")
    return execute(sql, params, many, context)


def bar_database() -> None:
    """Bar every connection of this thread for workflow code, once; all other code passes."""
    for alias in connections:
        # Looked up one by one: `all()` costs as much as everything else that is done when a fact is delivered.
        wrappers = connections[alias].execute_wrappers
        if _refuse_query not in wrappers:
            wrappers.append(_refuse_query)


# --- Clock, chance, threads, event loops -----------------------------------------------------------------------------


@contextmanager
def watched() -> Iterator[None]:
    """Put around everything that runs workflow code: what it may not touch raises NonDeterminismError.

    The error names the call and the allowed one, and holds the run even if the code catches it. Other code that runs
    meanwhile in this thread is not disturbed.
    """
    bar_database()
    before = sys.getprofile()
    if not conf.engine().guard or before is _watch:
        yield
    elif before is None or isinstance(before, FunctionType | MethodType):
        sys.setprofile(_watch if before is None else _beside(before))
        try:
            yield
        finally:
            sys.setprofile(before)
    else:
        yield


def _beside(other: Watcher) -> Watcher:
    def watch(frame: FrameType, event: str, arg: Any) -> None:
        other(frame, event, arg)
        _watch(frame, event, arg)

    return watch


def _watch(frame: FrameType, event: str, arg: Any) -> None:
    """The profile function: it runs at every call, so most calls must leave it at the first look."""
    if event == "c_call":
        builtin = _BUILTINS.get(arg.__name__)
        if builtin is not None and workflow_code.get() is not None and _belongs(arg.__self__, builtin[0]):
            _judge(builtin[1], frame)
    elif event == "call":
        function = _FUNCTIONS.get(id(frame.f_code))
        if function is not None and workflow_code.get() is not None:
            _judge(function[1], frame.f_back)


def _belongs(bound: object, owner: object) -> bool:
    return bound is owner or (isinstance(owner, type) and isinstance(bound, type) and issubclass(bound, owner))


def _judge(barred: Barred, caller: FrameType | None) -> None:
    """Raise NonDeterminismError if an author's code makes this call, directly or through a module that passes on."""
    call = barred.call
    while caller is not None and (module := _module_of(caller)) in _THROUGH:
        call = f"{module}.{caller.f_code.co_name}"
        caller = caller.f_back
    if caller is None or not _is_authors(_module_of(caller), caller.f_code.co_filename) or _is_excused(caller):
        return
    bar_workflow_code(f"{call}() in workflow code; use {barred.instead}")


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


@cache
def _is_authors(module: str, filename: str) -> bool:
    package = module.partition(".")[0]
    inside = package == _ENGINE or package in sys.stdlib_module_names
    return not inside and _INSTALLED.isdisjoint(PurePath(filename).parts)


def _is_excused(frame: FrameType | None) -> bool:
    """Whether a side effect runs, whose result is recorded, or the writing of a log record, which decides nothing."""
    while frame is not None:
        if frame.f_code is Workflow.side_effect.__code__ or _module_of(frame) == "logging":
            return True
        frame = frame.f_back
    return False

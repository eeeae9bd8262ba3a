"""In tests and dev, workflow code that asks for clock, chance, threads or an event loop is told the allowed call."""

from __future__ import annotations

import asyncio
import cProfile
import datetime as datetimes
import inspect
import logging
import os
import pstats
import random
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from time import time as renamed_time
from types import FrameType
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from tests.workflows import effects
from tests.workflows.cast import NOW, write
from tests.workflows.views import sound
from workflows import Workflow, activity, clock, operations, queries
from workflows.testing import WorkflowEnvironment

#: What the code does; put there by a test.
TOUCH: list[Callable[[Workflow[Any]], Any]] = []


class WatchedWorkflow(Workflow[str]):
    """Does what the test put there, right away or after a step, and swallows what it is told."""

    async def execute(self, after_step: bool = False) -> str:
        if after_step:
            await self.activity(write, label="a")
        try:
            outcome = TOUCH[0](self)
            return str(await outcome if inspect.isawaitable(outcome) else outcome)
        except Exception:
            return "went on all the same"


def hold_of(env: WorkflowEnvironment, touch: Callable[[Workflow[Any]], Any], *, after_step: bool = False) -> str:
    """The message with which the run is held."""
    TOUCH[:] = [touch]
    run = env.start(WatchedWorkflow, after_step)

    env.skip(NOW)

    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "nondeterminism")
    assert held.error is not None
    sound(run.id)
    return str(held.error["message"])


def result_of(env: WorkflowEnvironment, touch: Callable[[Workflow[Any]], Any]) -> str:
    TOUCH[:] = [touch]
    return str(env.run(WatchedWorkflow))


class Moment(datetime):
    """A datetime of an author's own."""


@dataclass
class Stamped:
    """A value that asks for its id when it is made."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)


#: What is called, how the message names it, and what it says is allowed.
BARRED: list[tuple[str, str, Callable[[], Any]]] = [
    ("time.time", "self.now()", time.time),
    ("time.time", "self.now()", renamed_time),
    ("time.time_ns", "self.now()", time.time_ns),
    ("time.monotonic", "self.now()", time.monotonic),
    ("time.perf_counter", "self.now()", time.perf_counter),
    ("time.sleep", "self.sleep(", lambda: time.sleep(3600)),
    ("datetime.now", "self.now()", datetime.now),
    ("datetime.now", "self.now()", lambda: datetimes.datetime.now(UTC)),
    ("datetime.now", "self.now()", lambda: Moment.now(UTC)),
    ("datetime.utcnow", "self.now()", lambda: datetime.utcnow()),
    ("date.today", "self.now()", lambda: date.today()),
    ("date.today", "self.now()", lambda: datetime.today()),
    ("django.utils.timezone.now", "self.now()", timezone.now),
    ("django.utils.timezone.localdate", "self.now()", timezone.localdate),
    ("workflows.clock.now", "self.now()", clock.now),
    ("random.random", "self.random()", random.random),
    ("random.randint", "self.random()", lambda: random.randint(1, 6)),
    ("random.choice", "self.random()", lambda: random.choice("abc")),
    ("random.shuffle", "self.random()", lambda: random.shuffle([1, 2, 3])),
    ("random.uniform", "self.random()", lambda: random.uniform(0, 1)),
    ("random.seed", "self.random()", lambda: random.seed(1)),
    ("uuid.uuid4", "self.uuid4()", uuid.uuid4),
    ("uuid.uuid4", "self.uuid4()", Stamped),
    ("uuid.uuid1", "self.uuid4()", uuid.uuid1),
    ("os.urandom", "activity", lambda: os.urandom(8)),
    ("secrets.token_hex", "activity", secrets.token_hex),
    ("secrets.token_urlsafe", "activity", secrets.token_urlsafe),
    ("random.choice", "activity", lambda: secrets.choice("abc")),
    ("random.random", "activity", lambda: random.SystemRandom().random()),
    ("threading.Thread.start", "self.start(", lambda: threading.Thread(target=effects.write, args=("thread",)).start()),
    ("threading.Thread.start", "self.start(", lambda: threading.Timer(0, effects.write, ("timer",)).start()),
    ("concurrent.futures.thread.submit", "self.start(", lambda: ThreadPoolExecutor().submit(effects.write, "pool")),
    ("asyncio.sleep", "self.sleep(", lambda: asyncio.sleep(3600)),
    ("asyncio.gather", "self.gather(", asyncio.gather),
    ("asyncio.get_event_loop", "self.activity(", asyncio.get_event_loop),
    ("asyncio.get_running_loop", "self.activity(", asyncio.get_running_loop),
    ("asyncio.create_task", "self.start(", lambda: asyncio.create_task(asyncio.Event().wait())),
    ("asyncio.new_event_loop", "self.activity(", asyncio.new_event_loop),
]


@pytest.mark.parametrize(("call", "allowed", "touch"), BARRED)
def test_a_call_that_replay_cannot_repeat_holds_the_run_and_names_the_allowed_one(
    workflow_env: WorkflowEnvironment, call: str, allowed: str, touch: Callable[[], Any]
) -> None:
    message = hold_of(workflow_env, lambda _: touch())

    assert message.startswith(f"{call}() in workflow code; use ")
    assert allowed in message
    assert effects.labels() == []


def test_an_event_loop_is_refused_before_it_runs_anything(workflow_env: WorkflowEnvironment) -> None:
    async def effect() -> None:
        effects.write("in the loop")

    coroutine = effect()

    message = hold_of(workflow_env, lambda _: asyncio.run(coroutine))

    coroutine.close()
    assert "asyncio.run()" in message
    assert effects.labels() == []


def test_a_call_after_a_step_keeps_what_the_step_did(workflow_env: WorkflowEnvironment) -> None:
    assert "time.time()" in hold_of(workflow_env, lambda _: time.time(), after_step=True)
    assert effects.labels() == ["a"]


def test_code_that_asks_for_the_time_on_replay_alone_holds_the_run(workflow_env: WorkflowEnvironment) -> None:
    TOUCH[:] = [lambda _: "no clock"]
    run = workflow_env.start(AskingWorkflow)
    workflow_env.skip(NOW)
    TOUCH[:] = [lambda _: time.time()]
    workflow_env.restart()

    workflow_env.skip(AskingWorkflow.patience)

    held = queries.get_run(run.id)
    assert held.hold_reason == "nondeterminism"
    assert held.error is not None
    assert "time.time()" in held.error["message"]


@activity(name="guarded.fail_once")
def fail_once(*, label: str) -> None:
    """Fails at first, so that its run waits between two attempts."""
    effects.write(label)
    if effects.count(label) < 2:
        raise RuntimeError("not yet")


class AskingWorkflow(Workflow[str]):
    """Does what the test put there, then a step that waits for its second attempt."""

    patience = datetimes.timedelta(minutes=1)

    async def execute(self) -> str:
        asked = TOUCH[0](self)
        await self.activity(fail_once, label="asking")
        return str(asked)


def test_the_run_goes_on_once_the_code_is_right(workflow_env: WorkflowEnvironment) -> None:
    TOUCH[:] = [lambda _: time.time()]
    run = workflow_env.start(WatchedWorkflow, True)
    workflow_env.skip(NOW)

    TOUCH[:] = [lambda workflow: workflow.now().isoformat()]
    operations.resume_run(run.id, reason="deployed")

    assert workflow_env.finish(run.id) == workflow_env.now.isoformat()
    assert effects.labels() == ["a"]


def wait_for_the_clock(workflow: Workflow[Any]) -> Any:
    return workflow.wait_for(lambda: time.time() > 0)


async def ask_in_a_branch(workflow: Workflow[Any]) -> Any:
    async def branch() -> float:
        return time.time()

    return await workflow.gather(branch(), branch())


@pytest.mark.parametrize("touch", [wait_for_the_clock, ask_in_a_branch])
def test_conditions_and_branches_are_workflow_code_too(
    workflow_env: WorkflowEnvironment, touch: Callable[[Workflow[Any]], Any]
) -> None:
    assert "time.time()" in hold_of(workflow_env, touch)


# --- What is allowed -------------------------------------------------------------------------------------------------


def ask_an_own_generator(workflow: Workflow[Any]) -> float:
    generator = workflow.random()
    generator.shuffle([1, 2, 3])
    return generator.random() + generator.randint(1, 6)


def log_by_a_logger_of_the_module(workflow: Workflow[Any]) -> None:
    logging.getLogger(__name__).warning("a record takes the time")
    workflow.log.warning("so does this one")


ALLOWED: list[Callable[[Workflow[Any]], Any]] = [
    lambda workflow: workflow.now(),
    lambda workflow: workflow.uuid4(),
    lambda workflow: workflow.side_effect(lambda: str(uuid.uuid4())),
    lambda workflow: workflow.side_effect(lambda: datetime.now(UTC).isoformat()),
    lambda workflow: workflow.side_effect(partial(random.randint, 1, 6)),
    ask_an_own_generator,
    log_by_a_logger_of_the_module,
    lambda _: random.Random(5).random(),
    lambda _: uuid.UUID(int=1),
    lambda _: uuid.uuid5(uuid.NAMESPACE_URL, "finaegis"),
    lambda _: datetime.fromtimestamp(0, UTC),
    lambda _: timezone.localdate(datetime(2026, 1, 5, tzinfo=UTC)),
    lambda _: threading.Thread(target=effects.write),
    lambda _: asyncio.iscoroutinefunction(write),
]


@pytest.mark.parametrize("touch", ALLOWED)
def test_what_replay_repeats_is_free(workflow_env: WorkflowEnvironment, touch: Callable[[Workflow[Any]], Any]) -> None:
    assert result_of(workflow_env, touch) != "went on all the same"


class ClockHandler(logging.Handler):
    """A handler of a project's own, which asks for the time."""

    def emit(self, record: logging.LogRecord) -> None:
        record.at = clock.now()


def test_a_log_handler_may_ask_for_the_time(workflow_env: WorkflowEnvironment) -> None:
    logger, handler = logging.getLogger("tests.guard"), ClockHandler()
    logger.addHandler(handler)
    try:
        assert result_of(workflow_env, lambda _: logger.warning("with the time")) == "None"
    finally:
        logger.removeHandler(handler)


@activity(name="guarded.ask_everything")
def ask_everything() -> str:
    started = threading.Thread(target=random.random)
    started.start()
    started.join()
    return f"{time.time()} {datetime.now(UTC)} {random.random()} {uuid.uuid4()} {asyncio.run(asyncio.sleep(0))}"


def test_an_activity_may_ask_for_anything(workflow_env: WorkflowEnvironment) -> None:
    asked = result_of(workflow_env, lambda workflow: workflow.activity(ask_everything))

    assert asked != "went on all the same"


def test_code_around_the_workflow_may_ask_for_anything(workflow_env: WorkflowEnvironment) -> None:
    hold_of(workflow_env, lambda _: time.time())

    assert time.time() > 0
    assert sys.getprofile() is None


def test_without_the_setting_nothing_but_the_database_is_barred(
    workflow_env: WorkflowEnvironment, settings: Settings
) -> None:
    settings.WORKFLOWS = {**settings.WORKFLOWS, "GUARD": False}

    assert float(result_of(workflow_env, lambda _: time.time())) > 0
    assert result_of(workflow_env, lambda _: sys.getprofile()) == "None"
    assert "queried the database" in hold_of(workflow_env, lambda _: effects.labels())


# --- Beside others ---------------------------------------------------------------------------------------------------


def test_a_profile_function_sees_the_calls_and_is_there_afterwards(workflow_env: WorkflowEnvironment) -> None:
    seen: list[str] = []

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            seen.append(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        message = hold_of(workflow_env, lambda _: time.time())
        after = sys.getprofile()
    finally:
        sys.setprofile(None)

    assert "time.time()" in message
    assert after is profile
    assert "execute" in seen


def test_a_profiler_written_in_c_is_left_alone_and_the_database_stays_barred(workflow_env: WorkflowEnvironment) -> None:
    profiler = cProfile.Profile()
    with profiler:
        asked = result_of(workflow_env, lambda _: time.time())
        message = hold_of(workflow_env, lambda _: effects.labels())

    names = {name for _, _, name in pstats.Stats(profiler).stats}  # type: ignore[attr-defined]
    assert float(asked) > 0
    assert "queried the database" in message
    assert {"execute", "finish"} <= names


def test_a_tracer_goes_on_tracing(workflow_env: WorkflowEnvironment) -> None:
    """Coverage and debuggers trace."""
    seen: set[str] = set()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        seen.add(frame.f_code.co_name)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        message = hold_of(workflow_env, lambda _: time.time())
        after = sys.gettrace()
    finally:
        sys.settrace(before)

    assert "time.time()" in message
    assert after is trace
    assert "execute" in seen


@pytest.mark.parametrize("touch", [time.time, lambda: datetime.now(UTC), lambda: date.today(), uuid.uuid4])
def test_a_clock_that_a_test_moves_is_barred_too(workflow_env: WorkflowEnvironment, touch: Callable[[], Any]) -> None:
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=UTC)):
        message = hold_of(workflow_env, lambda _: touch())

    assert "in workflow code; use self." in message

"""SEMANTICS A4, B10: a cancel is raised once, at the await where the code stands, whatever it awaits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.core.flows import ProbeWorkflow, labels, other_step, probe, step
from tests.core.memory import MemoryRun
from workflows import Cancelled
from workflows.core.commands import CancelStep
from workflows.core.machine import Finished

pytestmark = pytest.mark.usefixtures("runs_replay")

HOUR = timedelta(hours=1)


async def steps_of(workflow: ProbeWorkflow) -> None:
    await workflow.activity(step, label="in a branch")


AWAITS: dict[str, Callable[[ProbeWorkflow], Any]] = {
    "an activity": lambda workflow: workflow.activity(step, label="a"),
    "a started activity": lambda workflow: workflow.start(step, label="a"),
    "a timer": lambda workflow: workflow.sleep(HOUR),
    "a moment": lambda workflow: workflow.sleep_until(datetime(2030, 1, 1, tzinfo=UTC)),
    "a wait": lambda workflow: workflow.wait_for(lambda: False),
    "a wait with a time": lambda workflow: workflow.wait_for(lambda: False, timeout=HOUR),
    "a gather of steps": lambda workflow: workflow.gather(*(workflow.activity(step, label=name) for name in "ab")),
    "a gather of branches": lambda workflow: workflow.gather(steps_of(workflow), steps_of(workflow)),
    "a tolerant gather": lambda workflow: workflow.gather(steps_of(workflow), steps_of(workflow), return_failures=True),
    "a throttled gather": lambda workflow: workflow.gather(steps_of(workflow), steps_of(workflow), max_parallel=1),
    "a race": lambda workflow: workflow.first_of(workflow.activity(step, label="a"), workflow.sleep(HOUR)),
    "a race of branches": lambda workflow: workflow.first_of(steps_of(workflow), steps_of(workflow)),
    "a gather of races": lambda workflow: workflow.gather(workflow.first_of(steps_of(workflow), workflow.sleep(HOUR))),
    "a plan": lambda workflow: workflow.compensate(),
}


def waiting_at(what: str) -> MemoryRun:
    """A run that awaits this, catches what it meets and tidies up with a step."""

    async def body(workflow: ProbeWorkflow) -> str:
        met = "nothing"
        try:
            await AWAITS[what](workflow)
        except Cancelled:
            met = "Cancelled"
        await workflow.activity(other_step, label="tidy")
        return f"met {met}"

    run = probe(body)
    run.start()
    return run


def begun_steps(run: MemoryRun) -> list[int]:
    """Let every open activity begin; gives their numbers."""
    steps = [handle.command.seq for handle in run.machine.open_steps if handle.command and handle.activity]
    for seq in steps:
        run.begin(seq)
    return steps


@pytest.mark.parametrize("what", AWAITS)
def test_a_cancel_is_raised_at_the_await_and_gives_up_what_has_not_started(what: str) -> None:
    run = waiting_at(what)
    open_before = {handle.command.seq for handle in run.machine.open_steps if handle.command}

    commands = run.cancel()

    assert {command.seq for command in commands if isinstance(command, CancelStep)} == open_before
    assert labels(commands) == ["tidy"]
    (tidy,) = run.machine.steps
    run.complete(tidy)
    assert run.machine.finished == Finished(result="met Cancelled")


@pytest.mark.parametrize("what", AWAITS)
def test_a_second_cancel_disturbs_no_clean_up(what: str) -> None:
    run = waiting_at(what)
    run.cancel()

    assert run.cancel() == []

    (tidy,) = run.machine.steps
    run.complete(tidy)
    assert run.machine.finished == Finished(result="met Cancelled")


@pytest.mark.parametrize("what", [what for what in AWAITS if "gather" in what or "race" in what])
def test_members_that_have_started_are_settled_before_the_cancel_is_raised(what: str) -> None:
    run = waiting_at(what)
    started = begun_steps(run)

    assert labels(run.cancel()) == []
    for seq in started:
        last = run.complete(seq, "late")

    assert labels(last) == ["tidy"]


@pytest.mark.parametrize("what", ["an activity", "a started activity", "a plan"])
def test_a_lone_step_that_has_started_does_not_keep_the_cancel_waiting(what: str) -> None:
    run = waiting_at(what)
    run.begin(1)

    assert labels(run.cancel()) == ["tidy"]
    run.complete(2)
    assert run.machine.finished is None
    run.complete(1, "late")

    assert run.machine.finished == Finished(result="met Cancelled")


@pytest.mark.parametrize("what", AWAITS)
def test_a_cancel_that_is_not_caught_ends_the_run_as_cancelled(what: str) -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        await AWAITS[what](workflow)

    run = probe(body)
    run.start()
    run.cancel()

    assert run.machine.finished is not None
    assert run.machine.finished.cancelled
    assert run.machine.finished.error is not None
    assert run.machine.finished.error["code"] == "cancelled"


def test_a_cancel_reaches_the_code_that_stands_between_gathers_branches() -> None:
    """Each branch meets Cancelled once, also one that is deep inside."""
    met: list[str] = []

    async def leaf(workflow: ProbeWorkflow, name: str) -> None:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            met.append(name)
            raise

    async def inner(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.gather(leaf(workflow, "a"), leaf(workflow, "b"))
        except Cancelled:
            met.append("inner")
            raise

    async def body(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.gather(inner(workflow), leaf(workflow, "c"))
        except Cancelled:
            met.append("root")
            raise

    run = probe(body)
    run.start()
    run.cancel()

    assert sorted(met) == ["a", "b", "c", "inner", "root"]


def test_returning_normally_after_a_cancel_is_an_ordinary_end() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            return "finished early"
        return "finished"

    run = probe(body)
    run.start()
    run.cancel()

    assert run.machine.finished == Finished(result="finished early")


def test_another_error_raised_after_a_cancel_is_a_failure() -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            raise ValueError("the clean-up failed") from None

    run = probe(body)
    run.start()
    run.cancel()

    assert run.machine.finished is not None
    assert not run.machine.finished.cancelled


def test_a_cancel_after_the_code_has_ended_changes_nothing() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return "done"

    run = probe(body)
    run.start()
    run.begin(1)
    run.complete(2)

    assert run.cancel() == []
    run.complete(1)
    assert run.machine.finished == Finished(result="done")


# --- The run's time is over ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", AWAITS)
def test_a_time_out_of_the_run_raises_nothing_and_asks_for_nothing(what: str) -> None:
    run = waiting_at(what)

    commands = run.time_out()

    assert all(isinstance(command, CancelStep) for command in commands)
    assert run.machine.finished is not None
    assert run.machine.finished.timed_out
    assert run.machine.finished.error is not None
    assert run.machine.finished.error["code"] == "run_timed_out"


@pytest.mark.parametrize("what", AWAITS)
def test_a_time_out_of_the_run_waits_for_what_has_started(what: str) -> None:
    run = waiting_at(what)
    started = [
        handle.command.seq for handle in run.machine.open_steps if handle.activity is not None and handle.command
    ]
    for seq in started:
        run.begin(seq)
    run.time_out()

    for seq in started:
        assert run.machine.finished is None
        run.complete(seq)

    assert run.machine.finished is not None
    assert run.machine.finished.timed_out


def test_a_time_out_after_the_code_has_ended_changes_nothing() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return "done"

    run = probe(body)
    run.start()
    run.begin(1)
    run.complete(2)
    run.time_out()
    run.complete(1)

    assert run.machine.finished == Finished(result="done")

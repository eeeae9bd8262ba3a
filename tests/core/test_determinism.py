"""DESIGN promise 7: replay is checked; what no longer matches is named, expected and found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest

from tests.core.flows import BODIES, ProbeWorkflow, SequenceWorkflow, other_step, probe, step, undo_step
from tests.core.memory import MemoryRun
from workflows import NonDeterminismError, Workflow
from workflows.core.replay import plan_replay


async def two_steps(workflow: ProbeWorkflow) -> None:
    """The code that wrote the history."""
    await workflow.activity(step, label="a")
    await workflow.activity(step, label="b")


@pytest.fixture
def run() -> MemoryRun:
    """Two steps asked for, the first completed."""
    run = probe(two_steps)
    run.start()
    run.begin(1)
    run.complete(1, "done")
    run.begin(2)
    return run


def change(run: MemoryRun, body: Callable[[ProbeWorkflow], Any]) -> None:
    """The code as it is after a deploy."""
    BODIES["two_steps"] = body


def mismatch(run: MemoryRun) -> tuple[str | None, str | None]:
    """(expected, found) of the error that replay raises."""
    with pytest.raises(NonDeterminismError) as raised:
        run.replayed()
    assert raised.value.code == "nondeterminism"
    return raised.value.expected, raised.value.found


def test_the_same_code_replays_and_stands_where_it_stood(run: MemoryRun) -> None:
    machine = run.replayed()

    assert [handle.command.seq for handle in machine.open_steps if handle.command] == [2]
    assert machine.open_steps[0].started


def test_another_activity_is_a_mismatch_naming_both(run: MemoryRun) -> None:
    async def renamed(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="a")
        await workflow.activity(other_step, label="b")

    change(run, renamed)

    assert mismatch(run) == ("schedule activity flows.step", "schedule activity flows.other_step")


def test_a_step_put_in_is_a_mismatch(run: MemoryRun) -> None:
    async def longer(workflow: ProbeWorkflow) -> None:
        await workflow.side_effect(lambda: 1)
        await two_steps(workflow)

    change(run, longer)

    assert mismatch(run) == ("schedule activity flows.step", "side effect <lambda>")


def test_a_step_left_out_is_a_mismatch(run: MemoryRun) -> None:
    async def shorter(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="a")

    change(run, shorter)

    assert mismatch(run) == ("schedule activity flows.step", "the end of the workflow")


def test_a_command_less_without_an_end_is_a_mismatch(run: MemoryRun) -> None:
    run = probe(tracking)
    run.start()

    async def silent(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="a")

    BODIES["tracking"] = silent

    assert mismatch(run) == ("track seen", "schedule activity flows.step")


async def tracking(workflow: ProbeWorkflow) -> None:
    workflow.track("seen")
    await workflow.activity(step, label="a")


def test_a_command_more_is_a_mismatch(run: MemoryRun) -> None:
    async def eager(workflow: ProbeWorkflow) -> None:
        await workflow.gather(workflow.activity(step, label="a"), workflow.activity(other_step, label="b"))

    change(run, eager)

    assert mismatch(run) == ("nothing", "schedule activity flows.other_step")


def test_an_undo_registered_since_is_a_mismatch(run: MemoryRun) -> None:
    async def careful(workflow: ProbeWorkflow) -> None:
        workflow.add_compensation(undo_step, label="a")
        await two_steps(workflow)

    change(run, careful)

    assert mismatch(run) == ("schedule activity flows.step", "add compensation flows.undo_step")


def test_other_arguments_are_a_logged_warning_only(run: MemoryRun, caplog: pytest.LogCaptureFixture) -> None:
    async def relabelled(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="changed")
        await workflow.activity(step, label="b")

    change(run, relabelled)

    with caplog.at_level(logging.WARNING, logger="workflows.replay"):
        machine = run.replayed()

    assert len(machine.open_steps) == 1
    (record,) = caplog.records
    assert "arguments of 'schedule activity flows.step' differ" in record.message
    assert "changed" not in record.message


def test_equal_arguments_warn_of_nothing(run: MemoryRun, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="workflows.replay"):
        run.replayed()

    assert caplog.records == []


def test_a_mismatch_that_the_code_catches_is_raised_all_the_same(run: MemoryRun) -> None:
    async def careless(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.activity(other_step, label="a")
        except Exception:
            await workflow.activity(step, label="a")
        await workflow.activity(step, label="b")

    change(run, careless)

    assert mismatch(run) == ("schedule activity flows.step", "schedule activity flows.other_step")


def test_a_fact_for_a_step_that_the_code_never_asked_for_is_a_mismatch(run: MemoryRun) -> None:
    with pytest.raises(NonDeterminismError, match="no such step"):
        run.complete(9)


def test_live_code_is_not_compared_with_anything() -> None:
    run = MemoryRun(SequenceWorkflow, steps=2)

    run.start()
    run.complete(1)

    assert run.machine.violation is None
    assert not run.machine.replaying


# --- What workflow code may not touch --------------------------------------------------------------------------------


class Foreign:
    """An awaitable of another library."""

    def __await__(self) -> Generator[str, None, None]:
        yield "a foreign request"


@pytest.mark.parametrize("awaitable", [Foreign, lambda: asyncio.sleep(0)])
def test_awaiting_a_foreign_awaitable_is_refused(awaitable: Callable[[], Any]) -> None:
    async def foreign(workflow: ProbeWorkflow) -> None:
        await awaitable()

    with pytest.raises(NonDeterminismError, match="awaited a foreign"):
        probe(foreign).start()


def test_a_foreign_awaitable_that_the_code_catches_is_refused_all_the_same() -> None:
    async def foreign(workflow: ProbeWorkflow) -> str:
        try:
            await Foreign()
        except NonDeterminismError:
            return "caught"
        return "went on"

    with pytest.raises(NonDeterminismError, match="awaited a foreign str"):
        probe(foreign).start()


def test_awaiting_a_call_of_another_run_is_refused() -> None:
    other = MemoryRun(SequenceWorkflow)
    other.start()

    async def borrowing(workflow: ProbeWorkflow) -> None:
        await other.machine.steps[1]

    with pytest.raises(NonDeterminismError, match="awaited a foreign StepHandle"):
        probe(borrowing).start()


def test_an_activity_called_directly_in_workflow_code_is_refused_and_told_how_to_call_it() -> None:
    async def direct(workflow: ProbeWorkflow) -> None:
        step(label="a")

    with pytest.raises(NonDeterminismError, match=r"await self\.activity\(step, \.\.\.\)"):
        probe(direct).start()


def test_a_direct_call_that_the_code_catches_is_refused_all_the_same() -> None:
    async def direct(workflow: ProbeWorkflow) -> str:
        try:
            step(label="a")
        except Exception:
            return "caught"
        return "went on"

    with pytest.raises(NonDeterminismError):
        probe(direct).start()


def test_the_constructor_of_a_workflow_is_workflow_code_too() -> None:
    class ConstructedWorkflow(Workflow[Any]):
        name = "determinism.Constructed"

        def __init__(self) -> None:
            step(label="a")

        async def execute(self) -> None: ...

    with pytest.raises(NonDeterminismError):
        MemoryRun(ConstructedWorkflow).start()


def test_after_workflow_code_an_activity_may_be_called_again() -> None:
    MemoryRun(SequenceWorkflow).start()

    assert step(label="a") is None


# --- Order of delivery -----------------------------------------------------------------------------------------------


def test_replay_delivers_in_the_recorded_order_whatever_the_steps_numbers() -> None:
    seen: list[str] = []

    async def watched(workflow: ProbeWorkflow) -> None:
        async def follow(label: str) -> None:
            seen.append(await workflow.activity(step, label=label))

        await workflow.gather(follow("a"), follow("b"), follow("c"))

    run = probe(watched)
    run.start()
    for seq in (3, 1, 2):
        run.complete(seq, f"result {seq}")
    live, seen[:] = list(seen), []

    run.replayed()

    assert live == seen == ["result 3", "result 1", "result 2"]


def test_a_fact_that_was_recorded_but_not_delivered_waits(run: MemoryRun) -> None:
    run.events.pop()
    cancel = run.record("CancelRequested", {"actor": "ada", "reason": "stop"})

    plan = plan_replay(run.events)

    assert plan.undelivered == [cancel]
    assert not run.replayed().cancel_delivered


@pytest.mark.parametrize("mark", ["too_late", "ended"])
def test_a_cancel_that_came_too_late_is_never_delivered(run: MemoryRun, mark: str) -> None:
    run.record("CancelRequested", {"actor": "ada", "reason": "stop", mark: True})

    assert plan_replay(run.events).undelivered == []

"""SEMANTICS B7, A4: what `execute` leaves open when it ends is given up, and what has started settles first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.core.flows import ProbeWorkflow, labels, other_step, probe, step
from workflows import ActivityFailed, Cancelled
from workflows.core.commands import CancelStep
from workflows.core.machine import Finished

pytestmark = pytest.mark.usefixtures("runs_replay")

HOUR = timedelta(hours=1)


def test_start_asks_for_the_step_at_once_and_gives_a_handle() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return await handle

    run = probe(body)
    assert labels(run.start()) == ["a", "b"]
    run.complete(1, "A")
    run.complete(2)

    assert run.machine.finished == Finished(result="A")


def test_a_call_that_is_never_awaited_asks_for_nothing() -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        workflow.activity(step, label="a")
        workflow.sleep(HOUR)
        workflow.wait_for(lambda: False)
        workflow.compensate()

    run = probe(body)

    assert run.start() == []
    assert run.machine.finished == Finished()


def test_a_return_gives_up_what_has_not_started() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        workflow.start(step, label="b")
        return "done"

    run = probe(body)

    assert run.start()[2:] == [CancelStep(1, "flows.step"), CancelStep(2, "flows.step")]
    assert run.machine.finished == Finished(result="done")


def test_a_return_waits_for_what_has_started() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return "done"

    run = probe(body)
    run.start()
    run.begin(1)

    assert run.complete(2) == []
    assert run.machine.ended
    assert run.machine.finished is None
    run.complete(1)

    assert run.machine.finished == Finished(result="done")


def test_a_failure_of_what_was_left_open_does_not_change_the_end() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return "done"

    run = probe(body)
    run.start()
    run.begin(1)
    run.complete(2)
    run.fail(1)

    assert run.machine.finished == Finished(result="done")


def test_a_failure_that_leaves_execute_gives_up_what_has_not_started_and_waits_for_the_rest() -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        workflow.start(step, label="started")
        workflow.start(step, label="not started")
        await workflow.activity(step, label="fails")

    run = probe(body)
    run.start()
    run.begin(1)

    assert run.fail(3) == [CancelStep(2, "flows.step")]
    assert run.machine.finished is None
    run.complete(1)

    assert run.machine.finished is not None
    assert run.machine.finished.failed_step == 3


def test_a_failure_that_leaves_execute_stops_new_commands_of_other_branches() -> None:
    """SEMANTICS A4: clean-up of a handler asks for nothing any more."""
    seen: list[str] = []

    class Watching(ProbeWorkflow):
        name = "probe.Watching"

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="fails")

    run = probe(body)
    run.start()
    run.signal("do", label="handler")
    assert seen == []

    assert run.fail(1) == [CancelStep(2, "flows.step")]
    assert run.machine.finished is not None


def test_clean_up_of_branches_that_a_failure_drops_asks_for_nothing() -> None:
    async def stubborn(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.sleep(HOUR)
        finally:
            workflow.track("dropped")
            await workflow.activity(other_step, label="tidy")

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.gather(stubborn(workflow), stubborn(workflow))

    run = probe(body)
    run.start()

    assert run.signal("fail", why="no") == [CancelStep(1, "sleep"), CancelStep(2, "sleep")]
    assert run.machine.finished is not None


def test_a_return_lets_handlers_meet_cancelled_and_tidy_up() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        await workflow.activity(step, label="a")
        return "done"

    run = probe(body)
    run.start()
    run.signal("do", label="handler")

    assert run.complete(1) == [CancelStep(2, "flows.step")]
    assert run.machine.finished == Finished(result="done")


def test_a_failure_that_is_caught_stops_nothing() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        try:
            await workflow.activity(step, label="fails")
        except ActivityFailed:
            return await handle

    run = probe(body)
    run.start()

    assert run.fail(2) == []
    run.complete(1, "A")
    assert run.machine.finished == Finished(result="A")


def test_a_cancelled_that_leaves_execute_lets_branches_tidy_up() -> None:
    """A cancel is no failure: clean-up may still ask for steps (SEMANTICS A4)."""

    async def tidy(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            await workflow.activity(other_step, label="tidy")

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.first_of(workflow.activity(step, label="wins"), workflow.gather(tidy(workflow)))
        await workflow.sleep(HOUR)

    run = probe(body)
    run.start()
    run.complete(1)
    run.cancel()
    assert run.machine.ended
    assert run.machine.finished is None
    run.complete(4)

    assert run.machine.finished is not None
    assert run.machine.finished.cancelled


def test_execute_that_returns_though_a_handle_failed_unheard_is_completed() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return "done"

    run = probe(body)
    run.start()
    run.fail(1, "unheard")
    run.complete(2)

    assert run.machine.finished == Finished(result="done")

"""SEMANTICS B9: what came first counts first, however late anybody looks: facts by effective time, on every replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows.cast import NOW, write
from tests.workflows.improvised import (
    HOUR,
    MINUTE,
    ImprovisedWorkflow,
    TimedWorkflow,
    begin,
    improvise,
    later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries, kinds
from workflows import operations, queries
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


async def confirmation(workflow: ImprovisedWorkflow) -> str:
    """Half an hour to be confirmed."""
    confirmed = await workflow.wait_for(lambda: "confirm" in workflow.heard, timeout=30 * MINUTE)
    await workflow.activity(later, label="after")
    return "confirmed" if confirmed else "timed out"


@pytest.mark.parametrize(
    ("minutes", "outcome"), [(5, "confirmed"), (29, "confirmed"), (31, "timed out"), (45, "timed out")]
)
@pytest.mark.parametrize("other_process", [False, True])
def test_beat_down_for_an_hour_a_confirmation_counts_by_when_it_came(
    workflow_env: WorkflowEnvironment, minutes: int, outcome: str, other_process: bool
) -> None:
    """Begun 10:00, time-out 10:30, beat down 10:00-11:00: 10:05 is confirmed, 10:45 is timed out, on every replay."""
    run = begin(workflow_env, confirmation)
    begun = workflow_env.now
    workflow_env.now = begun + minutes * MINUTE
    operations.signal_run(run.id, "say", "confirm")
    workflow_env.now = begun + HOUR
    if other_process:
        workflow_env.restart()
    workflow_env.skip(NOW)
    workflow_env.restart()
    settle("after")

    assert workflow_env.finish(run.id) == outcome
    assert workflow_env.now == begun + HOUR


def test_a_confirmation_in_the_instant_of_the_time_out_beats_it(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, confirmation)
    workflow_env.now += 30 * MINUTE
    operations.signal_run(run.id, "say", "confirm")
    workflow_env.skip(NOW)
    settle("after")

    assert workflow_env.finish(run.id) == "confirmed"


def test_facts_of_all_kinds_are_taken_in_the_order_they_came(workflow_env: WorkflowEnvironment) -> None:
    order: list[str] = []

    async def sleeper(workflow: ImprovisedWorkflow, minutes: int) -> None:
        await workflow.sleep(minutes * MINUTE)
        order.append(f"timer {minutes}")

    async def step(workflow: ImprovisedWorkflow, label: str) -> None:
        await workflow.activity(later, label=label)
        order.append(f"step {label}")

    async def listening(workflow: ImprovisedWorkflow) -> None:
        for count in (1, 2):
            await workflow.wait_for(lambda count=count: len(workflow.heard) >= count)
            order.append(f"signal {workflow.heard[-1]}")

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(
            sleeper(workflow, 20), sleeper(workflow, 40), step(workflow, "a"), step(workflow, "b"), listening(workflow)
        )

    run = begin(workflow_env, body)
    begun = workflow_env.now
    for minutes, act in (
        (10, lambda: settle("b")),
        (15, lambda: operations.signal_run(run.id, "say", "x")),
        (30, lambda: operations.signal_run(run.id, "say", "y")),
        (35, lambda: settle("a")),
    ):
        workflow_env.now = begun + minutes * MINUTE
        act()
    workflow_env.now = begun + HOUR
    workflow_env.skip(NOW)

    assert order == ["step b", "signal x", "timer 20", "signal y", "step a", "timer 40"]
    assert state(run.id) == "completed"


def test_at_equal_times_facts_come_before_timers(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.first_of(workflow.sleep(HOUR), workflow.activity(later, label="a"))

    run = begin(workflow_env, body)
    workflow_env.now += HOUR
    settle("a")

    assert workflow_env.finish(run.id) == "did a"


@pytest.mark.parametrize(("settled", "outcome"), [(59, "did a"), (61, None)])
def test_a_step_that_settled_before_a_timer_was_due_wins_the_race(
    workflow_env: WorkflowEnvironment, settled: int, outcome: str | None
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.first_of(workflow.sleep(HOUR), workflow.activity(later, label="a"))

    run = begin(workflow_env, body)
    workflow_env.now += settled * MINUTE
    settle("a")
    workflow_env.now += HOUR
    workflow_env.restart()

    assert workflow_env.finish(run.id) == outcome


def test_a_timer_that_is_asked_for_late_does_not_overtake_what_came_meanwhile(
    workflow_env: WorkflowEnvironment,
) -> None:
    """A moment that has passed is due when it is asked for, not before the signals that wait."""
    passed = workflow_env.now + MINUTE

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.sleep(10 * MINUTE)
        await workflow.sleep_until(passed)
        return list(workflow.heard)

    run = begin(workflow_env, body)
    workflow_env.now += 30 * MINUTE
    operations.signal_run(run.id, "say", "meanwhile")
    workflow_env.now += 30 * MINUTE
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == ["meanwhile"]


def test_now_is_when_a_fact_is_delivered_and_never_goes_back(workflow_env: WorkflowEnvironment) -> None:
    seen: list[Any] = []

    async def body(workflow: ImprovisedWorkflow) -> None:
        for minutes in (10, 20):
            await workflow.sleep(minutes * MINUTE)
            seen.append(workflow.now())

    run = begin(workflow_env, body)
    begun = workflow_env.now
    workflow_env.now = begun + HOUR
    workflow_env.skip(NOW)
    workflow_env.now = begun + 2 * HOUR
    workflow_env.skip(NOW)

    assert state(run.id) == "completed"
    assert seen == [begun + HOUR, begun + 2 * HOUR]


def test_what_came_before_the_runs_time_was_over_is_delivered_before_it(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.wait_for(lambda: workflow.heard)
        return "in time"

    in_time = begin(workflow_env, body, TimedWorkflow)
    late = begin(workflow_env, body, TimedWorkflow)
    begun = workflow_env.now
    workflow_env.now = begun + 59 * MINUTE
    operations.signal_run(in_time.id, "say", "go")
    workflow_env.now = begun + 61 * MINUTE
    operations.signal_run(late.id, "say", "go")
    workflow_env.now = begun + 2 * HOUR
    workflow_env.skip(NOW)

    assert (state(in_time.id), state(late.id)) == ("completed", "timed_out")


def test_a_cancel_counts_by_when_it_came(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.sleep(HOUR)
        return await workflow.activity(write, label="a")

    run = begin(workflow_env, body)
    workflow_env.now += HOUR / 2
    operations.cancel_run(run.id, reason="no need")
    workflow_env.now += HOUR
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert "TimerFired" not in kinds(run.id)


def test_a_failure_counts_by_when_it_came(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(later, label="a"), workflow.activity(later, label="b"))

    run = begin(workflow_env, body)
    workflow_env.now += MINUTE
    refuse_later("b")
    workflow_env.now += MINUTE
    refuse_later("a")
    workflow_env.now += MINUTE
    workflow_env.skip(NOW)

    assert [data["seq"] for data in entries(run.id, "StepFailed")] == [2, 1]
    assert "no to b" in str(queries.get_run(run.id).error)


def test_many_facts_that_wait_are_all_delivered(workflow_env: WorkflowEnvironment) -> None:
    """More than one commit takes."""

    async def body(workflow: ImprovisedWorkflow) -> int:
        await workflow.wait_for(lambda: len(workflow.heard) >= 250)
        return len(workflow.heard)

    run = workflow_env.start(ImprovisedWorkflow, improvise(body))
    for number in range(250):
        operations.signal_run(run.id, "say", f"{number:03}")
        workflow_env.now += timedelta(milliseconds=1)
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == 250
    assert operations.query_run(run.id, "words") == [f"{number:03}" for number in range(250)]


def test_a_moment_that_has_passed_does_not_overtake_what_another_commit_brings(
    workflow_env: WorkflowEnvironment,
) -> None:
    passed = workflow_env.now + MINUTE

    async def body(workflow: ImprovisedWorkflow) -> int:
        await workflow.wait_for(lambda: workflow.heard)
        await workflow.sleep_until(passed)
        return len(workflow.heard)

    run = begin(workflow_env, body)
    workflow_env.now += HOUR
    for number in range(150):
        operations.signal_run(run.id, "say", f"{number}")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == 150

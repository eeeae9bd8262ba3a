"""SEMANTICS B9, DESIGN 4.5: timers on rows: never early, all of them, once, whoever wakes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, disturb, make, refuse, write
from tests.workflows.improvised import (
    HOUR,
    MINUTE,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    settle,
    state,
)
from tests.workflows.views import entries, step_statuses
from workflows import operations, queries
from workflows.core.errors import InvalidInput, NotAllowedInState, NotFound, ReasonRequired
from workflows.models import Run, Step
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

TICK = timedelta(microseconds=1)


async def nap(workflow: ImprovisedWorkflow) -> str:
    await workflow.sleep(HOUR)
    return workflow.now().isoformat()


# --- When they fire --------------------------------------------------------------------------------------------------


def test_a_timer_fires_when_it_is_due_and_never_early(workflow_env: WorkflowEnvironment) -> None:
    begun = workflow_env.now
    run = begin(workflow_env, nap)
    workflow_env.skip(HOUR - TICK)
    assert state(run.id) == "waiting"

    workflow_env.skip(TICK)

    assert state(run.id) == "completed"
    assert queries.get_run(run.id).result == (begun + HOUR).isoformat()


def test_a_driver_that_comes_by_early_lets_the_timer_be(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, nap)
    Run.objects.filter(pk=run.id).update(wake_at=workflow_env.now)
    workflow_env.skip(HOUR / 2)

    assert state(run.id) == "waiting"
    assert queries.get_run(run.id).wake_at == workflow_env.now + HOUR / 2


def test_three_days_pass_in_virtual_time(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.sleep(timedelta(days=3))
        return "rested"

    before = workflow_env.now

    assert workflow_env.run(ImprovisedWorkflow, improvise(body)) == "rested"
    assert workflow_env.now == before + timedelta(days=3)


@pytest.mark.parametrize("delay", [timedelta(0), timedelta(days=-1)])
def test_a_sleep_of_nothing_is_over_at_once(workflow_env: WorkflowEnvironment, delay: timedelta) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.sleep(delay)
        return "over"

    run = begin(workflow_env, body)

    assert state(run.id) == "completed"
    assert step_statuses(run.id) == [("sleep", "completed")]


@pytest.mark.parametrize("hours", [-48, 0, 2])
def test_sleep_until_an_instant_in_any_zone_also_one_that_has_passed(
    workflow_env: WorkflowEnvironment, hours: int
) -> None:
    moment = (workflow_env.now + hours * HOUR).astimezone(timezone(timedelta(hours=-5)))

    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.sleep_until(moment)
        return workflow.now().astimezone(UTC).isoformat()

    expected = max(moment, workflow_env.now).astimezone(UTC).isoformat()
    assert workflow_env.run(ImprovisedWorkflow, improvise(body)) == expected


def test_timers_of_one_run_fire_in_the_order_of_their_due_times(workflow_env: WorkflowEnvironment) -> None:
    woke: list[int] = []

    async def sleeper(workflow: ImprovisedWorkflow, hours: int) -> None:
        await workflow.sleep(hours * HOUR)
        woke.append(hours)

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(*(sleeper(workflow, hours) for hours in (3, 1, 2)))

    run = begin(workflow_env, body)
    workflow_env.skip(3 * HOUR)

    assert woke == [1, 2, 3]
    assert [data["seq"] for data in entries(run.id, "TimerFired")] == [2, 3, 1]


def test_after_an_outage_all_that_is_overdue_fires_promptly_once_in_its_order(
    workflow_env: WorkflowEnvironment,
) -> None:
    woke: list[int] = []

    async def sleeper(workflow: ImprovisedWorkflow, hours: int) -> None:
        await workflow.sleep(hours * HOUR)
        woke.append(hours)
        await workflow.activity(write, label=f"{hours}")

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(*(sleeper(workflow, hours) for hours in (5, 3, 4, 30)))

    run = begin(workflow_env, body)
    workflow_env.now += 10 * HOUR
    workflow_env.skip(NOW)

    assert woke == [3, 4, 5]
    assert effects.labels() == ["3", "4", "5"]
    assert {entry.at for entry in queries.get_history(run.id) if entry.kind == "TimerFired"} == {workflow_env.now}


def test_many_timers_due_in_one_instant_all_fire_once(workflow_env: WorkflowEnvironment) -> None:
    runs = [workflow_env.start(ImprovisedWorkflow, improvise(nap)) for _ in range(50)]
    workflow_env.skip(2 * HOUR)

    assert {state(run.id) for run in runs} == {"completed"}
    assert Step.objects.filter(kind="timer", status="completed").count() == 50


def test_a_timer_survives_a_restart(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, nap)
    workflow_env.skip(HOUR / 2)
    workflow_env.restart()
    workflow_env.skip(HOUR / 2)

    assert state(run.id) == "completed"


def test_a_timer_beside_a_step_fires_while_the_step_runs(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(nap(workflow), workflow.activity(later, label="a"))

    run = begin(workflow_env, body)
    workflow_env.skip(2 * HOUR)
    assert len(entries(run.id, "TimerFired")) == 1
    settle("a")

    assert workflow_env.finish(run.id)[1] == "did a"


def test_a_timer_of_a_paused_run_fires_when_it_is_resumed(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, nap)
    operations.pause_run(run.id, reason="look at it")
    workflow_env.skip(3 * HOUR)
    assert state(run.id) == "held (paused)"
    assert entries(run.id, "TimerFired") == []

    operations.resume_run(run.id, reason="seen")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == workflow_env.now.isoformat()


def test_a_cancelled_timer_never_fires(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, nap)
    operations.cancel_run(run.id, reason="no need")
    workflow_env.skip(2 * HOUR)

    assert state(run.id) == "cancelled"
    assert entries(run.id, "TimerFired") == []
    assert step_statuses(run.id) == [("sleep", "cancelled")]


def test_a_retrys_back_off_is_virtual_time_and_never_early(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(disturb, label="a"), workflow.activity(disturb, label="b"))

    begun = workflow_env.now
    run = begin(workflow_env, body)
    assert effects.count("tried a") == 1
    workflow_env.skip(timedelta(seconds=10) - TICK)
    assert effects.count("tried a") == effects.count("tried b") == 1

    assert workflow_env.finish(run.id) == ["did a", "did b"]
    assert timedelta(seconds=30) <= workflow_env.now - begun < timedelta(seconds=33)


# --- A delayed start -------------------------------------------------------------------------------------------------


def test_a_signal_before_a_delayed_start_waits_for_it(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return [list(workflow.heard), workflow.now().isoformat()]

    run = workflow_env.start(ImprovisedWorkflow, improvise(body), delay=HOUR)
    workflow_env.skip(MINUTE)
    operations.signal_run(run.id, "say", "early")
    workflow_env.skip(HOUR - MINUTE - TICK)
    assert state(run.id) == "pending"
    assert queries.get_history(run.id)[-1].kind == "RunStarted"

    workflow_env.skip(TICK)

    assert queries.get_run(run.id).result == [[], workflow_env.now.isoformat()]


def test_what_was_said_before_a_delayed_start_is_heard_by_the_first_wait(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.wait_for(lambda: len(workflow.heard) == 2)
        return workflow.heard

    run = workflow_env.start(ImprovisedWorkflow, improvise(body), delay=HOUR)
    operations.signal_run(run.id, "say", "one")
    workflow_env.skip(MINUTE)
    operations.signal_run(run.id, "say", "two")

    assert workflow_env.finish(run.id) == ["one", "two"]


# --- Moved by an operator --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [-2 * HOUR, -HOUR / 2, HOUR / 2])
def test_a_moved_timer_fires_at_its_new_time_and_not_at_the_old(
    workflow_env: WorkflowEnvironment, by: timedelta
) -> None:
    run = begin(workflow_env, nap)
    due = workflow_env.now + HOUR + by

    operations.move_timer(run.id, 1, due_at=due, actor="ada", reason="the client asked")

    (told,) = entries(run.id, "TimerMoved")
    assert (told["actor"], told["reason"], told["due_at"]) == ("ada", "the client asked", due.isoformat())
    expected = max(due, workflow_env.now)
    workflow_env.skip(max(due - workflow_env.now - TICK, NOW))
    assert state(run.id) == ("completed" if due <= workflow_env.now else "waiting")
    workflow_env.skip(HOUR)
    assert queries.get_run(run.id).result == expected.isoformat()


def test_the_time_of_a_wait_is_moved_too(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.wait_for(lambda: workflow.heard, timeout=HOUR)

    run = begin(workflow_env, body)
    operations.move_timer(run.id, 1, due_at=workflow_env.now + 2 * HOUR, reason="more time")
    workflow_env.skip(HOUR + MINUTE)
    assert state(run.id) == "waiting"
    operations.signal_run(run.id, "say", "go")

    assert workflow_env.finish(run.id) is True


def test_a_timer_of_a_held_run_is_moved_and_fires_when_the_run_goes_on(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, nap)
    operations.pause_run(run.id, reason="look at it")
    operations.move_timer(run.id, 1, due_at=workflow_env.now, reason="at once")
    workflow_env.skip(MINUTE)
    assert state(run.id) == "held (paused)"
    operations.resume_run(run.id, reason="seen")
    workflow_env.skip(NOW)

    assert state(run.id) == "completed"


def test_a_moved_timer_replays_in_another_process(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, nap)
    operations.move_timer(run.id, 1, due_at=workflow_env.now + 5 * HOUR, reason="later")
    workflow_env.restart()
    workflow_env.skip(2 * HOUR)
    assert state(run.id) == "waiting"
    workflow_env.restart()

    workflow_env.finish(run.id)
    assert workflow_env.now == datetime(2026, 1, 5, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(("seq", "due_at", "reason", "error"), [
    (2, datetime(2026, 1, 6, tzinfo=UTC), "r", NotFound),
    (1, datetime(2026, 1, 6), "r", InvalidInput),
    (1, "tomorrow", "r", InvalidInput),
    (1, datetime(2026, 1, 6, tzinfo=UTC), " ", ReasonRequired),
])  # fmt: skip
def test_a_move_that_makes_no_sense_is_refused_and_changes_nothing(
    workflow_env: WorkflowEnvironment, seq: int, due_at: Any, reason: str, error: type[Exception]
) -> None:
    run = begin(workflow_env, nap)
    before = queries.get_history(run.id)

    with pytest.raises(error):
        operations.move_timer(run.id, seq, due_at=due_at, reason=reason)

    assert queries.get_history(run.id) == before


def test_a_timer_that_has_fired_and_one_of_a_closed_run_cannot_be_moved(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep(HOUR)
        await workflow.sleep(HOUR)

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)
    with pytest.raises(NotFound):
        operations.move_timer(run.id, 1, due_at=workflow_env.now + HOUR, reason="again")
    workflow_env.skip(HOUR)

    with pytest.raises(NotAllowedInState):
        operations.move_timer(run.id, 2, due_at=workflow_env.now + HOUR, reason="again")


def test_a_back_off_is_no_timer_to_move(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(disturb, label="a")

    run = begin(workflow_env, body)

    with pytest.raises(NotFound):
        operations.move_timer(run.id, 1, due_at=workflow_env.now, reason="at once")


# --- Beside failure --------------------------------------------------------------------------------------------------


def test_a_timer_that_a_failure_gave_up_is_open_again_after_a_retry(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(nap(workflow), workflow.activity(refuse, label="a"))

    run = begin(workflow_env, body, HeldWorkflow)
    assert step_statuses(run.id)[1] == ("sleep", "cancelled") or step_statuses(run.id)[0] == ("sleep", "cancelled")
    workflow_env.mock(refuse).returns("repaired")
    workflow_env.skip(MINUTE)

    operations.retry_run(run.id, reason="repaired")

    assert workflow_env.finish(run.id)[1] == "repaired"
    assert workflow_env.now == datetime(2026, 1, 5, 13, 0, tzinfo=UTC)


def test_a_timer_is_no_effect_and_has_no_undo(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")
        await workflow.sleep(HOUR)
        await workflow.activity(refuse, label="b")

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)

    assert state(run.id) == "compensated"
    assert [item.undone_activity for item in queries.get_compensation_plan(run.id)] == ["cast.make"]

"""SEMANTICS A5, B7, B8: plans that run while the code lives: `self.compensate()` and losers' undos, beside others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, Disturbed, make, refuse, write
from tests.workflows.improvised import (
    HOUR,
    MINUTE,
    HeldWorkflow,
    ImprovisedWorkflow,
    TimedWorkflow,
    begin,
    later,
    make_later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries, kinds, undone
from workflows import ActivityFailed, Retry, activity, operations, queries, signal
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@activity(name="parallel_plans.slow_undo", retry=Retry(max_attempts=3, initial=600.0, maximum=600.0))
def slow_undo(*, label: str) -> None:
    """An undo that works at its second attempt, ten minutes later."""
    effects.write(f"tried to undo {label}")
    if effects.count(f"tried to undo {label}") < 2:
        raise Disturbed("not yet")


@activity(name="parallel_plans.make_slowly_undone", undo=slow_undo)
def make_slowly_undone(*, label: str) -> str:
    effects.write(label)
    return f"made {label}"


async def undoing(workflow: ImprovisedWorkflow) -> str:
    """Makes something and undoes it, which takes ten minutes."""
    await workflow.activity(make_slowly_undone, label="a")
    await workflow.compensate()
    return "undone"


async def beside(workflow: ImprovisedWorkflow) -> Any:
    return await workflow.gather(undoing(workflow), workflow.activity(later, label="b"))


# --- self.compensate() beside other branches -------------------------------------------------------------------------


def test_what_settles_during_the_plan_is_delivered_after_it(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, beside)
    assert state(run.id) == "compensating"
    settle("b")
    workflow_env.skip(MINUTE)
    assert [data["result"] for data in entries(run.id, "StepCompleted")] == ["made a"]
    workflow_env.skip(HOUR)

    assert queries.get_run(run.id).result == ["undone", "did b"]


def test_a_member_that_fails_during_the_plan_does_not_break_it(workflow_env: WorkflowEnvironment) -> None:
    """The plan ends, its branch meets Cancelled at its next await, the failure is raised once."""
    run = begin(workflow_env, beside)
    refuse_later("b")
    workflow_env.skip(HOUR)

    assert state(run.id) == "compensated"
    assert "no to b" in str(queries.get_run(run.id).error)
    assert effects.count("tried to undo a") == 2


def test_a_member_that_fails_during_the_plan_in_another_process(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, beside)
    refuse_later("b")
    workflow_env.restart()
    workflow_env.skip(HOUR)

    assert state(run.id) == "compensated"
    assert effects.count("tried to undo a") == 2


def test_what_completes_during_the_plan_joins_the_next_plan(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(undoing(workflow), workflow.activity(make_later, label="b"))
        await workflow.activity(refuse, label="c")

    run = begin(workflow_env, body)
    settle("b")
    workflow_env.skip(HOUR)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["a", "b"]
    assert effects.count("undo b") == 1


def test_signals_and_updates_during_the_plan_are_heard_after_it(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await undoing(workflow)
        await workflow.wait_for(lambda: len(workflow.heard) == 2)
        return list(workflow.heard)

    run = begin(workflow_env, body)
    operations.signal_run(run.id, "say", "one")
    assert operations.update_run(run.id, "add", "two", timeout=HOUR) == 2

    assert workflow_env.finish(run.id) == ["one", "two"]


def test_the_runs_time_may_be_over_during_the_plan(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.sleep(HOUR - MINUTE)
        await undoing(workflow)
        return await workflow.activity(write, label="after")

    run = begin(workflow_env, body, TimedWorkflow)
    workflow_env.skip(3 * HOUR)

    assert state(run.id) == "timed_out"
    assert effects.count("tried to undo a") == 2
    assert effects.count("after") == 0


def test_a_timer_that_is_due_during_the_plan_fires_after_it(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(undoing(workflow), workflow.sleep(MINUTE))

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)

    assert queries.get_run(run.id).result == ["undone", None]
    told = kinds(run.id)
    assert told.index("CompensationCompleted") < told.index("TimerFired")


def test_two_branches_may_ask_for_the_plan_at_once(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="x")
        return await workflow.gather(undoing(workflow), undoing(workflow))

    run = begin(workflow_env, body)
    workflow_env.skip(2 * HOUR)

    assert queries.get_run(run.id).result == ["undone", "undone"]
    assert effects.count("undo x") == 1


def test_a_handler_may_ask_for_the_plan(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.activity(make, label="x")
        await workflow.wait_for(lambda: "undone" in workflow.heard)
        return "done"

    class UndoingWorkflow(ImprovisedWorkflow):
        name = "parallel_plans.Undoing"

        @signal
        async def undo_all(self) -> None:
            await self.compensate()
            self.heard.append("undone")

    run = begin(workflow_env, body, UndoingWorkflow)
    operations.signal_run(run.id, "undo_all")

    assert workflow_env.finish(run.id) == "done"
    assert effects.count("undo x") == 1


def test_the_plan_goes_on_in_another_process_and_the_code_after_it(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, beside)
    for _ in range(3):
        workflow_env.restart()
        workflow_env.skip(4 * MINUTE)
    settle("b")

    assert workflow_env.finish(run.id) == ["undone", "did b"]
    assert effects.count("tried to undo a") == 2


def test_the_code_goes_on_waiting_and_working_after_a_plan(workflow_env: WorkflowEnvironment) -> None:
    """A run that is kept in memory after its plan knows that the plan is over."""

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await undoing(workflow)
        await workflow.sleep(HOUR)
        await workflow.activity(make, label="b")
        await workflow.sleep(HOUR)
        await workflow.compensate()
        await workflow.sleep(HOUR)
        return await workflow.activity(write, label="c")

    run = begin(workflow_env, body)

    assert workflow_env.finish(run.id) == "wrote c"
    assert undone(run.id) == ["a", "b"]


def test_a_pause_during_the_plan_holds_it_and_resume_goes_on_with_it(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, beside)
    operations.pause_run(run.id, reason="look at it")
    workflow_env.skip(HOUR)
    assert effects.count("tried to undo a") == 1
    operations.resume_run(run.id, reason="seen")
    workflow_env.skip(NOW)
    settle("b")

    assert workflow_env.finish(run.id) == ["undone", "did b"]


def test_an_undo_that_fails_for_good_holds_and_the_code_goes_on_after_compensate(
    workflow_env: WorkflowEnvironment,
) -> None:
    workflow_env.mock(slow_undo).raises(Disturbed("no")).raises(Disturbed("no")).raises(Disturbed("no")).returns(None)
    run = begin(workflow_env, beside)
    settle("b")
    workflow_env.skip(HOUR)
    assert state(run.id) == "held (compensation_failed)"
    operations.compensate_run(run.id, reason="again")

    assert workflow_env.finish(run.id) == ["undone", "did b"]


# --- A loser's undo beside other branches ----------------------------------------------------------------------------


async def racing(workflow: ImprovisedWorkflow) -> Any:
    loser = make_slowly_undone_later(workflow)
    won = await workflow.first_of(loser, workflow.sleep(HOUR))
    return [won, await workflow.activity(later, label="after")]


def make_slowly_undone_later(workflow: ImprovisedWorkflow) -> Any:
    return workflow.activity(make_later.options(undo=slow_undo), label="a")


def test_facts_that_come_during_a_losers_undo_are_delivered_after_it(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, racing)
    workflow_env.skip(HOUR)
    settle("a")
    workflow_env.skip(MINUTE)
    assert state(run.id) == "compensating"
    settle("after")
    workflow_env.skip(HOUR)

    assert queries.get_run(run.id).result == [None, "did after"]
    assert effects.count("tried to undo a") == 2


@pytest.mark.parametrize("other_process", [False, True])
def test_a_losers_undo_leaves_every_other_undo_alone(workflow_env: WorkflowEnvironment, other_process: bool) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="first")
        await workflow.first_of(workflow.activity(make_later, label="loser"), workflow.sleep(HOUR))
        await workflow.activity(make, label="second")
        return await workflow.activity(later, label="last")

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)
    if other_process:
        workflow_env.restart()
    settle("loser")
    workflow_env.skip(MINUTE)
    if other_process:
        workflow_env.restart()
    settle("last")

    assert workflow_env.finish(run.id) == "did last"
    assert undone(run.id) == ["loser"]
    assert [item.status for item in queries.get_compensation_plan(run.id)] == ["completed", "planned", "planned"]


def test_a_loser_undone_is_not_undone_again_by_the_runs_plan(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="first")
        await workflow.first_of(workflow.activity(make_later, label="loser"), workflow.sleep(HOUR))
        await workflow.activity(later, label="last")

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)
    settle("loser")
    workflow_env.skip(MINUTE)
    refuse_later("last")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["loser", "first"]


def test_a_loser_that_completes_when_the_run_has_failed_is_undone_with_the_rest(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="first")
        await workflow.first_of(workflow.activity(make_later, label="loser"), workflow.sleep(HOUR))
        await workflow.activity(refuse, label="fails")

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)
    assert state(run.id) == "waiting"
    assert effects.count("undo first") == 0
    settle("loser")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["loser", "first"]


def test_a_loser_of_a_held_run_is_undone_when_it_completes(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.first_of(workflow.activity(make_later, label="loser"), workflow.sleep(HOUR))
        return await workflow.activity(later, label="last")

    run = begin(workflow_env, body, HeldWorkflow)
    workflow_env.skip(HOUR)
    refuse_later("last")
    workflow_env.skip(NOW)
    settle("loser")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (failure)"
    assert effects.count("undo loser") == 1
    operations.retry_run(run.id, reason="again")
    workflow_env.skip(NOW)
    settle("last")

    assert workflow_env.finish(run.id) == "did last"
    assert effects.count("undo loser") == 1


# --- Members in a pause ----------------------------------------------------------------------------------------------


def test_members_that_settle_in_a_pause_are_delivered_when_it_ends_and_no_other_begins(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(*(workflow.activity(later, label=label) for label in "abc"), max_parallel=2)

    run = begin(workflow_env, body)
    operations.pause_run(run.id, reason="look at it")
    settle("b")
    settle("a")
    workflow_env.skip(HOUR)
    assert state(run.id) == "held (paused)"
    assert effects.labels() == ["began a", "began b"]
    operations.resume_run(run.id, reason="seen")
    workflow_env.skip(NOW)
    settle("c")

    assert workflow_env.finish(run.id) == ["did a", "did b", "did c"]
    assert [data["seq"] for data in entries(run.id, "StepCompleted")][-1] == 3


def test_two_members_that_fail_before_anybody_looks_are_both_settled(workflow_env: WorkflowEnvironment) -> None:
    """The first failure is raised; the second had settled too, so it is not given up but delivered."""

    async def body(workflow: ImprovisedWorkflow) -> str:
        try:
            await workflow.gather(*(workflow.activity(make_later, label=label) for label in "abc"))
        except ActivityFailed as failure:
            return str(failure.__cause__)
        return "no failure"

    run = begin(workflow_env, body)
    operations.pause_run(run.id, reason="look at it")
    refuse_later("b")
    workflow_env.now += timedelta(seconds=1)
    refuse_later("a")
    settle("c")
    operations.resume_run(run.id, reason="seen")

    assert workflow_env.finish(run.id) == "no to b"
    assert [data["seq"] for data in entries(run.id, "StepFailed")] == [2, 1]
    assert len(entries(run.id, "StepCancelled")) == 0

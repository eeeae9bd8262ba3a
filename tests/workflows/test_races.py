"""SEMANTICS B8: `first_of` on rows: the winner goes on at once, a loser that completed after all is undone at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, disturb_always, fail_to_undo, make, refuse, write
from tests.workflows.improvised import (
    HOUR,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    make_later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries, kinds, step_statuses, undone
from workflows import ActivityFailed, activity, activity_info, operations, queries
from workflows.core.errors import NotAllowedInState
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

DAY = timedelta(days=1)
TOKENS: dict[str, str] = {}


@activity(name="races.stubborn_later", undo=fail_to_undo, timeout=30 * DAY)
def stubborn_later(*, label: str) -> str:
    """Ends when the test says so; its undo fails until the effect `repaired` stands."""
    effects.write(f"began {label}")
    TOKENS[label] = activity_info().complete_later()
    return ""


async def race(workflow: ImprovisedWorkflow) -> Any:
    """A step with an undo against an hour."""
    won = await workflow.first_of(workflow.activity(make_later, label="a"), workflow.sleep(HOUR))
    after = await workflow.activity(later, label="after")
    return [won, after]


# --- The winner ------------------------------------------------------------------------------------------------------


def test_the_winner_goes_on_at_once_and_the_losers_timer_is_cancelled(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, race)
    settle("a")
    workflow_env.skip(NOW)
    assert effects.count("began after") == 1
    settle("after")

    assert workflow_env.finish(run.id) == ["did a", "did after"]
    assert step_statuses(run.id)[1] == ("sleep", "cancelled")
    assert effects.count("undo a") == 0


def test_a_failure_wins_and_is_raised(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        try:
            await workflow.first_of(workflow.activity(later, label="a"), workflow.activity(later, label="b"))
        except ActivityFailed as failure:
            return str(failure.__cause__)
        return "won"

    run = begin(workflow_env, body)
    refuse_later("b")
    workflow_env.skip(NOW)
    settle("a")

    assert workflow_env.finish(run.id) == "no to b"


def test_losers_that_have_not_started_never_run(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.first_of(*(workflow.activity(write, label=label) for label in "abc"))

    assert workflow_env.run(ImprovisedWorkflow, improvise(body)) == "wrote a"
    assert effects.labels() == ["a"]


# --- A loser that completed after all --------------------------------------------------------------------------------


def test_a_loser_that_completes_after_all_is_undone_at_once_though_the_run_goes_on(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begin(workflow_env, race)
    workflow_env.skip(HOUR)
    assert effects.count("began after") == 1
    settle("a")
    workflow_env.skip(NOW)

    assert effects.count("undo a") == 1
    assert state(run.id) == "waiting"
    settle("after")
    assert workflow_env.finish(run.id) == [None, "did after"]
    assert effects.count("undo a") == 1


def test_a_loser_that_completes_when_the_code_has_ended_is_undone_before_the_run_closes(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begin(workflow_env, race)
    workflow_env.skip(HOUR)
    settle("after")
    workflow_env.skip(NOW)
    assert state(run.id) == "waiting"
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "completed"
    told = kinds(run.id)
    assert told.index("CompensationCompleted") < told.index("RunCompleted")
    assert queries.get_run(run.id).error is None


def test_a_loser_that_fails_after_all_is_not_undone(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, race)
    workflow_env.skip(HOUR)
    refuse_later("a")
    settle("after")

    assert workflow_env.finish(run.id) == [None, "did after"]
    assert effects.count("undo a") == 0


def test_two_losers_are_undone_each_once_newest_first(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        losers = [workflow.activity(make_later, label=label) for label in "ab"]
        return await workflow.first_of(workflow.sleep(HOUR), *losers)

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)
    settle("a")
    settle("b")
    workflow_env.skip(NOW)

    assert state(run.id) == "completed"
    assert sorted(map(str, undone(run.id))) == ["a", "b"]
    assert effects.count("undo a") == effects.count("undo b") == 1


@pytest.mark.parametrize("shape", ["branch", "gather in a branch", "gather", "race"])
def test_whatever_a_loser_had_started_is_undone(workflow_env: WorkflowEnvironment, shape: str) -> None:
    async def branch(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make_later, label="a")
        await workflow.activity(make, label="never")

    async def gathering(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(workflow.activity(make_later, label="a"), workflow.sleep(HOUR))

    async def body(workflow: ImprovisedWorkflow) -> Any:
        losers: dict[str, Any] = {
            "branch": lambda: branch(workflow),
            "gather in a branch": lambda: gathering(workflow),
            "gather": lambda: workflow.gather(workflow.activity(make_later, label="a"), workflow.sleep(HOUR)),
            "race": lambda: workflow.first_of(workflow.activity(make_later, label="a"), workflow.sleep(HOUR)),
        }
        await workflow.first_of(losers[shape](), workflow.sleep(HOUR / 2))
        await workflow.activity(later, label="after")

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR / 2)
    settle("a")
    workflow_env.skip(NOW)

    assert effects.count("undo a") == 1
    assert effects.count("never") == 0
    settle("after")
    workflow_env.skip(NOW)
    assert state(run.id) == "completed"


def test_what_a_losing_branch_had_done_before_stays_in_the_plan(workflow_env: WorkflowEnvironment) -> None:
    async def branch(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="first")
        await workflow.activity(make_later, label="second")

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.first_of(branch(workflow), workflow.sleep(HOUR))
        await workflow.activity(later, label="after")

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)
    settle("second")
    workflow_env.skip(NOW)
    assert undone(run.id) == ["second"]
    refuse_later("after")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["second", "first"]
    assert effects.count("undo second") == 1


def test_a_loser_is_undone_though_its_worker_dies_between(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, race)
    workflow_env.skip(HOUR)
    settle("a")
    workflow_env.restart()
    workflow_env.skip(NOW)
    workflow_env.restart()
    settle("after")

    assert workflow_env.finish(run.id) == [None, "did after"]
    assert effects.count("undo a") == 1


def test_a_run_does_not_close_over_a_signal_that_came_behind_its_last_loser(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        await workflow.first_of(workflow.activity(later, label="a"), workflow.sleep(HOUR))
        return "done"

    run = begin(workflow_env, body)
    workflow_env.skip(HOUR)
    settle("a")
    operations.signal_run(run.id, "say", "too late")

    assert workflow_env.finish(run.id) == "done"
    assert len(entries(run.id, "SignalReceived")) == 1


# --- When its undo fails ---------------------------------------------------------------------------------------------


async def stubborn_race(workflow: ImprovisedWorkflow) -> Any:
    await workflow.first_of(workflow.activity(stubborn_later, label="a"), workflow.sleep(HOUR))
    return await workflow.activity(later, label="after")


def held_by_its_undo(env: WorkflowEnvironment) -> Any:
    """A run whose loser completed and could not be undone."""
    run = begin(env, stubborn_race)
    env.skip(HOUR)
    operations.complete_step(TOKENS["a"], result="did a")
    env.skip(timedelta(minutes=10))
    assert state(run.id) == "held (compensation_failed)"
    return run


def test_an_undo_of_a_loser_that_fails_holds_the_run_and_compensate_goes_on_with_the_code(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = held_by_its_undo(workflow_env)
    effects.write("repaired")
    operations.compensate_run(run.id, reason="repaired")
    workflow_env.skip(NOW)

    assert state(run.id) == "waiting"
    settle("after")
    assert workflow_env.finish(run.id) == "did after"
    assert len(entries(run.id, "CompensationCompleted")) == 1
    assert queries.get_run(run.id).error is None


def test_while_a_losers_undo_holds_the_run_outcomes_and_messages_are_kept(workflow_env: WorkflowEnvironment) -> None:
    run = held_by_its_undo(workflow_env)
    operations.signal_run(run.id, "say", "meanwhile")
    workflow_env.skip(timedelta(seconds=1))
    settle("after")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (compensation_failed)"
    effects.write("repaired")
    workflow_env.restart()
    operations.compensate_run(run.id, reason="repaired")

    assert workflow_env.finish(run.id) == "did after"
    assert operations.query_run(run.id, "words") == ["meanwhile"]


def test_a_run_whose_losers_undo_held_it_does_not_close_over_a_signal(workflow_env: WorkflowEnvironment) -> None:
    """It came behind the outcome that ends the code: too late to be heard, and recorded all the same."""
    run = held_by_its_undo(workflow_env)
    settle("after")
    operations.signal_run(run.id, "say", "too late")
    effects.write("repaired")
    workflow_env.restart()
    operations.compensate_run(run.id, reason="repaired")

    assert workflow_env.finish(run.id) == "did after"
    assert len(entries(run.id, "SignalReceived")) == 1


def test_a_losers_undo_that_fails_starts_no_other_undo_though_the_plan_would_go_on(
    workflow_env: WorkflowEnvironment,
) -> None:
    class GoesOnWorkflow(ImprovisedWorkflow):
        name = "races.GoesOn"
        compensation = "continue"

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="first")
        return await stubborn_race(workflow)

    run = begin(workflow_env, body, GoesOnWorkflow)
    workflow_env.skip(HOUR)
    operations.complete_step(TOKENS["a"], result="did a")
    workflow_env.skip(timedelta(minutes=10))
    assert state(run.id) == "held (compensation_failed)"
    assert effects.count("undo first") == 0
    effects.write("repaired")
    operations.compensate_run(run.id, reason="repaired")
    workflow_env.skip(NOW)
    settle("after")

    assert workflow_env.finish(run.id) == "did after"
    assert effects.count("undo first") == 0


def test_a_losers_undo_that_failed_is_not_retried_as_a_step(workflow_env: WorkflowEnvironment) -> None:
    run = held_by_its_undo(workflow_env)

    with pytest.raises(NotAllowedInState):
        operations.retry_run(run.id, reason="again")


# --- Beside other things ---------------------------------------------------------------------------------------------


def test_a_race_against_a_step_that_fails_for_good_raises_what_failed(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.first_of(
            workflow.activity(refuse, label="a"), workflow.activity(disturb_always, label="b")
        )

    run = begin(workflow_env, body)

    assert state(run.id) == "failed"
    assert [status for _, status in step_statuses(run.id)] == ["failed", "cancelled"]


def test_a_race_in_a_loop_leaves_nothing_behind(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> int:
        rounds = 0
        while "stop" not in workflow.heard:
            await workflow.first_of(workflow.wait_for(lambda: "stop" in workflow.heard), workflow.sleep(HOUR))
            rounds += 1
        return rounds

    run = begin(workflow_env, body)
    workflow_env.skip(20 * HOUR)
    operations.signal_run(run.id, "say", "stop")

    assert workflow_env.finish(run.id) == 21
    assert {step.status for step in queries.list_steps(run.id)} == {"completed", "cancelled"}

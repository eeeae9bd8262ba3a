"""SEMANTICS D20: a failed run goes on from the step that failed, with fresh attempts and perhaps another input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import (
    NOW,
    CastFailsWorkflow,
    CastHoldsWorkflow,
    CastWorkflow,
    refuse_until_repaired,
    undo_write,
    write,
)
from tests.workflows.views import entries, kinds, sound
from workflows import ActivityFailed, Workflow, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import NotAllowedInState, RetryRefused
from workflows.testing import WorkflowEnvironment

#: What the code of `ChangingWorkflow` does; a test puts another in place as a deploy would.
CODE: dict[str, Any] = {}


class ReactingWorkflow(Workflow[str]):
    """Starts another step in reaction to a failure, which fails in its turn."""

    on_failure = "hold"

    async def execute(self) -> str:
        try:
            return await self.activity(refuse_until_repaired, label="first")
        except ActivityFailed:
            return await self.activity(refuse_until_repaired, label="second")


class ChangingWorkflow(Workflow[str]):
    """Runs whatever code is deployed."""

    on_failure = "hold"

    async def execute(self) -> str:
        result: str = await CODE["execute"](self)
        return result


class SiblingsWorkflow(Workflow[Any]):
    """Three steps side by side; the second fails until repaired."""

    on_failure = "hold"

    async def execute(self) -> Any:
        return await self.gather(
            self.activity(write, label="a"),
            self.activity(refuse_until_repaired, label="b"),
            self.activity(write, label="c"),
        )


def failed(env: WorkflowEnvironment, workflow: type[Workflow[Any]], *args: object) -> WorkflowRun:
    """A run that failed or is held as failure."""
    run = env.start(workflow, *args)
    env.skip(NOW)
    shown = queries.get_run(run.id)
    assert shown.status == "failed" or shown.hold_reason == "failure"
    return shown


@pytest.mark.parametrize("workflow", [CastFailsWorkflow, CastHoldsWorkflow])
def test_d20_it_goes_on_from_the_failed_step_and_repeats_nothing(
    workflow_env: WorkflowEnvironment, workflow: type[Workflow[Any]]
) -> None:
    run = failed(workflow_env, workflow, ["write:a", "refuse_until_repaired:b", "write:c"])
    effects.write("repaired")

    again = operations.retry_run(run.id, actor="ada", reason="repaired")
    assert (again.status, again.error, again.closed_at, again.hold_reason) == ("pending", None, None, None)
    sound(run.id)
    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.result, after.error) == ("completed", ["wrote a", "did b", "wrote c"], None)
    assert effects.count("a") == effects.count("c") == 1
    assert effects.count("tried b") == 2
    sound(run.id)


def test_d20_the_act_is_a_fact_of_the_history_that_names_the_failure(workflow_env: WorkflowEnvironment) -> None:
    run = failed(workflow_env, CastHoldsWorkflow, ["refuse_until_repaired:a"])
    (failure,) = [entry.position for entry in queries.get_history(run.id) if entry.kind == "StepFailed"]

    operations.retry_run(run.id, actor="ada", reason="again")

    (told,) = entries(run.id, "RetryRequested")
    assert (told["actor"], told["reason"], told["failure"], told["seq"]) == ("ada", "again", failure, 1)


def test_d20_attempts_are_fresh_and_the_key_stays(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastHoldsWorkflow, ["disturb_always:a"])
    workflow_env.skip(timedelta(minutes=5))
    assert queries.get_run(run.id).hold_reason == "failure"
    (before,) = queries.list_steps(run.id)

    operations.retry_run(run.id, reason="again")
    workflow_env.skip(timedelta(minutes=5))

    (after,) = queries.list_steps(run.id)
    assert effects.count("tried a") == 6
    assert (before.key, before.attempts, after.attempts) == (after.key, 3, 6)
    assert [attempt.number for attempt in after.tries] == [1, 2, 3, 4, 5, 6]
    assert queries.get_run(run.id).hold_reason == "failure"
    sound(run.id)


def test_d20_it_can_be_retried_again_and_again(workflow_env: WorkflowEnvironment) -> None:
    run = failed(workflow_env, CastHoldsWorkflow, ["write:a", "refuse_until_repaired:b"])
    for _ in range(3):
        operations.retry_run(run.id, reason="again")
        workflow_env.skip(NOW)
        assert queries.get_run(run.id).hold_reason == "failure"
        sound(run.id)
    effects.write("repaired")

    operations.retry_run(run.id, reason="repaired")
    workflow_env.restart()

    assert workflow_env.finish(run.id) == ["wrote a", "did b"]
    assert effects.count("a") == 1
    sound(run.id)


# --- Where it is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "state"),
    [
        (["write:a"], "completed"),
        (["make:a", "refuse:b"], "compensated"),
        (["disturb:a"], "waiting"),
        (["make_stubborn:a", "refuse:b"], "held (compensation_failed)"),
    ],
)
def test_d20_a_state_that_is_no_failure_is_refused(
    workflow_env: WorkflowEnvironment, script: list[str], state: str
) -> None:
    run = workflow_env.start(CastWorkflow, script)
    workflow_env.skip(NOW)
    before = kinds(run.id)

    with pytest.raises(NotAllowedInState) as refusal:
        operations.retry_run(run.id, reason="again")

    assert refusal.value.state == state
    assert kinds(run.id) == before


def test_d20_it_is_refused_once_an_undo_in_reaction_has_run(workflow_env: WorkflowEnvironment) -> None:
    """The code undid everything in reaction to the failure, then gave up."""

    async def undo_and_give_up(workflow: Workflow[str]) -> str:
        try:
            workflow.add_compensation(undo_write, label="a")
            return await workflow.activity(refuse_until_repaired, label="a")
        except ActivityFailed:
            await workflow.compensate()
            raise

    CODE["execute"] = undo_and_give_up
    run = workflow_env.start(ChangingWorkflow)
    workflow_env.skip(NOW)
    assert effects.count("undo a") == 1

    with pytest.raises((RetryRefused, NotAllowedInState)):
        operations.retry_run(run.id, reason="again")


def test_d20_an_undo_that_ran_before_the_failure_is_no_reaction_to_it(workflow_env: WorkflowEnvironment) -> None:
    run = failed(workflow_env, CastHoldsWorkflow, ["make:a", "compensate", "make:b", "refuse_until_repaired:c"])
    effects.write("repaired")

    operations.retry_run(run.id, reason="repaired")

    assert workflow_env.finish(run.id)[-1] == "did c"
    assert effects.count("undo a") == 1
    assert effects.count("undo b") == 0
    sound(run.id)


def test_d20_a_failure_that_the_code_reacted_to_stands_and_the_last_one_is_retried(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = failed(workflow_env, ReactingWorkflow)
    effects.write("repaired")

    operations.retry_run(run.id, reason="repaired")

    assert workflow_env.finish(run.id) == "did second"
    assert effects.count("tried first") == 1
    sound(run.id)


# --- Code that failed ------------------------------------------------------------------------------------------------


async def give_up(workflow: Workflow[str]) -> str:
    await workflow.activity(write, label="a")
    raise ValueError("the code is wrong")


async def go_on(workflow: Workflow[str]) -> str:
    await workflow.activity(write, label="a")
    return await workflow.activity(write, label="b")


def test_d20_code_that_raised_is_decided_again_by_the_code_as_it_is_now(workflow_env: WorkflowEnvironment) -> None:
    CODE["execute"] = give_up
    run = failed(workflow_env, ChangingWorkflow)
    CODE["execute"] = go_on
    workflow_env.restart()

    operations.retry_run(run.id, reason="the code was repaired")

    assert workflow_env.finish(run.id) == "wrote b"
    assert effects.labels() == ["a", "b"]
    assert len(entries(run.id, "StepCompleted")) == 2
    sound(run.id)


def test_d20_code_that_raises_again_fails_again(workflow_env: WorkflowEnvironment) -> None:
    CODE["execute"] = give_up
    run = failed(workflow_env, ChangingWorkflow)

    operations.retry_run(run.id, reason="perhaps")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).hold_reason == "failure"
    assert effects.labels() == ["a"]
    sound(run.id)


def test_d20_the_code_is_replayed_before_the_first_new_attempt(workflow_env: WorkflowEnvironment) -> None:
    """A mismatch holds the run and runs nothing."""

    async def pay_first(workflow: Workflow[str]) -> str:
        await workflow.activity(write, label="a")
        return await workflow.activity(refuse_until_repaired, label="b")

    async def other_order(workflow: Workflow[str]) -> str:
        await workflow.activity(undo_write, label="a")
        return await workflow.activity(refuse_until_repaired, label="b")

    CODE["execute"] = pay_first
    run = failed(workflow_env, ChangingWorkflow)
    CODE["execute"] = other_order
    effects.write("repaired")

    operations.retry_run(run.id, reason="repaired")
    workflow_env.skip(NOW)

    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "nondeterminism")
    assert effects.count("tried b") == 1
    assert effects.count("undo a") == 0
    sound(run.id)


# --- Siblings --------------------------------------------------------------------------------------------------------


def test_d20_siblings_that_the_failure_cancelled_are_scheduled_again(workflow_env: WorkflowEnvironment) -> None:
    run = failed(workflow_env, SiblingsWorkflow)
    assert [step.status for step in queries.list_steps(run.id)] == ["completed", "failed", "cancelled"]
    effects.write("repaired")

    operations.retry_run(run.id, reason="repaired")
    sound(run.id)

    assert workflow_env.finish(run.id) == ["wrote a", "did b", "wrote c"]
    assert effects.count("a") == effects.count("c") == 1
    sound(run.id)

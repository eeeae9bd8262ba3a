"""SEMANTICS D20 with children: siblings that a failure closed are started again, those it left alone are taken back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused, make
from tests.workflows.improvised import (
    CODE,
    HOUR,
    MINUTE,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries
from workflows import Cancelled, Retry, Workflow, activity, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import InvalidInput
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@activity(name="children_retry.try_again", retry=Retry(max_attempts=1))
def try_again() -> str:
    if not effects.count("mended"):
        raise CastRefused("not yet")
    return "worked"


class OldCountWorkflow(Workflow[int]):
    """Counts from 1."""

    name = "children_retry.Count"

    async def execute(self, number: int) -> int:
        if number < 1:
            raise ValueError("too small")
        return number


class NewCountWorkflow(Workflow[int]):
    """Counts in a unit."""

    name = "children_retry.Count"
    version = 2

    async def execute(self, number: int, unit: str) -> int:
        return number


async def counting(workflow: ImprovisedWorkflow) -> int:
    return await workflow.child(OldCountWorkflow, -1)


async def long(workflow: ImprovisedWorkflow) -> str:
    await workflow.activity(make, label="child")
    await workflow.wait_for(lambda: workflow.heard)
    return workflow.heard[0]


def beside(policy: Any) -> Any:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start_child(ImprovisedWorkflow, improvise(long), on_close=policy)
        worked = await workflow.activity(try_again)
        return [worked, await handle]

    return parent


def children(run_id: uuid.UUID) -> list[WorkflowRun]:
    return sorted(queries.list_runs(parent=run_id), key=lambda run: run.created_at)


def mend(env: WorkflowEnvironment, run_id: uuid.UUID) -> None:
    effects.write("mended")
    operations.retry_run(run_id, reason="mended")
    env.skip(NOW)


@pytest.mark.parametrize("policy", ["cancel", "terminate"])
def test_a_child_that_the_failure_closed_is_started_again(workflow_env: WorkflowEnvironment, policy: Any) -> None:
    run = begin(workflow_env, beside(policy), HeldWorkflow)
    assert state(run.id) == "held (failure)"
    (first,) = children(run.id)
    assert first.status == ("cancelled" if policy == "cancel" else "terminated")

    mend(workflow_env, run.id)
    again = next(child for child in children(run.id) if child.id != first.id)
    operations.signal_run(again.id, "say", "hello")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == ["worked", "hello"]


def test_a_child_that_completed_though_it_was_to_close_is_not_started_again(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def stubborn(workflow: ImprovisedWorkflow) -> str:
        try:
            await workflow.wait_for(lambda: workflow.heard)
        except Cancelled:
            return "done all the same"
        return "heard"

    async def parent(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start_child(ImprovisedWorkflow, improvise(stubborn))
        await workflow.sleep(HOUR)
        worked = await workflow.activity(try_again)
        return [worked, await handle]

    run = begin(workflow_env, parent, HeldWorkflow)
    workflow_env.skip(HOUR)
    mend(workflow_env, run.id)

    assert queries.get_run(run.id).result == ["worked", "done all the same"]
    assert len(children(run.id)) == 1


def test_an_abandoned_child_that_goes_on_is_taken_back(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, beside("abandon"), HeldWorkflow)
    (child,) = children(run.id)
    assert (state(run.id), child.status) == ("held (failure)", "waiting")

    mend(workflow_env, run.id)
    assert state(run.id) == "waiting"
    operations.signal_run(child.id, "say", "hello")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == ["worked", "hello"]
    assert len(children(run.id)) == 1 and effects.count("child") == 1
    assert len(entries(run.id, "StepCompleted")) == 2


def test_an_abandoned_child_that_completed_meanwhile_is_taken_back(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, beside("abandon"), HeldWorkflow)
    (child,) = children(run.id)
    operations.signal_run(child.id, "say", "hello")
    workflow_env.skip(NOW)

    mend(workflow_env, run.id)

    assert queries.get_run(run.id).result == ["worked", "hello"]
    assert len(children(run.id)) == 1


def test_an_abandoned_child_that_had_completed_before_the_failure_was_met_is_taken_back(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start_child(ImprovisedWorkflow, improvise(long), on_close="abandon")
        return [await workflow.activity(later, label="parent"), await handle]

    run = begin(workflow_env, parent, HeldWorkflow)
    (child,) = children(run.id)
    operations.pause_run(run.id, reason="so that both wait")
    refuse_later("parent")
    workflow_env.skip(MINUTE)
    operations.signal_run(child.id, "say", "hello")
    workflow_env.skip(NOW)
    operations.resume_run(run.id, reason="go on")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (failure)"

    mend(workflow_env, run.id)
    settle("parent")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == ["did parent", "hello"]
    assert len(children(run.id)) == 1


@pytest.mark.parametrize("policy", ["cancel", "terminate"])
def test_a_cancel_right_after_a_retry_starts_no_child_again(workflow_env: WorkflowEnvironment, policy: Any) -> None:
    run = begin(workflow_env, beside(policy), HeldWorkflow)
    assert state(run.id) == "held (failure)"

    operations.retry_run(run.id, reason="again")
    operations.cancel_run(run.id, reason="or rather not")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert len(children(run.id)) == 1


def test_an_abandoned_child_that_was_cancelled_meanwhile_is_started_again(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, beside("abandon"), HeldWorkflow)
    (child,) = children(run.id)
    operations.cancel_run(child.id, reason="not needed")
    workflow_env.skip(NOW)

    mend(workflow_env, run.id)
    again = next(other for other in children(run.id) if other.id != child.id)
    operations.signal_run(again.id, "say", "hello")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == ["worked", "hello"]


def test_a_member_of_a_gather_that_completed_is_not_run_again(workflow_env: WorkflowEnvironment) -> None:
    async def short(workflow: ImprovisedWorkflow) -> str:
        return await workflow.activity(make, label="short")

    async def failing(workflow: ImprovisedWorkflow) -> str:
        return await workflow.activity(try_again)

    async def parent(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(
            workflow.child(ImprovisedWorkflow, improvise(short)), workflow.child(ImprovisedWorkflow, improvise(failing))
        )

    run = begin(workflow_env, parent, HeldWorkflow)
    mend(workflow_env, run.id)

    assert queries.get_run(run.id).result == ["made short", "worked"]
    assert effects.count("short") == 1
    assert sorted(child.status for child in children(run.id)) == ["completed", "completed", "failed"]


def test_edited_input_is_that_of_the_childs_own_version(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, counting, HeldWorkflow)

    with pytest.raises(InvalidInput, match="unit"):
        operations.retry_run(run.id, reason="in pieces", input={"number": 4, "unit": "pieces"})
    operations.retry_run(run.id, reason="more", input={"number": 4})
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == 4


def test_a_build_that_does_not_take_a_childs_recorded_input_holds_the_parent(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, counting, HeldWorkflow)
    operations.retry_run(run.id, reason="again")

    async def changed(workflow: ImprovisedWorkflow) -> int:
        return await workflow.child(NewCountWorkflow, -1, "pieces")

    CODE["counting"] = changed
    workflow_env.skip(NOW)
    assert state(run.id) == "held (nondeterminism)"
    CODE["counting"] = counting
    operations.resume_run(run.id, reason="the build before it")
    workflow_env.skip(NOW)

    assert state(run.id) == "held (failure)"

"""SEMANTICS A6: a completed child stands in its parent's plan as one item, at its place."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, make, make_stubborn, refuse, write
from tests.workflows.improvised import (
    HOUR,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    state,
)
from tests.workflows.views import entries
from workflows import ChildFailed, operations, queries
from workflows.contracts import PlanItemView
from workflows.core.errors import NothingToCompensate
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


def only_child(run_id: uuid.UUID) -> uuid.UUID:
    (child,) = queries.list_runs(parent=run_id)
    return child.id


async def making(workflow: ImprovisedWorkflow) -> str:
    return await workflow.activity(make, label="child")


async def writing(workflow: ImprovisedWorkflow) -> str:
    return await workflow.activity(write, label="child")


async def stubborn(workflow: ImprovisedWorkflow) -> str:
    return await workflow.activity(make_stubborn, label="child")


def between(body: Any = making, *, compensate: bool = True, fails: bool = True) -> Any:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="before")
        await workflow.child(ImprovisedWorkflow, improvise(body), compensate=compensate)
        await workflow.activity(make, label="after")
        if fails:
            await workflow.activity(refuse, label="last")
        return "done"

    return parent


def plan(run_id: uuid.UUID) -> list[PlanItemView]:
    return queries.get_compensation_plan(run_id)


def test_a_child_is_undone_at_its_place(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, between())

    order = [entry["name"] for entry in entries(run.id, "CompensationStarted")]
    assert order == ["cast.undo_write", "improvised.Run", "cast.undo_write"]
    assert (state(run.id), state(only_child(run.id))) == ("compensated", "compensated")
    assert [effects.count(f"undo {label}") for label in ("before", "child", "after")] == [1, 1, 1]


def test_the_plan_names_the_child_and_its_run(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, between(fails=False))

    after, child, before = plan(run.id)
    assert (child.activity, child.arguments) == ("improvised.Run", {"run_id": str(only_child(run.id))})
    assert child.undoes == 2 and child.undone_activity == "improvised.Run"
    assert (after.activity, before.activity) == ("cast.undo_write", "cast.undo_write")


def test_a_child_that_left_nothing_to_undo_is_not_in_the_plan(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.child(ImprovisedWorkflow, improvise(writing))
        await workflow.activity(refuse, label="last")

    run = begin(workflow_env, parent)

    assert plan(run.id) == [] and state(run.id) == "failed"
    assert state(only_child(run.id)) == "completed"


def test_a_child_may_be_final(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, between(compensate=False))

    assert [item.activity for item in plan(run.id)] == ["cast.undo_write", "cast.undo_write"]
    assert (state(run.id), state(only_child(run.id))) == ("compensated", "completed")
    assert effects.count("undo child") == 0


def test_a_completed_parent_is_compensated_with_its_child(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, between(fails=False))
    assert state(run.id) == "completed"

    operations.compensate_run(run.id, reason="reversed")
    workflow_env.skip(NOW)

    assert (state(run.id), state(only_child(run.id))) == ("compensated", "compensated")
    assert queries.get_run(run.id).result == "done"


def test_a_child_whose_undo_fails_is_held_and_its_parent_stays_compensating(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begin(workflow_env, between(stubborn))
    child = only_child(run.id)
    assert (state(run.id), state(child)) == ("compensating", "held (compensation_failed)")
    assert effects.count("undo before") == 0

    effects.write("repaired")
    operations.compensate_run(child, reason="repaired")
    workflow_env.skip(NOW)

    assert (state(run.id), state(child)) == ("compensated", "compensated")
    assert effects.count("undo before") == 1


def test_a_child_that_an_operator_undid_before_is_not_undone_twice(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, between(fails=False))
    operations.compensate_run(only_child(run.id), reason="first")
    workflow_env.skip(NOW)

    operations.compensate_run(run.id, reason="all of it")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated" and effects.count("undo child") == 1


def test_compensate_in_code_undoes_the_child_and_goes_on(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.child(ImprovisedWorkflow, improvise(making))
        await workflow.compensate()
        return await workflow.activity(write, label="afterwards")

    run = begin(workflow_env, parent)

    assert queries.get_run(run.id).result == "wrote afterwards"
    assert state(only_child(run.id)) == "compensated"


def test_a_race_undoes_a_losing_child_that_completed_after_all(workflow_env: WorkflowEnvironment) -> None:
    async def hearing(workflow: ImprovisedWorkflow) -> str:
        await workflow.activity(make, label="loser")
        await workflow.wait_for(lambda: workflow.heard)
        return "heard"

    async def racing(workflow: ImprovisedWorkflow) -> Any:
        winner = await workflow.first_of(workflow.child(ImprovisedWorkflow, improvise(hearing)), workflow.sleep(HOUR))
        await workflow.sleep(HOUR)
        return winner

    run = begin(workflow_env, racing)
    workflow_env.skip(HOUR)
    operations.signal_run(only_child(run.id), "say", "late")
    workflow_env.skip(NOW)

    assert state(only_child(run.id)) == "compensated" and effects.count("undo loser") == 1
    assert state(run.id) == "waiting"
    workflow_env.skip(HOUR)
    assert state(run.id) == "completed"


def test_grandchildren_are_undone_through_their_parents(workflow_env: WorkflowEnvironment) -> None:
    async def middle(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(ImprovisedWorkflow, improvise(making))

    run = begin(workflow_env, between(middle))

    child = only_child(run.id)
    assert [state(one) for one in (run.id, child, only_child(child))] == ["compensated"] * 3
    assert effects.count("undo child") == 1


def test_a_failed_child_is_no_item_of_the_plan(workflow_env: WorkflowEnvironment) -> None:
    async def making_and_refusing(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="child")
        await workflow.activity(refuse, label="child")

    async def parent(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.child(ImprovisedWorkflow, improvise(making_and_refusing))
        except ChildFailed:
            return "caught"

    run = begin(workflow_env, parent)

    assert plan(run.id) == []
    with pytest.raises(NothingToCompensate):
        operations.compensate_run(run.id, reason="nothing there")
    assert effects.count("undo child") == 1


def test_a_restart_while_a_childs_plan_runs_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, between(stubborn))
    workflow_env.restart()
    effects.write("repaired")
    operations.compensate_run(only_child(run.id), reason="repaired")
    workflow_env.restart()
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated" and effects.count("undo before") == 1


def test_a_held_parent_is_cancelled_with_its_completed_child_undone(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, between(), HeldWorkflow)
    assert state(run.id) == "held (failure)"

    operations.cancel_run(run.id, reason="given up")
    workflow_env.skip(NOW)

    assert (state(run.id), state(only_child(run.id))) == ("cancelled", "compensated")

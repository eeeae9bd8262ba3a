"""SEMANTICS A5, A6: a cancel between two links of a chain undoes what the earlier ones did."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, make
from tests.workflows.improvised import HOUR, ImprovisedWorkflow, LeavingWorkflow, improvise, state
from workflows import operations, queries
from workflows.runtime import advance
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


async def first(workflow: ImprovisedWorkflow) -> Any:
    await workflow.activity(make, label="first")
    workflow.continue_as_new(improvise(second))


async def second(workflow: ImprovisedWorkflow) -> Any:
    await workflow.activity(make, label="second")
    await workflow.sleep(HOUR)


def between_links(env: WorkflowEnvironment, workflow: type[ImprovisedWorkflow] = ImprovisedWorkflow) -> uuid.UUID:
    """The first id of a chain whose next link was written and not driven yet."""
    run = env.start(workflow, improvise(first))
    assert advance.advance(run.id)
    assert state(queries.current_run_id(run.id)) == "pending"
    return run.id


@pytest.mark.parametrize("paused", [False, True])
def test_a_cancel_before_the_next_link_began_undoes_what_earlier_ones_did(
    workflow_env: WorkflowEnvironment, paused: bool
) -> None:
    run_id = between_links(workflow_env)
    if paused:
        operations.pause_run(run_id, reason="a moment")

    operations.cancel_run(run_id, reason="enough")
    workflow_env.skip(NOW)

    assert state(queries.current_run_id(run_id)) == "cancelled"
    assert (effects.count("undo first"), effects.count("second")) == (1, 0)


def test_what_earlier_links_did_is_left_where_a_cancel_leaves_it(workflow_env: WorkflowEnvironment) -> None:
    run_id = between_links(workflow_env, LeavingWorkflow)

    operations.cancel_run(run_id, reason="enough")
    workflow_env.skip(NOW)

    assert state(queries.current_run_id(run_id)) == "cancelled"
    assert effects.count("undo first") == 0
    assert [item.undoes for item in queries.get_compensation_plan(run_id)] == [None]


def test_a_parents_cancel_undoes_the_chain_of_a_child_between_two_links(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.child(ImprovisedWorkflow, improvise(first))

    run = workflow_env.start(ImprovisedWorkflow, improvise(parent))
    advance.advance(run.id)
    (child,) = queries.list_runs(parent=run.id)
    advance.advance(child.id)

    operations.cancel_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    assert state(run.id) == "cancelled"
    assert effects.count("undo first") == 1

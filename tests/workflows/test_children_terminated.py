"""SEMANTICS A1, A5: a child that is terminated leaves no effect without its undo, whatever its code had met of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, Disturbed, make, undo_write
from tests.workflows.improvised import (
    HOUR,
    MINUTE,
    TOKENS,
    ImprovisedWorkflow,
    TimedWorkflow,
    begin,
    improvise,
    make_later,
    settle,
    state,
)
from workflows import Retry, activity, activity_info, operations, queries
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@activity(name="terminated.undo_slowly", retry=Retry(max_attempts=9, initial=600.0, maximum=600.0))
def undo_slowly(*, label: str) -> None:
    effects.write(f"undo with key {activity_info().idempotency_key}")
    if not effects.count("repaired"):
        raise Disturbed("not yet")


@activity(name="terminated.make_lasting", undo=undo_slowly)
def make_lasting(*, label: str) -> str:
    return label


@activity(name="terminated.attempt_later", undo=undo_write, undo_when="attempted", timeout=timedelta(days=30))
def attempt_later(*, label: str) -> str:
    """Begins, and ends when the test says so; failed attempts are undone too."""
    TOKENS[label] = activity_info().complete_later()
    return ""


def with_terminated_child(body: Any) -> Any:
    async def parent(workflow: ImprovisedWorkflow) -> str:
        workflow.start_child(ImprovisedWorkflow, improvise(body), on_close="terminate")
        await workflow.wait_for(lambda: workflow.heard)
        return "over"

    return parent


def only_child(run_id: uuid.UUID) -> uuid.UUID:
    (child,) = queries.list_runs(parent=run_id)
    return child.id


def end_parent(env: WorkflowEnvironment, run_id: uuid.UUID) -> None:
    operations.signal_run(run_id, "say", "go")
    env.skip(MINUTE)
    assert [run.status for run in queries.list_runs(parent=run_id)] == ["terminated"]


def test_an_outcome_that_its_code_had_not_met_stands_in_its_plan(workflow_env: WorkflowEnvironment) -> None:
    async def both(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(*(workflow.activity(make_later, label=label) for label in "ab"))

    run = begin(workflow_env, with_terminated_child(both))
    child = only_child(run.id)
    operations.pause_run(child, reason="so that its code meets nothing")
    settle("a")

    end_parent(workflow_env, run.id)

    planned = [item.arguments["label"] for item in queries.get_compensation_plan(child)]
    assert sorted(planned) == ["a", "b"]


def test_a_failed_attempt_that_its_code_had_not_heard_of_stands_in_its_plan(workflow_env: WorkflowEnvironment) -> None:
    async def trying(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(attempt_later, label="tried")

    run = begin(workflow_env, with_terminated_child(trying))
    child = only_child(run.id)
    operations.pause_run(child, reason="so that its code meets nothing")
    operations.fail_step(TOKENS.pop("tried"), error=Disturbed("once"))

    end_parent(workflow_env, run.id)

    assert [item.arguments["label"] for item in queries.get_compensation_plan(child)] == ["tried"]


def test_a_grandchild_whose_end_its_code_had_not_met_stands_in_its_plan(workflow_env: WorkflowEnvironment) -> None:
    async def making(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="grandchild")
        await workflow.wait_for(lambda: workflow.heard)

    async def calling(workflow: ImprovisedWorkflow) -> None:
        await workflow.child(ImprovisedWorkflow, improvise(making))

    run = begin(workflow_env, with_terminated_child(calling))
    child = only_child(run.id)
    operations.pause_run(child, reason="so that its code meets nothing")
    operations.signal_run(only_child(child), "say", "done")
    workflow_env.skip(NOW)

    end_parent(workflow_env, run.id)
    operations.compensate_run(child, reason="undo it")
    workflow_env.skip(NOW)

    assert state(child) == "compensated"
    assert effects.count("undo grandchild") == 1


def test_an_undo_that_it_was_terminated_in_goes_on_under_its_key(workflow_env: WorkflowEnvironment) -> None:
    async def failing(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make_lasting, label="lasting")
        raise ValueError("the child gives up")

    run = begin(workflow_env, with_terminated_child(failing))
    child = only_child(run.id)
    assert state(child) == "compensating"

    end_parent(workflow_env, run.id)
    effects.write("repaired")
    operations.compensate_run(child, reason="undo it")
    workflow_env.skip(NOW)

    assert state(child) == "compensated"
    keys = [label for label in effects.labels() if label.startswith("undo with key")]
    assert len(keys) == 2 and len(set(keys)) == 1


def test_a_child_that_is_due_in_the_moment_in_which_its_parent_ends_it_is_left_alone(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def waiting(workflow: ImprovisedWorkflow) -> None:
        await workflow.wait_for(lambda: workflow.heard)

    async def calling(workflow: ImprovisedWorkflow) -> None:
        await workflow.child(ImprovisedWorkflow, improvise(waiting))

    async def parent(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep(MINUTE)  # the older run is driven first
        workflow.start_child(TimedWorkflow, improvise(calling), on_close="terminate")
        await workflow.sleep(HOUR)

    run = begin(workflow_env, parent)
    workflow_env.skip(MINUTE + HOUR)

    child = only_child(run.id)
    assert (state(run.id), state(child), state(only_child(child))) == ("completed", "terminated", "cancelled")


def test_a_grandchild_that_is_being_undone_is_undone_to_its_end(workflow_env: WorkflowEnvironment) -> None:
    async def making(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make_lasting, label="lasting")

    async def failing(workflow: ImprovisedWorkflow) -> None:
        await workflow.child(ImprovisedWorkflow, improvise(making), on_close="terminate")
        raise ValueError("the child gives up")

    run = begin(workflow_env, with_terminated_child(failing))
    child = only_child(run.id)
    grandchild = only_child(child)
    assert (state(child), state(grandchild)) == ("compensating", "compensating")

    end_parent(workflow_env, run.id)
    effects.write("repaired")
    workflow_env.skip(HOUR)
    assert state(grandchild) == "compensated"

    operations.compensate_run(child, reason="undo the rest")
    workflow_env.skip(NOW)
    assert state(child) == "compensated"

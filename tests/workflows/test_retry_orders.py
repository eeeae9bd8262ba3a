"""SEMANTICS D20: a retry of a gather, in whatever order its members settled and failed."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, write
from tests.workflows.improvised import (
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    make_later,
    refuse_later,
    settle,
    state,
)
from workflows import operations, queries
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


async def three(workflow: ImprovisedWorkflow) -> Any:
    return await workflow.gather(*(workflow.activity(make_later, label=label) for label in "abc"))


def retried(env: WorkflowEnvironment, run_id: Any) -> None:
    operations.retry_run(run_id, reason="again")
    env.skip(NOW)


ORDERS = [(order, failing) for order in permutations("abc") for failing in ("a", "b", "c")]


@pytest.mark.parametrize(("order", "failing"), ORDERS, ids=lambda value: "".join(value))
def test_in_whatever_order_siblings_settle_the_failed_one_alone_is_repeated(
    workflow_env: WorkflowEnvironment, order: tuple[str, ...], failing: str
) -> None:
    run = begin(workflow_env, three, HeldWorkflow)
    for label in order:
        _ = refuse_later(label) if label == failing else settle(label)
        workflow_env.skip(NOW)
    assert state(run.id) == "held (failure)"

    retried(workflow_env, run.id)
    settle(failing, "after all")

    expected = [f"did {label}" if label != failing else "after all" for label in "abc"]
    assert workflow_env.finish(run.id) == expected
    assert effects.labels() == sorted([f"began {label}" for label in "abc"] + [f"began {failing}"])
    assert len({step.seq for step in queries.list_steps(run.id)}) == 3


@pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
@pytest.mark.parametrize("failing", ["ab", "bc", "ac", "abc"])
def test_each_failure_is_retried_in_its_turn(
    workflow_env: WorkflowEnvironment, order: tuple[str, ...], failing: str
) -> None:
    """A failure that came after the first one is a fact too: it is delivered again, and its retry is the next."""
    run = begin(workflow_env, three, HeldWorkflow)
    for label in order:
        _ = refuse_later(label) if label in failing else settle(label)
        workflow_env.skip(NOW)

    for _ in failing:
        assert state(run.id) == "held (failure)"
        retried(workflow_env, run.id)
    assert state(run.id) == "waiting"
    for label in failing:
        settle(label, "after all")

    assert workflow_env.finish(run.id) == ["after all" if label in failing else f"did {label}" for label in "abc"]
    for label in "abc":
        assert effects.count(f"began {label}") == (2 if label in failing else 1)


def test_a_retry_goes_on_in_another_process(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, three, HeldWorkflow)
    for label in "abc":
        _ = refuse_later(label) if label == "a" else settle(label)
    workflow_env.skip(NOW)
    workflow_env.restart()
    retried(workflow_env, run.id)
    workflow_env.restart()
    settle("a")

    assert workflow_env.finish(run.id) == ["did a", "did b", "did c"]


def test_the_retried_code_may_be_another_workflow_of_the_same_shape(workflow_env: WorkflowEnvironment) -> None:
    """Replay before the first new attempt: a mismatch holds the run and runs nothing."""
    run = begin(workflow_env, three, HeldWorkflow)
    refuse_later("a")
    settle("b")
    settle("c")
    workflow_env.skip(NOW)

    async def changed(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(*(workflow.activity(write, label=label) for label in "abc"))

    changed.__name__ = "three"
    improvise(changed)
    workflow_env.restart()
    retried(workflow_env, run.id)

    assert state(run.id) == "held (nondeterminism)"
    assert effects.count("began a") == 1
    improvise(three)

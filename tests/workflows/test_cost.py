"""DESIGN 4: one commit a step, one statement on Postgres; what a run costs grows with its steps and no faster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from workflows import Workflow, activity, operations, queries, store
from workflows.runtime import advance
from workflows.testing import WorkflowEnvironment


@activity(name="cost.nothing")
def nothing(*, number: int) -> int:
    return number


@activity(name="cost.undo_nothing")
def undo_nothing(*, number: int) -> None:
    """Undoes nothing."""


@activity(name="cost.booked_nothing", transactional=True, undo=undo_nothing)
def booked_nothing(*, number: int) -> int:
    return number


ACTIVITIES = {"nothing": nothing, "booked_nothing": booked_nothing}


class CostWorkflow(Workflow[int]):
    """As many steps as asked for; fails at the end if asked."""

    async def execute(self, steps: int, word: str = "nothing", fail: bool = False) -> int:
        for number in range(steps):
            await self.activity(ACTIVITIES[word], number=number)
        if fail:
            raise ValueError("on purpose")
        return steps


@dataclass(frozen=True)
class Cost:
    """Statements a run needed: those of the store, and all that went through Django's cursors."""

    store: int
    django: int

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.store - other.store, self.django - other.django)


def cost_of(env: WorkflowEnvironment, steps: int, **more: Any) -> Cost:
    """What driving a run of so many steps costs, from its start to its end: the engine alone, not the kit's looks."""
    run = env.start(CostWorkflow, steps, **more)
    before = store.statements.sent
    with CaptureQueriesContext(connection) as captured:
        advance.advance(run.id)
    assert queries.get_run(run.id).closed_at is not None
    return Cost(store.statements.sent - before, len(captured))


@pytest.mark.postgres
def test_a_step_costs_one_statement_on_postgres(workflow_env: WorkflowEnvironment) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("set DATABASE_URL to a Postgres")
    cost_of(workflow_env, 2)

    plain = cost_of(workflow_env, 30) - cost_of(workflow_env, 10)
    booked = cost_of(workflow_env, 30, word="booked_nothing") - cost_of(workflow_env, 10, word="booked_nothing")

    assert plain == Cost(store=20, django=0)
    assert booked.store == 20


@pytest.mark.parametrize("word", ["nothing", "booked_nothing"])
def test_each_step_costs_the_same_however_many_came_before(workflow_env: WorkflowEnvironment, word: str) -> None:
    cost_of(workflow_env, 2, word=word)
    few, some, many = (cost_of(workflow_env, steps, word=word) for steps in (10, 30, 50))

    assert many - some == some - few


def test_a_step_costs_a_few_statements_on_any_database(workflow_env: WorkflowEnvironment) -> None:
    cost_of(workflow_env, 2)

    more = cost_of(workflow_env, 30) - cost_of(workflow_env, 10)

    assert more.store <= 20 * 6
    assert more.django <= 20 * 8


@pytest.mark.parametrize("fail", [False, True])
def test_a_run_itself_costs_a_few_statements(workflow_env: WorkflowEnvironment, fail: bool) -> None:
    """Claim, history, steps, inbox, and its end."""
    cost_of(workflow_env, 0)

    cost = cost_of(workflow_env, 0, fail=fail)

    assert cost.store <= 8
    assert cost.django <= 15


def test_an_undo_costs_no_more_than_a_few_statements(workflow_env: WorkflowEnvironment) -> None:
    cost_of(workflow_env, 2, word="booked_nothing", fail=True)
    forward = cost_of(workflow_env, 30, word="booked_nothing") - cost_of(workflow_env, 10, word="booked_nothing")

    both = cost_of(workflow_env, 30, word="booked_nothing", fail=True) - cost_of(
        workflow_env, 10, word="booked_nothing", fail=True
    )

    undo = both - forward
    assert undo.store <= 20 * 6
    assert undo.django <= 20 * 6


def test_a_start_costs_a_few_statements_and_a_known_key_fewer(workflow_env: WorkflowEnvironment) -> None:
    operations.start_run(CostWorkflow, 1)

    with CaptureQueriesContext(connection) as made:
        operations.start_run(CostWorkflow, 1, key="k")
    with CaptureQueriesContext(connection) as known:
        operations.start_run(CostWorkflow, 1, key="k")

    assert len(made) <= 8
    assert len(known) <= 3

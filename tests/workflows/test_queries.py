"""What doors learn of runs: lists, pages, types, counts, and the amounts of a plan."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finaegis.shared.money import Money
from tests.workflows.cast import NOW, CastHoldsWorkflow, CastWorkflow
from tests.workflows.faulting import break_off
from workflows import Workflow, WorkflowFailed, activity, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.definitions import registry
from workflows.testing import WorkflowEnvironment


@activity(name="queries.give_back")
def give_back(*, amount: Money, fees: list[Money], note: dict[str, str]) -> None:
    """Undoes a payment."""


@activity(name="queries.pay", undo=give_back)
def pay(*, amount: Money, fees: list[Money], note: dict[str, str]) -> None:
    """A payment."""


class QueriesPayWorkflow(Workflow[None]):
    """Pays once."""

    async def execute(self, amount: Money) -> None:
        fees = [Money("0.50", "EUR"), Money("5", "JPY")]
        await self.activity(pay, amount=amount, fees=fees, note={"amount": "no money", "why": "x"})


def start_many(env: WorkflowEnvironment, number: int) -> list[uuid.UUID]:
    """Runs a second apart, the oldest first."""
    started = []
    for _ in range(number):
        started.append(operations.start_run(CastWorkflow, []).id)
        env.now += timedelta(seconds=1)
    return started


def ids(runs: list[WorkflowRun] | tuple[WorkflowRun, ...]) -> list[uuid.UUID]:
    return [run.id for run in runs]


def test_the_newest_runs_come_first(workflow_env: WorkflowEnvironment) -> None:
    started = start_many(workflow_env, 5)

    assert ids(queries.list_runs()) == started[::-1]
    assert ids(queries.list_runs(limit=2)) == started[:2:-1]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"workflow": "tests.Cast"}, ["done", "waiting"]),
        ({"status": "held"}, ["held"]),
        ({"status": ["held", "waiting"]}, ["held", "waiting"]),
        ({"hold_reason": "failure"}, ["held"]),
        ({"hold_reason": "paused"}, []),
        ({"key": "waiting"}, ["waiting"]),
        ({"text": "done"}, ["done"]),
        ({"text": "nothing"}, []),
        ({"workflow": "tests.Cast", "status": "completed"}, ["done"]),
        ({}, ["done", "held", "waiting"]),
    ],
)
def test_filters_narrow_the_list(
    workflow_env: WorkflowEnvironment, filters: dict[str, Any], expected: list[str]
) -> None:
    operations.start_run(CastWorkflow, ["write:a"], key="done")
    operations.start_run(CastWorkflow, ["disturb:a"], key="waiting")
    operations.start_run(CastHoldsWorkflow, ["refuse:a"], key="held")
    workflow_env.skip(NOW)

    assert sorted(str(run.key) for run in queries.list_runs(**filters)) == expected


def test_a_run_is_found_by_its_id_and_by_the_time_it_was_made(workflow_env: WorkflowEnvironment) -> None:
    begin = workflow_env.now
    started = start_many(workflow_env, 4)

    assert ids(queries.list_runs(text=str(started[1]))) == [started[1]]
    between = queries.list_runs(created_from=begin + timedelta(seconds=1), created_to=begin + timedelta(seconds=3))
    assert ids(between) == [started[2], started[1]]


def test_pages_follow_each_other_without_a_gap_or_a_double_while_runs_arrive(
    workflow_env: WorkflowEnvironment,
) -> None:
    started = start_many(workflow_env, 7)
    first = queries.page_runs(limit=3)
    start_many(workflow_env, 2)

    second = queries.page_runs(limit=3, after=first.after)
    third = queries.page_runs(limit=3, after=second.after)

    assert ids(first.runs) + ids(second.runs) + ids(third.runs) == started[::-1]
    assert third.after is None


def test_runs_made_in_the_same_instant_are_paged_too(workflow_env: WorkflowEnvironment) -> None:
    started = {operations.start_run(CastWorkflow, []).id for _ in range(5)}

    page, found = queries.page_runs(limit=2), set()
    while True:
        found |= set(ids(page.runs))
        if page.after is None:
            break
        page = queries.page_runs(limit=2, after=page.after)

    assert found == started


def test_types_are_listed_with_their_schema_by_name_and_version() -> None:
    types = queries.list_workflows()

    assert [(kind.name, kind.version) for kind in types] == sorted((kind.name, kind.version) for kind in types)
    assert len(types) == sum(len(versions) for versions in registry.workflows.values())
    (cast,) = [kind for kind in types if kind.name == "tests.Cast"]
    assert cast.summary == "Plays a script; undoes on failure and on cancel."
    assert cast.input_schema["required"] == ["script"]


def test_runs_are_counted_by_type_and_state(workflow_env: WorkflowEnvironment) -> None:
    start_many(workflow_env, 3)
    workflow_env.skip(NOW)
    start_many(workflow_env, 2)
    operations.start_run(CastHoldsWorkflow, [])

    assert queries.count_by_type_and_state() == [
        ("tests.Cast", "completed", 3),
        ("tests.Cast", "pending", 2),
        ("tests.CastHolds", "pending", 1),
    ]


def test_a_plan_item_tells_the_amounts_among_its_arguments(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(QueriesPayWorkflow, Money(Decimal("12.50"), "USD"))
    workflow_env.finish(run.id)

    (item,) = queries.get_compensation_plan(run.id)

    assert item.amounts == (
        {"amount": "12.50", "currency": "USD"},
        {"amount": "0.50", "currency": "EUR"},
        {"amount": "5", "currency": "JPY"},
    )
    assert (item.seq, item.activity, item.undoes, item.undone_activity, item.status) == (
        1,
        "queries.give_back",
        1,
        "queries.pay",
        "planned",
    )


def test_a_plan_counts_in_the_order_it_runs(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(WorkflowFailed):
        workflow_env.run(CastWorkflow, ["make:a", "make:b", "refuse:c"])
    (run,) = queries.list_runs()

    plan = queries.get_compensation_plan(run.id)

    assert [(item.seq, item.undoes) for item in plan] == [(1, 2), (2, 1)]


def test_steps_are_listed_in_the_order_they_were_asked_for(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a", "make:b"])
    workflow_env.finish(run.id)

    steps = queries.list_steps(run.id)

    assert [(step.seq, step.kind, step.name, step.status, step.attempts) for step in steps] == [
        (1, "activity", "cast.write", "completed", 1),
        (2, "activity", "cast.make", "completed", 1),
    ]
    assert steps[0].key == f"{run.id}:1"
    assert steps[0].started_at == steps[0].settled_at == workflow_env.now


def test_the_step_in_hand_is_listed_as_running_with_its_attempt(workflow_env: WorkflowEnvironment) -> None:
    """Whoever looks while it runs sees it."""
    run = workflow_env.start(CastWorkflow, ["write:a", "make:b"])
    break_off(run.id, "attempt.before@cast.make")

    steps = queries.list_steps(run.id)

    assert [(step.seq, step.status, step.attempts) for step in steps] == [(1, "completed", 1), (2, "running", 1)]
    assert steps[1].arguments == {"label": "b"}
    assert queries.verify_run(run.id) == []


def test_audit_is_read_newest_first(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    workflow_env.now += timedelta(seconds=1)
    operations.pause_run(run.id, reason="look")

    assert [entry.act for entry in queries.list_audit(run_id=run.id)] == ["pause", "start"]
    assert [entry.act for entry in queries.list_audit(limit=1)] == ["pause"]

"""Issue 10.6: runs are found by typed attributes, with one meaning on every database."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, refuse, refuse_until_repaired, write
from tests.workflows.improvised import HeldWorkflow, ImprovisedWorkflow, begin, improvise, state
from workflows import ActivityFailed, operations, queries
from workflows.core.errors import InvalidInput
from workflows.models import Run, RunAttribute
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

LOAN = uuid.UUID("6a3f2c1e-0000-4000-8000-000000000000")
VALUES: dict[str, Any] = {
    "customer": "Ada", "loan": LOAN, "amount": Decimal("12.50"), "large": True, "day": date(2026, 1, 5),
    "at": datetime(2026, 1, 5, 12, tzinfo=UTC), "rank": 7,
}  # fmt: skip


async def setting(workflow: ImprovisedWorkflow) -> str:
    workflow.set_attributes(**VALUES)
    return await workflow.activity(write, label="x")


async def negative(workflow: ImprovisedWorkflow) -> None:
    workflow.set_attributes(amount=-3, customer="Bo")


def found(**attributes: Any) -> list[Any]:
    return sorted(run.attributes["customer"] for run in queries.list_runs(attributes=attributes))


@pytest.fixture
def two_runs(workflow_env: WorkflowEnvironment) -> None:
    begin(workflow_env, setting)
    begin(workflow_env, negative)


def test_a_run_tells_its_attributes_with_their_types(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, setting)

    assert queries.get_run(run.id).attributes == VALUES


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize(
    ("asked", "customers"),
    [
        ({"customer": "Ada"}, ["Ada"]),
        ({"customer": "ada"}, []),
        ({"loan": LOAN}, ["Ada"]),
        ({"loan": str(LOAN)}, []),
        ({"amount": Decimal("12.5")}, ["Ada"]),
        ({"amount": "12.50"}, []),
        ({"amount__gt": -3}, ["Ada"]),
        ({"amount__gte": -3}, ["Ada", "Bo"]),
        ({"amount__lt": Decimal("12.499999")}, ["Bo"]),
        ({"amount__in": [Decimal("-3.0"), 4]}, ["Bo"]),
        ({"large": True}, ["Ada"]),
        ({"large": 1}, []),
        ({"day__lte": date(2026, 1, 5)}, ["Ada"]),
        ({"at__lt": datetime(2026, 1, 5, 12, tzinfo=UTC)}, []),
        ({"rank": 7, "customer": "Ada"}, ["Ada"]),
        ({"rank": 7, "customer": "Bo"}, []),
    ],
)
def test_typed_values_are_compared(asked: dict[str, Any], customers: list[str]) -> None:
    assert found(**asked) == customers


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"amount__gte": "10"}, 1),
        ({"loan": str(LOAN)}, 1),
        ({"large": "true"}, 1),
        ({"at": "2026-01-05T13:00:00+01:00"}, 1),
        ({"customer": "Ada"}, 1),
        ({"amount": "-3.00"}, 1),
        ({"amount": "4"}, 0),
    ],
)
def test_texts_of_a_query_string_are_read_as_any_type_they_can_be(asked: dict[str, str], number: int) -> None:
    assert len(queries.list_runs(attribute_texts=asked)) == number


@pytest.mark.parametrize(
    "asked", [{"a__near": 1}, {"a b": 1}, {"customer__gt": "A"}, {"amount": 1.5}, {"amount": None}]
)
def test_what_cannot_be_compared_is_refused(workflow_env: WorkflowEnvironment, asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        queries.list_runs(attributes=asked)


def test_a_later_value_replaces_and_none_takes_away(workflow_env: WorkflowEnvironment) -> None:
    async def changing(workflow: ImprovisedWorkflow) -> None:
        workflow.set_attributes(customer="Ada", amount=1)
        workflow.set_attributes(customer="Eve", amount=None)
        await workflow.activity(write, label="x")
        workflow.set_attributes(rank=2)

    run = begin(workflow_env, changing)

    assert queries.get_run(run.id).attributes == {"customer": "Eve", "rank": 2}
    assert sorted(RunAttribute.objects.values_list("name", flat=True)) == ["customer", "rank"]
    assert queries.list_runs(attributes={"customer": "Ada"}) == []


def test_a_replay_sets_nothing_twice(workflow_env: WorkflowEnvironment) -> None:
    async def failing(workflow: ImprovisedWorkflow) -> None:
        workflow.set_attributes(customer="Ada")
        await workflow.activity(refuse, label="x")

    run = begin(workflow_env, failing, HeldWorkflow)
    workflow_env.restart()
    operations.retry_run(run.id, reason="again")
    workflow_env.skip(NOW)

    kinds = [entry.kind for entry in queries.get_history(run.id)]
    assert kinds.count("AttributesSet") == 1


def test_an_attribute_that_cannot_be_searched_fails_the_code(workflow_env: WorkflowEnvironment) -> None:
    async def wrong(workflow: ImprovisedWorkflow) -> None:
        workflow.set_attributes(customer=1.5)

    run = begin(workflow_env, wrong)

    assert state(run.id) == "failed" and RunAttribute.objects.count() == 0


def test_what_a_failure_made_the_code_set_is_taken_back_by_a_retry(workflow_env: WorkflowEnvironment) -> None:
    async def marking(workflow: ImprovisedWorkflow) -> Any:
        workflow.set_attributes(stage="trying", amount=5)
        try:
            return await workflow.activity(refuse_until_repaired, label="it")
        except ActivityFailed:
            workflow.set_attributes(stage="stuck", stuck=True, amount=None)
            raise

    run = begin(workflow_env, marking, HeldWorkflow)
    assert queries.get_run(run.id).attributes == {"stage": "stuck", "stuck": True}

    effects.write("repaired")
    operations.retry_run(run.id, reason="repaired")
    assert queries.get_run(run.id).attributes == {"stage": "trying", "amount": 5}
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).attributes == {"stage": "trying", "amount": 5}
    assert queries.list_runs(attributes={"stuck": True}) == []
    assert [found.id for found in queries.list_runs(attributes={"stage": "trying", "amount": 5})] == [run.id]


def test_a_child_has_attributes_of_its_own(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        workflow.set_attributes(customer="parent")
        return await workflow.child(ImprovisedWorkflow, improvise(negative))

    run = begin(workflow_env, parent)

    (child,) = queries.list_runs(parent=run.id)
    assert child.attributes["customer"] == "Bo"
    assert queries.get_run(run.id).attributes == {"customer": "parent"}


def test_an_edited_row_is_found_by_verify(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, setting)
    kept = Run.objects.get(pk=run.id).attributes
    Run.objects.filter(pk=run.id).update(attributes=None)
    assert [finding.problem for finding in queries.verify_run(run.id)]
    Run.objects.filter(pk=run.id).update(attributes=kept)

"""Panels of a run tell of its children and of its chain: what they moved and wrote is its own too."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.paying import PaymentsWorkflow
from tests.treasury.factories import TreasuryAccountFactory
from workflows import Workflow, queries
from workflows.panels import Record, RecordKind, register_records, registry

pytestmark = pytest.mark.django_db


class PayrollWorkflow(Workflow[int]):
    """Pay by children, one of which pays by a child of its own."""

    name = "families.Payroll"

    async def execute(self, account_id: uuid.UUID, children: int, deep: bool = False) -> int:
        for _ in range(children):
            await self.child(PaymentsWorkflow, account_id)
        if deep:
            await self.child(PayrollWorkflow, account_id, 1)
        return children


class LoopWorkflow(Workflow[int]):
    """Pay by a child, and go on as new."""

    name = "families.Loop"

    async def execute(self, account_id: uuid.UUID, rounds: int) -> int:
        await self.child(PaymentsWorkflow, account_id)
        if rounds > 1:
            self.continue_as_new(account_id, rounds - 1)
        return rounds


@pytest.fixture
def account(db):
    return TreasuryAccountFactory(balance="1000.00")


@pytest.fixture
def everybody(db):
    return User.objects.create_superuser("root")


def ran(env, workflow, *args):
    run = env.start(workflow, *args)
    env.skip(timedelta(minutes=1))
    return queries.get_run(run.id)


def moved(run, user):
    """What left the operating account, and how many transfers say so."""
    family = queries.family_of([run])
    money = queries.money_of([relative.id for relative in family], user=user).money
    (own,) = [str(item.balance) for item in money.net if item.account.kind == "operating"]
    return own, len(money.transfers)


def test_the_money_of_children_and_theirs_is_the_parents_too(workflow_env, account, everybody):
    run = ran(workflow_env, PayrollWorkflow, account.id, 2, True)

    assert run.status == "completed"
    assert moved(run, everybody) == ("-4.50 USD", 6)


def test_the_money_of_a_chain_is_that_of_each_of_its_links(workflow_env, account, everybody):
    first = ran(workflow_env, LoopWorkflow, account.id, 3)
    last = queries.get_run(queries.list_runs(workflow="families.Loop", status="completed")[0].id)

    assert (first.status, last.link) == ("continued", 3)
    assert moved(first, everybody) == moved(last, everybody) == ("-4.50 USD", 6)


def test_a_child_tells_its_own_money_alone(workflow_env, account, everybody):
    run = ran(workflow_env, PayrollWorkflow, account.id, 2)
    child = queries.list_runs(parent=run.id)[0]

    assert moved(child, everybody) == ("-1.50 USD", 2)


def test_a_record_that_a_child_wrote_is_the_parents_and_one_that_it_names_too(workflow_env, account, everybody):
    run = ran(workflow_env, PayrollWorkflow, account.id, 1)
    child = queries.list_runs(parent=run.id)[0]
    written = Record(kind="workflows.calendar", id=uuid.uuid4(), title="payslip")
    named = Record(kind="workflows.calendar", id=account.id, title="payer")
    with registry.changed():
        register_records(
            RecordKind(
                name="workflows.calendar", label="Paper",
                read=lambda ids: [named] if account.id in ids else [],
                of_runs=lambda run_ids: [written] if child.id in run_ids else [],
                named_by={"paying.Payments": "account_id"},
            )
        )  # fmt: skip

        related = queries.list_related(queries.family_of([run]), user=everybody)

    assert related.records == (written, named)


def test_a_family_is_looked_at_as_far_as_its_bound(workflow_env, account, monkeypatch):
    run = ran(workflow_env, PayrollWorkflow, account.id, 5)
    monkeypatch.setattr("workflows.queries.related.MOST_RELATIVES", 3)

    assert len(queries.family_of([run])) == 3


def test_a_family_costs_a_query_for_each_generation(workflow_env, account):
    def cost(run):
        with CaptureQueriesContext(connection) as sent:
            queries.family_of([run])
        return len(sent)

    alone = ran(workflow_env, PaymentsWorkflow, account.id)
    few, many = ran(workflow_env, PayrollWorkflow, account.id, 1), ran(workflow_env, PayrollWorkflow, account.id, 9)

    assert cost(alone) == 1
    assert cost(few) == cost(many) == 2

"""A page costs the same number of queries however many rows there are."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.cast import AdditionWorkflow, BookingsWorkflow
from tests.paying import PaymentsWorkflow
from tests.talking import SleepWorkflow
from tests.treasury.factories import TreasuryAccountFactory
from workflows import operations

pytestmark = pytest.mark.django_db

LISTS = (
    "runs/",
    "ledger/accounts/",
    "ledger/transfers/",
    "treasury/accounts/",
    "treasury/instruments/?as_of=2026-07-15",
    "workflows/",
    "timers/",
)
PARTS = ("", "steps/", "history/", "compensation-plan/")
PANELS = {"money/": 9, "related/": 12}


def cost(client, path):
    """How many queries and how many results; the first reading fills what is remembered of the user."""
    client.get(f"/api/v1/{path}")
    with CaptureQueriesContext(connection) as queries:
        body = client.get(f"/api/v1/{path}").json()
    return len(queries), len(body.get("results", ()))


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_with_more_rows(viewer, account, workflow_env, path):
    operations.start_run(AdditionWorkflow, 1)
    operations.start_run(SleepWorkflow, 1)
    workflow_env.skip(timedelta(0))
    few, _ = cost(viewer, path)
    for n in range(5):
        TreasuryAccountFactory()
        operations.start_run(AdditionWorkflow, n)
        operations.start_run(SleepWorkflow, n + 1)
    workflow_env.skip(timedelta(0))

    many, results = cost(viewer, path)

    assert results > 2
    assert many == few <= 4


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_run_costs_the_same_with_more_steps(viewer, workflow_env, part):
    short, long = operations.start_run(BookingsWorkflow, 1), operations.start_run(BookingsWorkflow, 20)
    workflow_env.skip(timedelta(0))

    few, _ = cost(viewer, f"runs/{short.id}/{part}")
    many, _ = cost(viewer, f"runs/{long.id}/{part}")

    assert many == few <= 4


@pytest.mark.parametrize(("part", "most"), PANELS.items())
def test_a_panel_of_a_run_costs_the_same_with_more_money(operator, account, workflow_env, part, most):
    """Not one query for each transfer, hold, account or record."""
    short, long = (operations.start_run(PaymentsWorkflow, account_id=account.id, number=n) for n in (1, 20))
    workflow_env.skip(timedelta(0))

    few, _ = cost(operator, f"runs/{short.id}/{part}")
    many, _ = cost(operator, f"runs/{long.id}/{part}")

    assert many == few <= most


def test_an_account_costs_the_same_with_more_allocations(operator, account, workflow_env):
    path = f"treasury/accounts/{account.id}/"
    body = {"account_id": str(account.id), "amount": {"amount": "1.00", "currency": "USD"}, "strategy": "balanced"}

    def allocate(keys):
        for key in keys:
            operator.post("/api/v1/treasury/cash-management/", body, headers={"Idempotency-Key": key})
        workflow_env.skip(timedelta(0))

    allocate("a")
    few, _ = cost(operator, path)
    allocate("bcde")

    many, _ = cost(operator, path)

    told = operator.get(f"/api/v1/{path}").json()
    assert (len(told["allocations"]), len(told["runs"])) == (5, 5)
    assert many == few <= 11

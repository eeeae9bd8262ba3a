"""The README's workflow does what the README says of it, and so do the tests that docs/testing.md writes for it."""

import sys

import pytest

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as books
from ledger.contracts import Leg
from tests.commands import documents
from workflows import NonRetryable, WorkflowFailed, queries
from workflows.core.definitions import registry

PRICE = Money("99.00", "USD")


@pytest.fixture(scope="module")
def shop():
    (source,) = documents.blocks(documents.README, "python")
    module = documents.module_of(source, name="shop.workflows", path=documents.README)
    sys.modules["shop.workflows"] = module
    yield module
    del sys.modules["shop.workflows"]
    for known in (registry.activities, registry.workflows):
        for name in [name for name in known if name.startswith("shop.")]:
            del known[name]


@pytest.fixture
def accounts(workflow_env):
    """A buyer with 100.00 USD and a shop, by the names of the workflow's parameters."""
    world = ledger.open_account(owner="world", kind="external", currency="USD", may_go_negative=True)
    buyer = ledger.open_account(owner="buyer", kind="wallet", currency="USD")
    seller = ledger.open_account(owner="shop", kind="wallet", currency="USD")
    legs = [Leg(world.id, Money("-100.00", "USD")), Leg(buyer.id, Money("100.00", "USD"))]
    ledger.transfer(key="opening", legs=legs)
    return {"buyer": buyer.id, "shop": seller.id}


def balances(accounts):
    return {name: books.get_account(account_id).balance.to_text() for name, account_id in accounts.items()}


def test_the_workflow_has_about_twenty_lines(shop):
    (source,) = documents.blocks(documents.README, "python")

    assert len([line for line in source.splitlines() if line.strip()]) <= 26


def test_an_order_is_charged_once_and_shipped(workflow_env, shop, accounts):
    result = workflow_env.run(shop.OrderWorkflow, "A-1", amount=PRICE, **accounts)

    assert result == "parcel with A-1"
    assert balances(accounts) == {"buyer": "1.00", "shop": "99.00"}


def test_what_cannot_be_shipped_is_refunded(workflow_env, shop, accounts):
    workflow_env.mock(shop.ship).raises(NonRetryable("no carrier"))
    workflow_env.expect_compensation(shop.refund)

    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.run(shop.OrderWorkflow, "A-1", amount=PRICE, **accounts)

    assert failed.value.status == "compensated"
    assert balances(accounts) == {"buyer": "100.00", "shop": "0.00"}


def test_the_plan_shows_the_amount_of_the_refund(workflow_env, shop, accounts):
    workflow_env.run(shop.OrderWorkflow, "A-1", amount=PRICE, **accounts)

    (run,) = queries.list_runs(workflow="shop.Order")
    (item,) = queries.get_compensation_plan(run.id)
    assert (item.activity, item.amounts) == ("shop.refund", ({"amount": "99.00", "currency": "USD"},))


TESTING = documents.ROOT / "docs" / "testing.md"
EXAMPLES = "\n".join(documents.blocks(TESTING, "python")[1:])


@pytest.mark.parametrize("name", documents.names_of_tests(EXAMPLES))
def test_an_example_of_the_testing_page_passes(workflow_env, shop, name):
    examples = documents.module_of(EXAMPLES, name="shop.tests", path=TESTING)

    getattr(examples, name)(workflow_env)

"""The example of docs/writing-workflows.md does what the page says, and the page names every word an author has."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

import workflows
from ledger import queries as ledger
from tests.commands import documents
from workflows import Workflow, WorkflowFailed, operations, queries
from workflows.core.definitions import ActivityOptions, registry
from workflows.operations import UpdateRejected
from workflows.testing import WorkflowEnvironment

GUIDE = documents.ROOT / "docs/writing-workflows.md"
EXAMPLE, APP, BEGINNING, CALLS = documents.blocks(GUIDE, "python")
NOW = timedelta()


@pytest.fixture(scope="module")
def shop() -> Iterator[Any]:
    """The example as the module `shop`."""
    sys.modules["shop"] = documents.module_of(EXAMPLE, name="shop", path=GUIDE)
    yield sys.modules["shop"]
    forget_shop()


@pytest.fixture
def orders() -> Iterator[Any]:
    """The README's example as the module `shop.workflows`."""
    (source,) = documents.blocks(documents.README, "python")
    sys.modules["shop.workflows"] = documents.module_of(source, name="shop.workflows", path=documents.README)
    yield sys.modules["shop.workflows"]
    forget_shop()


def forget_shop() -> None:
    for known in (sys.modules, registry.workflows, registry.activities):
        for name in [name for name in known if name == "shop" or name.startswith("shop.")]:
            del known[name]


def test_a_confirmed_trip_has_its_seats(workflow_env: WorkflowEnvironment, shop: Any) -> None:
    run = workflow_env.start(shop.TripWorkflow, "Rome", ["Ada", "Bo"])
    workflow_env.skip(NOW)

    answer = operations.update_run(run.id, "confirm", "Ada")

    assert answer == "confirmed by Ada"
    assert queries.get_run(run.id).result == ["Rome/Ada", "Rome/Bo"]
    assert operations.query_run(run.id, "state") == "confirmed"


def test_a_trip_that_nobody_confirms_frees_every_seat(workflow_env: WorkflowEnvironment, shop: Any) -> None:
    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.run(shop.TripWorkflow, "Rome", ["Ada", "Bo"])

    assert (failed.value.status, failed.value.code) == ("compensated", "not_confirmed")
    assert workflow_env.calls(shop.free_seat) == [
        {"trip": "Rome", "traveller": "Bo"}, {"trip": "Rome", "traveller": "Ada"},
    ]  # fmt: skip


def test_the_validator_refuses(workflow_env: WorkflowEnvironment, shop: Any) -> None:
    run = workflow_env.start(shop.TripWorkflow, "Rome", ["Ada"])
    workflow_env.skip(NOW)

    with pytest.raises(UpdateRejected, match="Bo does not travel"):
        operations.update_run(run.id, "confirm", "Bo")
    assert operations.query_run(run.id, "state") == "waiting"


def test_the_calls_from_django_code_work_as_written(workflow_env: WorkflowEnvironment, shop: Any) -> None:
    documents.module_of(CALLS, name="calls", path=GUIDE)
    workflow_env.skip(NOW)

    states = {run.key: run.status for run in queries.list_runs(workflow="shop.Trip")}
    assert states == {"trip:1": "completed", "trip:2": "waiting"}


def test_the_readmes_order_begins_as_the_page_says(workflow_env: WorkflowEnvironment, orders: Any) -> None:
    documents.module_of(BEGINNING, name="beginning", path=GUIDE)
    workflow_env.skip(NOW)

    (run,) = queries.list_runs(workflow="shop.Order")
    assert (run.key, run.status, run.result) == ("order:A-1", "completed", "parcel with A-1")
    balances = {account.owner: account.balance.to_text() for account in ledger.list_accounts()}
    assert balances == {"external": "-20.00", "buyer:1": "0.00", "shop:1": "20.00"}


def test_the_app_brings_its_workflows_in(orders: Any) -> None:
    app = documents.module_of(APP, name="shop.apps", path=GUIDE)
    package = types.ModuleType("shop")
    package.__path__, package.workflows = [str(documents.ROOT)], orders  # type: ignore[attr-defined]
    sys.modules["shop"] = package

    app.ShopConfig("shop", package).ready()

    assert registry.workflows["shop.Order"] == {1: orders.OrderWorkflow}


def test_the_page_names_every_word_of_an_author() -> None:
    words = {name for name, _ in inspect.getmembers(Workflow) if not name.startswith("_")}
    words |= set(ActivityOptions.__slots__) | set(workflows.__all__)

    not_built_yet = {"WorkflowFailed"}
    missing = {word for word in words if not re.search(rf"\b{word}\b", GUIDE.read_text())}
    assert missing - not_built_yet - {"definition"} == set()

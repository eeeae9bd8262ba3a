"""The demo's stories: believable business in many states, the same for the same seed, told once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from io import StringIO
from random import Random
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import transaction

from exchange.models import Order, Trade
from finaegis.management import demo
from finaegis.management.demo.stories import orders, withdrawals
from finaegis.management.demo.stories import treasury as treasury_story
from ledger import queries as ledger
from lending.models import Application, Loan
from lending.rules import german_credit
from reporting.models import Report
from wallet.models import Withdrawal
from workflows import queries
from workflows.models import Run
from workflows.testing import WorkflowEnvironment


@pytest.fixture
def env(workflow_env: WorkflowEnvironment) -> WorkflowEnvironment:
    workflow_env.now = datetime(2026, 7, 15, tzinfo=UTC)  # the demo's instruments are valid then
    return workflow_env


@pytest.fixture
def told(env: WorkflowEnvironment) -> str:
    out = StringIO()
    call_command("seed_demo", "--applications", "12", "--orders", "20", stdout=out)
    return out.getvalue()


def states(model: Any) -> set[str]:
    return set(model.objects.values_list("status", flat=True))


def counted() -> Counter[str]:
    models = (Application, Loan, Order, Trade, Withdrawal, Run)
    return Counter({model.__name__: model.objects.count() for model in models})


@pytest.mark.usefixtures("told")
def test_every_page_has_something_in_more_than_one_state() -> None:
    assert {"in_review", "accepted"} <= states(Application)
    assert Loan.objects.exists()
    assert {"filled", "open"} <= states(Order) and Trade.objects.exists()
    assert len(states(Withdrawal)) >= 3
    assert {"completed", "compensated", "waiting", "held"} <= states(Run)
    assert states(Report) == {"ready"} and Report.objects.count() == 6


@pytest.mark.usefixtures("told")
def test_no_list_of_a_domain_is_empty() -> None:
    domains = ("ledger", "treasury", "lending", "exchange", "wallet", "reporting", "workflows")
    listed = [model for model in admin.site._registry if model._meta.app_label in domains]

    assert [model.__name__ for model in listed if not model._default_manager.exists()] == []


@pytest.mark.usefixtures("told")
def test_the_books_are_sound_after_it() -> None:
    assert list(ledger.verify()) == []
    assert [finding for run in queries.list_runs(limit=1000) for finding in queries.verify_run(run.id)] == []


@pytest.mark.usefixtures("told")
def test_nothing_is_left_that_a_worker_would_still_move() -> None:
    assert not Run.objects.filter(status__in=["pending", "running", "compensating"]).exists()


@pytest.mark.usefixtures("told")
def test_a_second_telling_adds_nothing() -> None:
    before = counted()

    call_command("seed_demo", "--applications", "12", "--orders", "20", stdout=StringIO())

    assert counted() == before


def test_applications_are_rows_of_the_real_data(told: str) -> None:
    amounts = {int(row.value(5)) for row in german_credit.read_rows()}

    assert "telling: 12 applications" in told
    assert Application.objects.count() == 12
    assert {application.amount_minor // 100 for application in Application.objects.all()} <= amounts


def drawn(env: WorkflowEnvironment, seed: int) -> list[Any]:
    """What a seed tells, taken back again."""
    taken_back = transaction.atomic()
    taken_back._from_testcase = True  # as the test's own: third parties refuse to be called in any other
    with taken_back:
        demo.seed()
        pace = demo.Driving()
        treasury_story.tell(pace, _random(seed), seed=seed)
        orders.tell(pace, _random(seed), seed=seed, orders=12)
        withdrawals.tell(pace, _random(seed), seed=seed)
        found = [
            list(Order.objects.order_by("received_at", "id").values_list("side", "price_units", "quantity_minor")),
            sorted(Withdrawal.objects.values_list("amount_minor", flat=True)),
        ]
        transaction.set_rollback(True)
    return found


def _random(seed: int) -> Any:
    return Random(str(seed))


def test_a_seed_tells_the_same_story_and_another_seed_another(env: WorkflowEnvironment) -> None:
    one, again, other = drawn(env, 1), drawn(env, 1), drawn(env, 2)

    assert [sorted(map(str, part)) for part in one] == [sorted(map(str, part)) for part in again]
    assert one != other


def test_a_pace_that_stops_ends_the_story(env: WorkflowEnvironment) -> None:
    demo.seed()

    with pytest.raises(demo.Stopped):
        demo.tell(demo.Watching(lambda: True))
    assert not Application.objects.exists()

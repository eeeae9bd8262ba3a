"""The activities called as plain functions."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from tests.treasury.factories import TreasuryAccountFactory, balances
from tests.treasury.instrument_table import have_instruments
from treasury import activities, errors, operations
from treasury.contracts import Constraints
from treasury.events import CashAllocated, YieldOptimizationStarted
from treasury.models import TreasuryAggregate
from workflows import clock

pytestmark = pytest.mark.django_db

AMOUNT = Money(Decimal("100000.00"), "USD")


@pytest.fixture
def account():
    have_instruments()
    with clock.source(lambda: datetime(2026, 7, 15, tzinfo=UTC)):
        yield TreasuryAccountFactory()


def allocate(account, strategy="balanced"):
    return activities.allocate_cash(account_id=account.id, strategy=strategy, amount=AMOUNT)


def optimise(account, allocation, **constraints):
    return activities.optimise_yield(
        account_id=account.id, strategy="balanced", allocation=allocation, constraints=Constraints(**constraints)
    )


def test_names_are_app_label_and_function():
    assert [
        activity.name
        for activity in (
            activities.validate_prerequisites,
            activities.allocate_cash,
            activities.optimise_yield,
            activities.reverse_allocation,
        )
    ] == [
        "treasury.validate_prerequisites",
        "treasury.allocate_cash",
        "treasury.optimise_yield",
        "treasury.reverse_allocation",
    ]


def test_prerequisites_that_are_met_say_nothing(account):
    assert activities.validate_prerequisites(account_id=account.id, amount=AMOUNT) is None


@pytest.mark.parametrize(
    ("account_id", "amount", "code"),
    [
        (uuid.UUID(int=7), AMOUNT, "unknown_account"),
        (None, Money(1, "EUR"), "currency_mismatch"),
        (None, Money(0, "USD"), "amount_not_positive"),
        (None, Money(1_000_001, "USD"), "insufficient_funds"),
    ],
)
def test_prerequisites_that_are_not_met_are_refused_with_their_code(account, account_id, amount, code):
    with pytest.raises(errors.TreasuryError) as refused:
        activities.validate_prerequisites(account_id=account_id or account.id, amount=amount)

    assert refused.value.code == code


def test_allocating_moves_and_records(account):
    allocation = allocate(account)

    assert allocation.total_allocated == AMOUNT
    assert allocation.timestamp == datetime(2026, 7, 15, tzinfo=UTC)
    assert balances(account)["operating"] == "900000.00"
    (event,) = TreasuryAggregate.retrieve(account.id).recorded_events
    assert isinstance(event, CashAllocated)
    assert event.run_id is None


def test_optimising_records_the_proposal_and_moves_nothing(account):
    allocation = allocate(account)
    before = balances(account)

    optimization = optimise(account, allocation, target_yield=Decimal("6.0"))

    assert optimization.reached_yield == Decimal("5.760500")
    assert optimization.shortfall == Decimal("0.239500")
    assert balances(account) == before
    _, event = TreasuryAggregate.retrieve(account.id).recorded_events
    assert event == YieldOptimizationStarted(account_id=account.id, optimization=optimization)


def test_an_infeasible_proposal_is_not_recorded(account):
    allocation = allocate(account)

    with pytest.raises(errors.Infeasible):
        optimise(account, allocation, min_yield=Decimal(50))

    assert len(TreasuryAggregate.retrieve(account.id).recorded_events) == 1


def test_a_proposal_is_recorded_once_per_key(account):
    facts = {"account_id": account.id, "strategy": "balanced", "constraints": Constraints()}
    allocation = allocate(account)

    first = operations.propose_portfolio(key="step-2", allocation=allocation, **facts)

    assert operations.propose_portfolio(key="step-2", allocation=allocation, **facts) == first
    assert len(TreasuryAggregate.retrieve(account.id).recorded_events) == 2


def test_a_proposal_of_another_account_under_the_same_key_is_a_conflict(account):
    facts = {"strategy": "balanced", "constraints": Constraints(), "allocation": allocate(account)}
    operations.propose_portfolio(key="step-2", account_id=account.id, **facts)

    with pytest.raises(errors.IdempotencyConflict):
        operations.propose_portfolio(key="step-2", account_id=TreasuryAccountFactory().id, **facts)


def test_a_reversal_runs_only_as_the_undo_of_a_step(account):
    with pytest.raises(errors.UndoneKeyMissing):
        activities.reverse_allocation(account_id=account.id, amount=AMOUNT)


def test_an_account_in_a_currency_without_instruments_stays_uninvested():
    account = TreasuryAccountFactory(currency="EUR")
    amount = Money(100, "EUR")
    allocation = activities.allocate_cash(account_id=account.id, strategy="balanced", amount=amount)

    optimization = optimise(account, allocation)

    assert optimization.positions == ()
    assert Money.total((part.amount for part in optimization.uninvested), "EUR") == amount
    assert len(optimization.warnings) == 3

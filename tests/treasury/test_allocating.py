"""Allocating and undoing it: exact balances, one event each, safe to repeat."""

import uuid
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from ledger.errors import KeyVoided
from tests.treasury.factories import TreasuryAccountFactory, balances
from treasury import errors, operations, queries
from treasury.contracts import AllocationStatus, Reversal, ReversalOutcome
from treasury.events import AllocationReversed, CashAllocated
from treasury.models import Allocation, TreasuryAccount, TreasuryAggregate

pytestmark = pytest.mark.django_db

AMOUNT = Money(Decimal("100000.00"), "USD")
UNTOUCHED = {
    "operating": "1000000.00",
    "allocated_cash": "0.00",
    "allocated_bonds": "0.00",
    "allocated_equities": "0.00",
}
RUN = uuid.UUID(int=42)


@pytest.fixture
def account():
    return TreasuryAccountFactory()


def allocate(account, **changes):
    facts = {"key": "step-1", "account_id": account.id, "strategy": "balanced", "amount": AMOUNT, "run_id": RUN}
    return operations.allocate(**{**facts, **changes})


def reverse(account, **changes):
    facts = {"key": "undo-1", "undone_key": "step-1", "account_id": account.id, "amount": AMOUNT, "run_id": RUN}
    return operations.reverse_allocation(**{**facts, **changes})


def events(account):
    return TreasuryAggregate.retrieve(account.id).recorded_events


def test_an_allocation_moves_the_money_to_its_classes(account):
    allocation = allocate(account)

    assert balances(account) == {
        "operating": "900000.00",
        "allocated_cash": "20000.00",
        "allocated_bonds": "40000.00",
        "allocated_equities": "40000.00",
    }
    assert [(part.type.value, str(part.amount)) for part in allocation.allocations] == [
        ("cash", "20000.00 USD"),
        ("bonds", "40000.00 USD"),
        ("equities", "40000.00 USD"),
    ]
    assert allocation.total_allocated == AMOUNT
    assert allocation.warnings == ()


def test_an_allocation_is_recorded_as_row_and_event(account):
    allocation = allocate(account)

    (record,) = queries.list_allocations(account.id)
    assert (record.strategy, record.status, record.run_id) == ("balanced", AllocationStatus.ACTIVE, RUN)
    assert record.allocations == allocation.allocations
    (event,) = events(account)
    assert isinstance(event, CashAllocated)
    assert (event.allocation_id, event.allocations, event.run_id) == (record.id, allocation.allocations, RUN)


def test_an_unknown_strategy_keeps_all_of_it_in_cash_with_a_recorded_warning(account):
    allocation = allocate(account, strategy="yolo")

    assert balances(account)["allocated_cash"] == "100000.00"
    assert len(allocation.allocations) == 1
    assert "unknown strategy 'yolo'" in allocation.warnings[0]
    assert events(account)[0].warnings == allocation.warnings


def test_the_smallest_amount_goes_to_one_class(account):
    allocate(account, amount=Money(Decimal("0.01"), "USD"))

    assert balances(account)["allocated_bonds"] == "0.01"
    assert balances(account)["operating"] == "999999.99"


def test_the_same_key_gives_the_stored_allocation(account):
    first = allocate(account, strategy="yolo")
    second = allocate(account, strategy="yolo")

    assert second == first
    assert balances(account)["operating"] == "900000.00"
    assert len(events(account)) == 1


@pytest.mark.parametrize("changes", [{"strategy": "aggressive"}, {"amount": Money(1, "USD")}])
def test_the_same_key_with_other_facts_is_a_conflict(account, changes):
    allocate(account)

    with pytest.raises(errors.IdempotencyConflict):
        allocate(account, **changes)

    assert balances(account)["operating"] == "900000.00"


def test_the_same_key_on_another_account_is_a_conflict(account):
    allocate(account)

    with pytest.raises(errors.IdempotencyConflict):
        allocate(TreasuryAccountFactory())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account_id": uuid.UUID(int=7)}, "unknown_account"),
        ({"amount": Money(Decimal("1000000.01"), "USD")}, "insufficient_funds"),
        ({"amount": Money(0, "USD")}, "amount_not_positive"),
        ({"amount": Money(-5, "USD")}, "amount_not_positive"),
        ({"amount": Money(5, "EUR")}, "currency_mismatch"),
    ],
)
def test_what_cannot_be_allocated_is_refused_and_nothing_is_written(account, changes, code):
    with pytest.raises(errors.TreasuryError) as refused:
        allocate(account, **changes)

    assert refused.value.code == code
    assert balances(account) == UNTOUCHED
    assert events(account) == []
    assert Allocation.objects.count() == 0


def test_a_frozen_account_allocates_nothing(account):
    TreasuryAccount.objects.filter(pk=account.id).update(status="frozen")

    with pytest.raises(errors.AccountFrozen):
        allocate(account)


def test_a_reversal_restores_the_exact_balances(account):
    amount = Money(Decimal("333333.37"), "USD")
    allocate(account, amount=amount, strategy="aggressive")

    reversal = reverse(account, amount=amount)

    assert reversal == Reversal(outcome=ReversalOutcome.REVERSED, amount=amount)
    assert balances(account) == UNTOUCHED
    (record,) = queries.list_allocations(account.id)
    assert record.status is AllocationStatus.REVERSED
    assert record.reversed_at is not None


def test_a_reversal_is_recorded_once_however_often_it_runs(account):
    allocate(account)

    assert reverse(account) == reverse(account)
    assert reverse(account, key="undo-2").outcome is ReversalOutcome.REVERSED

    allocated, undone = events(account)
    assert isinstance(undone, AllocationReversed)
    assert (undone.allocation_id, undone.total_reversed, undone.run_id) == (allocated.allocation_id, AMOUNT, RUN)
    assert TreasuryAggregate.retrieve(account.id).active_allocations == {}
    assert balances(account) == UNTOUCHED


def test_undoing_what_never_happened_is_a_void_without_an_event(account):
    reversal = reverse(account)

    assert reversal == Reversal(outcome=ReversalOutcome.VOID)
    assert events(account) == []
    assert balances(account) == UNTOUCHED
    assert reverse(account) == reversal


def test_an_allocation_that_comes_after_its_undo_moves_nothing(account):
    reverse(account)

    with pytest.raises(KeyVoided):
        allocate(account)

    assert balances(account) == UNTOUCHED
    assert Allocation.objects.count() == 0
    assert events(account) == []


def test_an_undo_that_describes_another_allocation_is_refused(account):
    allocate(account)

    with pytest.raises(errors.IdempotencyConflict):
        reverse(account, amount=Money(1, "USD"))

    assert balances(account)["operating"] == "900000.00"

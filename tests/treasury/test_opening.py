"""Opening a treasury account: its money, its event, its key."""

import uuid
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from tests.treasury.factories import balances
from treasury import errors, operations, queries
from treasury.events import TreasuryAccountCreated
from treasury.models import StoredEvent, TreasuryAccount, TreasuryAggregate

pytestmark = pytest.mark.django_db

MILLION = Money(Decimal("1000000.00"), "USD")


def opened(**changes):
    facts = {"name": "Main", "currency": "USD", "initial_balance": MILLION, "key": "open-1"}
    return operations.open_treasury_account(**{**facts, **changes})


def test_the_opening_balance_comes_from_outside():
    account = opened()

    assert balances(account) == {
        "operating": "1000000.00",
        "allocated_cash": "0.00",
        "allocated_bonds": "0.00",
        "allocated_equities": "0.00",
    }
    outside = ledger_queries.find_account(owner="external", kind="external", currency="USD")
    assert outside.balance == -MILLION


def test_the_stream_begins_with_the_opening():
    account = opened()

    aggregate = TreasuryAggregate.retrieve(account.id)

    assert aggregate.recorded_events == [
        TreasuryAccountCreated(
            account_id=account.id, account_type="operating", name="Main", currency="USD", initial_balance=MILLION
        )
    ]
    assert aggregate.version == 1


def test_the_account_can_be_read():
    account = opened()

    assert queries.get_account(account.id) == account
    assert queries.list_accounts() == [account]
    assert account.ledger_owner == f"treasury:{account.id}"


@pytest.mark.parametrize("initial_balance", [None, Money(0, "USD")])
def test_an_account_may_begin_empty(initial_balance):
    account = opened(initial_balance=initial_balance)

    assert balances(account)["operating"] == "0.00"
    assert ledger_queries.find_account(owner="external", kind="external", currency="USD") is None


def test_the_same_key_gives_the_same_account_and_moves_nothing_more():
    first = opened()
    second = opened()

    assert second == first
    assert balances(first)["operating"] == "1000000.00"
    assert StoredEvent.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Other"},
        {"currency": "EUR", "initial_balance": Money(1, "EUR")},
        {"initial_balance": Money(1, "USD")},
        {"initial_balance": None},
        {"account_type": "reserve"},
    ],
)
def test_the_same_key_with_other_facts_is_a_conflict(changes):
    opened()

    with pytest.raises(errors.IdempotencyConflict) as refused:
        opened(**changes)

    assert refused.value.code == "idempotency_conflict"
    assert TreasuryAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"initial_balance": Money(1, "EUR")}, "currency_mismatch"),
        ({"initial_balance": Money(-1, "USD")}, "amount_not_positive"),
        ({"name": " "}, "invalid_account"),
        ({"name": "x" * 201}, "invalid_account"),
        ({"name": "NUL\x00"}, "invalid_account"),
        ({"name": "\ud800"}, "invalid_account"),
        ({"account_type": ""}, "invalid_account"),
        ({"currency": "XXX", "initial_balance": None}, "unknown_currency"),
        ({"key": ""}, "invalid_key"),
        ({"key": "k" * 300}, "invalid_key"),
    ],
)
def test_facts_that_do_not_fit_are_refused_and_nothing_is_written(changes, code):
    with pytest.raises(Exception) as refused:
        opened(**changes)

    assert refused.value.code == code
    assert TreasuryAccount.objects.count() == 0
    assert StoredEvent.objects.count() == 0


def test_other_currencies_have_their_own_outside():
    account = opened(currency="JPY", initial_balance=Money(5000, "JPY"))

    assert balances(account)["operating"] == "5000"
    assert ledger_queries.find_account(owner="external", kind="external", currency="JPY").balance == Money(-5000, "JPY")


def test_an_unknown_account_is_refused():
    with pytest.raises(errors.UnknownAccount) as refused:
        queries.get_account(uuid.UUID(int=7))

    assert refused.value.code == "unknown_account"

"""Opening accounts: once per owner, kind and currency, in a currency that exists."""

from uuid import uuid4

import pytest

from ledger import operations, queries
from ledger.errors import AccountConflict, InvalidAccount, UnknownAccount, UnknownCurrency
from tests.ledger.conftest import legs, usd

pytestmark = pytest.mark.django_db


def test_a_new_account_is_empty():
    account = operations.open_account(owner="carol", kind="operating", currency="KWD")

    assert (str(account.balance), str(account.held), str(account.available)) == ("0.000 KWD", "0.000 KWD", "0.000 KWD")


def test_opening_again_gives_the_account_that_exists(alice):
    again = operations.open_account(owner="alice", kind="operating", currency="USD")

    assert again.id == alice.id
    assert again.balance == usd("100.00")


def test_opening_with_another_rule_about_going_negative_is_a_conflict(alice):
    with pytest.raises(AccountConflict) as refusal:
        operations.open_account(owner="alice", kind="operating", currency="USD", may_go_negative=True)

    assert refusal.value.code == "account_conflict"


def test_owner_kind_and_currency_together_make_the_account(alice):
    other_kind = operations.open_account(owner="alice", kind="allocated_cash", currency="USD")
    other_currency = operations.open_account(owner="alice", kind="operating", currency="EUR")

    assert len({alice.id, other_kind.id, other_currency.id}) == 3


@pytest.mark.parametrize("currency", ["usd", "XXX", "XAU", "", "US", "DEM"])
def test_an_unknown_currency_opens_nothing(currency):
    with pytest.raises(UnknownCurrency) as refusal:
        operations.open_account(owner="carol", kind="operating", currency=currency)

    assert refusal.value.code == "unknown_currency"
    assert queries.list_accounts() == []


@pytest.mark.parametrize("owner", ["", "a\x00b", "\ud800", "x" * 201])
def test_an_owner_that_no_database_stores_is_refused(owner):
    with pytest.raises(InvalidAccount):
        operations.open_account(owner=owner, kind="operating", currency="USD")


def test_an_account_is_found_by_id_and_by_name(alice):
    by_name = queries.find_account(owner="alice", kind="operating", currency="USD")

    assert by_name is not None
    assert queries.get_account(alice.id) == by_name
    assert queries.find_account(owner="nobody", kind="operating", currency="USD") is None


def test_an_unknown_id_is_refused():
    with pytest.raises(UnknownAccount):
        queries.get_account(uuid4())


def test_accounts_are_listed_by_owner_and_currency(alice, bob, world):
    operations.open_account(owner="alice", kind="operating", currency="EUR")

    assert [account.id for account in queries.list_accounts(owner="alice", currency="USD")] == [alice.id]
    assert {account.owner for account in queries.list_accounts(currency="USD")} == {"alice", "bob", "world"}


def test_available_is_balance_less_held(alice):
    operations.place_hold(key="hold", account_id=alice.id, amount=usd("30.00"))
    operations.transfer(
        key="out", legs=legs(alice, queries.find_account(owner="world", kind="external", currency="USD"), usd("5.00"))
    )

    account = queries.get_account(alice.id)

    assert (account.balance, account.held, account.available) == (usd("95.00"), usd("30.00"), usd("65.00"))

"""Wallet accounts and their allow-lists."""

from datetime import timedelta
from uuid import uuid4

import pytest

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from tests.wallet.factories import money_of, open_account
from wallet import errors, operations, queries
from wallet.contracts import AccountStatus, DestinationStatus
from wallet.models import Customer, Destination, Event, WalletAccount
from wallet.rules import destinations as rules

pytestmark = pytest.mark.django_db

IBAN = "DE89370400440532013000"


def opened(**changes):
    facts = {
        "key": "k", "name": "Ada Byron", "email": "ada@example.com", "currency": "USD",
        "initial_balance": Money("1000.00", "USD"),
    }  # fmt: skip
    return operations.open_wallet_account(**{**facts, **changes})


def added(account, **changes):
    facts = {
        "key": "d", "account_id": account.id, "label": "Savings", "beneficiary": "Ada Byron", "address": IBAN,
    }  # fmt: skip
    return operations.add_destination(**{**facts, **changes})


# --- Accounts --------------------------------------------------------------------------------------------------------


def test_the_opening_balance_comes_from_outside():
    account = opened()

    assert money_of(account) == {"available": "1000.00", "held": "0.00", "in transit": "0.00"}
    outside = ledger_queries.find_account(owner="external", kind="external", currency="USD")
    assert outside.balance == Money("-1000.00", "USD")


def test_the_same_key_gives_the_same_account_and_moves_nothing_more():
    first, again = opened(), opened()

    assert (first.created, again.created, first) == (True, False, again)
    assert money_of(first)["available"] == "1000.00"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Somebody else"},
        {"email": "else@example.com"},
        {"currency": "EUR", "initial_balance": Money("1000.00", "EUR")},
        {"initial_balance": Money("1000.01", "USD")},
        {"initial_balance": None},
        {"key": "another"},
    ],
)
def test_a_used_key_or_a_second_account_of_a_currency_is_a_conflict(changes):
    opened()

    with pytest.raises(errors.IdempotencyConflict):
        opened(**changes)

    assert (WalletAccount.objects.count(), Customer.objects.count()) == (1, 1)


def test_a_customer_may_have_an_account_in_each_currency():
    one = opened()
    two = opened(key="eur", currency="EUR", initial_balance=None)

    assert one.customer == two.customer


def test_an_address_is_one_customer_however_it_is_written():
    opened()

    assert opened(email=" ADA@Example.com ").customer.email == "ada@example.com"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "invalid_customer"),
        ({"name": "x" * 141}, "invalid_customer"),
        ({"name": "a\nb"}, "invalid_customer"),
        ({"email": "nobody"}, "invalid_customer"),
        ({"email": "a@b.example\nBcc: all@example.com"}, "invalid_customer"),
        ({"initial_balance": Money("1.00", "EUR")}, "currency_mismatch"),
        ({"initial_balance": Money("-1.00", "USD")}, "amount_not_positive"),
        ({"currency": "XXX", "initial_balance": None}, "unknown_currency"),
        ({"key": ""}, "invalid_key"),
        ({"key": "k" * 241}, "invalid_key"),
    ],
)
def test_facts_that_do_not_make_an_account_are_refused(changes, code):
    with pytest.raises(Exception) as refused:
        opened(**changes)

    assert refused.value.code == code
    assert WalletAccount.objects.count() == 0


def test_freezing_is_recorded_with_who_and_why_and_once():
    account = opened()
    for _ in range(2):
        frozen = operations.freeze_account(account.id, actor="officer", reason=" a court order ")
    thawed = operations.unfreeze_account(account.id, actor="officer", reason="it was lifted")

    assert (frozen.status, thawed.status) == (AccountStatus.FROZEN, AccountStatus.ACTIVE)
    assert list(Event.objects.order_by("id").values_list("kind", "actor", "detail")) == [
        ("frozen", "officer", "a court order"),
        ("unfrozen", "officer", "it was lifted"),
    ]


@pytest.mark.parametrize("reason", ["", "  "])
def test_freezing_needs_a_reason(reason):
    account = opened()

    with pytest.raises(errors.ReasonMissing):
        operations.freeze_account(account.id, actor="officer", reason=reason)

    assert queries.get_account(account.id).status == AccountStatus.ACTIVE


@pytest.mark.parametrize("act", [operations.freeze_account, operations.unfreeze_account])
def test_an_account_that_is_unknown_is_refused(act):
    with pytest.raises(errors.UnknownAccount):
        act(uuid4(), actor="officer", reason="a court order")


# --- Destinations ----------------------------------------------------------------------------------------------------


def test_a_new_destination_cools_off_as_long_as_the_limits_say(workflow_env):
    destination = added(opened())

    assert destination.usable_from == workflow_env.now + timedelta(hours=24)
    assert destination.status == DestinationStatus.ALLOWED


@pytest.mark.parametrize("written", [IBAN, "DE89 3704 0044 0532 0130 00", " de89370400440532013000 "])
def test_an_address_is_stored_in_one_form(written):
    assert added(opened(), address=written).address == IBAN


@pytest.mark.parametrize("address", ["DE88370400440532013000", "GB29NWBK60161331926818", "ab", "x" * 65, "Zürich-1"])
def test_an_account_number_that_cannot_be_right_is_refused(address):
    with pytest.raises(errors.InvalidDestination):
        added(opened(), address=address)

    assert Destination.objects.count() == 0


@pytest.mark.parametrize(
    ("address", "country"), [(IBAN, "DE"), ("GB29NWBK60161331926819", "GB"), ("123456789", None), ("DE-17", None)]
)
def test_an_iban_tells_its_country(address, country):
    assert rules.country_of(rules.checked_address(address)) == country


@pytest.mark.parametrize("changes", [{"label": ""}, {"label": "x" * 141}, {"beneficiary": "a\tb"}])
def test_texts_that_do_not_fit_are_refused(changes):
    with pytest.raises(errors.InvalidDestination):
        added(opened(), **changes)


def test_an_address_is_on_a_list_once():
    account = opened()
    added(account)

    with pytest.raises(errors.InvalidDestination):
        added(account, key="another")
    assert added(open_account(), key="of another account").created


def test_the_same_key_gives_the_destination_that_exists_and_other_facts_a_conflict():
    account = opened()
    first = added(account)

    assert added(account) == first
    with pytest.raises(errors.IdempotencyConflict):
        added(account, label="Other")


def test_a_removed_address_can_be_added_again_and_cools_off_anew(workflow_env):
    account = opened()
    first = added(account)
    workflow_env.skip(timedelta(days=2))
    removed = operations.remove_destination(first.id, actor="desk")
    operations.remove_destination(first.id, actor="desk")

    again = added(account, key="again")

    assert removed.status == DestinationStatus.REMOVED
    assert again.usable_from == workflow_env.now + timedelta(hours=24)
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["destination_added", "destination_removed", "destination_added"]


def test_unknown_ones_are_refused():
    with pytest.raises(errors.UnknownDestination):
        operations.remove_destination(uuid4(), actor="desk")
    with pytest.raises(errors.UnknownAccount):
        added(type("Nobody", (), {"id": uuid4()})())

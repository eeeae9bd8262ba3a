"""Moving money: balanced, exact, refused as a whole when one leg cannot stand."""

from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from finaegis.shared.money import Money
from ledger import operations, queries
from ledger.contracts import Leg
from ledger.errors import (
    BalanceTooLarge,
    CurrencyMismatch,
    InsufficientFunds,
    InvalidDescription,
    InvalidTransfer,
    Unbalanced,
    UnknownAccount,
    UnknownTransfer,
)
from ledger.models import Posting, Transfer, UsedKey
from tests.ledger.conftest import legs, usd

pytestmark = pytest.mark.django_db


def balances(*accounts):
    return [queries.get_account(account.id).balance for account in accounts]


def counts():
    return Transfer.objects.count(), Posting.objects.count(), UsedKey.objects.count()


def test_a_transfer_moves_the_amount(alice, bob):
    run_id = uuid4()

    posted = operations.transfer(
        key="pay", legs=legs(alice, bob, usd("40.00")), description="rent", run_id=run_id, value_date=date(2026, 3, 1)
    )

    assert balances(alice, bob) == [usd("60.00"), usd("40.00")]
    assert posted.legs == (Leg(alice.id, usd("-40.00")), Leg(bob.id, usd("40.00")))
    assert (posted.description, posted.run_id, posted.value_date) == ("rent", run_id, date(2026, 3, 1))
    assert posted.reverses is None


def test_what_a_transfer_gives_is_what_is_read_later(alice, bob):
    posted = operations.transfer(key="pay", legs=legs(alice, bob, usd("40.00")))

    assert queries.get_transfer(key="pay") == posted
    with pytest.raises(UnknownTransfer):
        queries.get_transfer(key="other")


def test_one_transfer_serves_many_accounts_and_currencies(alice, bob, world):
    euros = operations.open_account(owner="bob", kind="operating", currency="EUR")
    outside = operations.open_account(owner="world", kind="external", currency="EUR", may_go_negative=True)
    fee = operations.open_account(owner="bank", kind="fees", currency="USD")

    operations.transfer(
        key="exchange",
        legs=[
            Leg(alice.id, usd("-50.00")),
            Leg(world.id, usd("49.00")),
            Leg(fee.id, usd("1.00")),
            Leg(outside.id, Money("-45.00", "EUR")),
            Leg(euros.id, Money("45.00", "EUR")),
        ],
    )

    assert balances(alice, fee, euros) == [usd("50.00"), usd("1.00"), Money("45.00", "EUR")]
    assert queries.verify() == []


def test_ten_and_twenty_cents_less_thirty_balance(alice, bob, world):
    operations.transfer(
        key="cents", legs=[Leg(bob.id, usd("0.10")), Leg(bob.id, usd("0.20")), Leg(alice.id, usd("-0.30"))]
    )
    operations.transfer(key="back", legs=legs(bob, alice, usd("0.30")))

    assert balances(alice, bob) == [usd("100.00"), usd("0.00")]


def test_a_trillion_dinars_and_one_fils_survive(db):
    outside = operations.open_account(owner="world", kind="external", currency="KWD", may_go_negative=True)
    account = operations.open_account(owner="carol", kind="operating", currency="KWD")

    operations.transfer(key="in", legs=legs(outside, account, Money("1000000000000.001", "KWD")))

    balance = queries.get_account(account.id).balance
    assert (balance.amount, str(balance)) == (Decimal("1000000000000.001"), "1000000000000.001 KWD")


def test_the_largest_amount_fits_and_one_more_is_refused(db):
    largest = Money.from_minor(2**63 - 1, "BTC")
    outside = operations.open_account(owner="world", kind="external", currency="BTC", may_go_negative=True)
    account = operations.open_account(owner="carol", kind="operating", currency="BTC")
    operations.transfer(key="in", legs=legs(outside, account, largest))

    with pytest.raises(BalanceTooLarge) as refusal:
        operations.transfer(key="more", legs=legs(outside, account, Money.from_minor(1, "BTC")))

    assert refusal.value.code == "balance_too_large"
    assert balances(account, outside) == [largest, -largest]
    assert queries.verify() == []


def test_more_than_is_available_moves_nothing(alice, bob):
    operations.place_hold(key="hold", account_id=alice.id, amount=usd("30.00"))
    before = counts()

    with pytest.raises(InsufficientFunds) as refusal:
        operations.transfer(key="pay", legs=legs(alice, bob, usd("70.01")))

    assert refusal.value.code == "insufficient_funds"
    assert (refusal.value.available, refusal.value.needed) == (usd("70.00"), usd("70.01"))
    assert counts() == before
    assert balances(alice, bob) == [usd("100.00"), usd("0.00")]


def test_a_refused_key_may_be_used_again(alice, bob):
    with pytest.raises(InsufficientFunds):
        operations.transfer(key="pay", legs=legs(alice, bob, usd("100.01")))

    operations.transfer(key="pay", legs=legs(alice, bob, usd("100.00")))

    assert balances(alice, bob) == [usd("0.00"), usd("100.00")]


def test_an_account_that_may_go_negative_pays_what_it_has_not(world, bob):
    operations.transfer(key="in", legs=legs(world, bob, usd("5.00")))

    assert balances(world, bob) == [usd("-5.00"), usd("5.00")]


def test_legs_that_do_not_sum_to_zero_are_refused(alice, bob):
    with pytest.raises(Unbalanced) as refusal:
        operations.transfer(key="pay", legs=[Leg(alice.id, usd("-10.00")), Leg(bob.id, usd("9.99"))])

    assert refusal.value.code == "unbalanced"
    assert balances(alice, bob) == [usd("100.00"), usd("0.00")]


def test_legs_balance_in_each_currency_apart(alice, bob):
    with pytest.raises(Unbalanced):
        operations.transfer(key="pay", legs=[Leg(alice.id, usd("-10.00")), Leg(bob.id, Money("10.00", "EUR"))])


@pytest.mark.parametrize("amounts", [[], ["0.00"], ["0.00", "0.00"], ["5.00", "-5.00", "0.00"]])
def test_a_transfer_needs_two_legs_and_none_is_zero(alice, amounts):
    with pytest.raises(InvalidTransfer):
        operations.transfer(key="pay", legs=[Leg(alice.id, usd(amount)) for amount in amounts])


def test_an_unknown_account_is_refused(alice):
    stranger = uuid4()

    with pytest.raises(UnknownAccount) as refusal:
        operations.transfer(key="pay", legs=[Leg(alice.id, usd("-1.00")), Leg(stranger, usd("1.00"))])

    assert refusal.value.account_id == stranger


def test_an_amount_in_another_currency_than_the_account_is_refused(alice, bob):
    with pytest.raises(CurrencyMismatch) as refusal:
        operations.transfer(key="pay", legs=legs(alice, bob, Money("1.00", "EUR")))

    assert refusal.value.code == "currency_mismatch"


@pytest.mark.parametrize("description", ["x" * 501, "a\x00", "\udfff"])
def test_a_description_that_no_database_stores_is_refused(alice, bob, description):
    with pytest.raises(InvalidDescription):
        operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")), description=description)


def test_transfers_are_listed_by_account_run_and_date(alice, bob, world):
    run_id = uuid4()
    operations.transfer(key="first", legs=legs(alice, bob, usd("1.00")), value_date=date(2026, 3, 1))
    operations.transfer(key="second", legs=legs(alice, bob, usd("2.00")), value_date=date(2026, 3, 2), run_id=run_id)

    def listed(**filters):
        return [transfer.key for transfer in queries.list_transfers(**filters)]

    assert listed(account_id=bob.id) == ["first", "second"]
    assert listed(account_id=world.id) == ["opening:alice"]
    assert listed(run_id=run_id) == ["second"]
    assert listed(account_id=bob.id, to_date=date(2026, 3, 1)) == ["first"]
    assert listed(account_id=bob.id, from_date=date(2026, 3, 2)) == ["second"]


def test_a_transfer_takes_few_statements(alice, bob, django_assert_max_num_queries):
    with django_assert_max_num_queries(11):  # savepoint, key, day (3 on Postgres), accounts, 4 writes, release
        operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")))

"""The ledger as it stood at the end of a business day."""

from datetime import date, timedelta

import pytest

from finaegis.shared.money import Money
from ledger import operations, queries
from ledger.queries import read_position, read_standing, read_trial_balance
from tests.ledger.conftest import legs, usd

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def days(world, alice, bob):
    """Alice begins with 100.00 USD, gets 10.00 on the second day, and loses them on the third, when Bob gets 2.00."""
    first = queries.get_business_date()
    second, third = first + DAY, first + 2 * DAY
    operations.open_business_day(day=second)
    operations.transfer(key="second", legs=legs(world, alice, usd("10.00")))
    operations.open_business_day(day=third)
    operations.reverse_transfer(key="back", undone_key="second", description="wrong")
    operations.transfer(key="third", legs=legs(world, bob, usd("2.00")))
    return first, second, third


def balances(**options):
    return {
        (item.owner, item.kind): (item.added.to_text(), item.taken.to_text(), item.balance.to_text())
        for item in read_trial_balance(**options)
        if item.added or item.taken
    }


def test_a_day_counts_what_was_dated_up_to_it(days) -> None:
    alice, bob = ("alice", "operating"), ("bob", "operating")

    first, second, third = (balances(until=day) for day in days)

    assert [day.get(alice) for day in (first, second, third)] == [
        ("100.00", "0.00", "100.00"), ("110.00", "0.00", "110.00"), ("110.00", "-10.00", "100.00"),
    ]  # fmt: skip
    assert [day.get(bob) for day in (first, second, third)] == [None, None, ("2.00", "0.00", "2.00")]


def test_the_turnover_of_one_day_leaves_out_the_days_before(days) -> None:
    third = balances(until=days[2], since=days[2])

    assert third["alice", "operating"] == ("0.00", "-10.00", "-10.00")
    assert third["bob", "operating"] == ("2.00", "0.00", "2.00")


def test_it_agrees_with_the_balances_and_sums_to_zero(days) -> None:
    lines = read_trial_balance(until=days[2])

    assert len(lines) == 3
    for line in lines:
        assert line.balance == queries.get_account(line.account_id).balance
        assert line.balance == line.added + line.taken
    assert Money.total((line.balance for line in lines), "USD") == Money.zero("USD")


def test_an_account_without_postings_is_in_it_from_the_day_it_was_opened(db) -> None:
    account = operations.open_account(owner="new", kind="empty", currency="USD")
    opened = queries.get_business_date()

    assert [line.account_id for line in read_trial_balance(until=opened)] == [account.id]
    assert read_trial_balance(until=date(2000, 1, 1)) == []


def test_a_reversed_transfer_stood_until_the_day_of_its_reversal(days) -> None:
    stood = [set(read_standing(["second", "third", "nothing"], until=day)) for day in days]

    assert stood == [set(), {"second"}, {"third"}]


def test_the_position_is_the_number_of_transfers_and_the_newest(days) -> None:
    newest = queries.get_transfer(key="third")

    position = read_position()

    assert (position.newest, position.posted_at) == (newest.id, newest.posted_at)
    assert position.transfers == len(queries.list_transfers())


def test_an_empty_ledger_has_a_position_too(db) -> None:
    position = read_position()

    assert (position.transfers, position.newest, position.posted_at) == (0, None, None)


def test_the_transfers_of_a_day_are_those_dated_on_it(days) -> None:
    assert [[item.key for item in queries.list_day(day)] for day in days] == [
        ["opening:alice"], ["second"], ["back", "third"],
    ]  # fmt: skip

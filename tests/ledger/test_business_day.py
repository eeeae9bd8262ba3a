"""The business date: what a transfer is dated by, and the closed days it never enters."""

from datetime import UTC, date, datetime

import pytest

from ledger import operations, queries
from ledger.errors import BusinessDayClosed
from tests.ledger.conftest import legs, usd
from workflows import clock

pytestmark = pytest.mark.django_db

NOW = datetime(2031, 5, 6, 23, 30, tzinfo=UTC)
TODAY, YESTERDAY, TOMORROW = date(2031, 5, 6), date(2031, 5, 5), date(2031, 5, 7)


@pytest.fixture(autouse=True)
def today(world, alice, bob):
    with clock.source(lambda: NOW):
        yield


def test_while_no_day_was_closed_today_is_the_business_date(alice, bob):
    posted = operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")))

    assert (posted.value_date, posted.posted_at) == (TODAY, NOW)
    assert queries.get_business_date() == TODAY


def test_the_open_business_date_is_the_default_value_date(alice, bob):
    operations.open_business_day(day=TOMORROW)

    assert operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00"))).value_date == TOMORROW
    assert queries.get_business_date() == TOMORROW


def test_a_transfer_into_a_closed_day_is_refused(alice, bob):
    operations.open_business_day(day=TODAY)

    with pytest.raises(BusinessDayClosed) as refusal:
        operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")), value_date=YESTERDAY)

    assert refusal.value.code == "business_day_closed"
    assert (refusal.value.value_date, refusal.value.open_date) == (YESTERDAY, TODAY)
    assert queries.get_account(bob.id).balance == usd("0.00")


def test_the_open_day_and_later_ones_take_transfers(alice, bob):
    operations.open_business_day(day=TODAY)

    for day in (TODAY, TOMORROW):
        posted = operations.transfer(key=f"pay:{day}", legs=legs(alice, bob, usd("1.00")), value_date=day)
        assert posted.value_date == day


def test_an_undo_is_dated_by_the_open_day_not_by_what_it_undoes(alice, bob):
    operations.open_business_day(day=YESTERDAY)
    operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")))
    operations.open_business_day(day=TODAY)

    undone = operations.reverse_transfer(key="undo", undone_key="pay")

    assert undone.transfer is not None
    assert undone.transfer.value_date == TODAY


def test_a_transfer_repeated_after_its_day_closed_gives_the_stored_one(alice, bob):
    first = operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")), value_date=TODAY)
    operations.open_business_day(day=TOMORROW)

    assert operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")), value_date=TODAY) == first


def test_a_closed_day_stays_closed(db):
    operations.open_business_day(day=TODAY)
    operations.open_business_day(day=TODAY)

    with pytest.raises(BusinessDayClosed):
        operations.open_business_day(day=YESTERDAY)

    assert queries.get_business_date() == TODAY

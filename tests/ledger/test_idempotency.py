"""Keys: one effect each. The same call again gives the stored result, another call with the key is refused."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from ledger import operations, queries
from ledger.contracts import Leg
from ledger.errors import IdempotencyConflict, InvalidKey
from ledger.models import Transfer
from tests.ledger.conftest import legs, usd

pytestmark = pytest.mark.django_db


def test_the_same_transfer_again_gives_the_stored_one_and_moves_nothing(alice, bob):
    first = operations.transfer(key="pay", legs=legs(alice, bob, usd("10.00")))

    again = operations.transfer(key="pay", legs=legs(alice, bob, usd("10.00")), run_id=uuid4())

    assert again == first
    assert queries.get_account(bob.id).balance == usd("10.00")


def test_the_order_of_legs_makes_no_other_transfer(alice, bob):
    first = operations.transfer(key="pay", legs=legs(alice, bob, usd("10.00")))

    assert operations.transfer(key="pay", legs=list(reversed(legs(alice, bob, usd("10.00"))))) == first


def test_a_repetition_stands_when_the_money_is_gone_meanwhile(alice, bob):
    first = operations.transfer(key="pay", legs=legs(alice, bob, usd("60.00")))
    operations.transfer(key="rest", legs=legs(alice, bob, usd("40.00")))

    assert operations.transfer(key="pay", legs=legs(alice, bob, usd("60.00"))) == first


@pytest.mark.parametrize(
    "changed",
    [
        {"legs": "12.00"},
        {"legs": "10.00", "description": "other"},
        {"legs": "10.00", "value_date": date(2031, 1, 1)},
    ],
)
def test_another_transfer_with_the_key_is_a_conflict(alice, bob, changed):
    operations.transfer(key="pay", legs=legs(alice, bob, usd("10.00")))

    with pytest.raises(IdempotencyConflict) as refusal:
        operations.transfer(key="pay", **{**changed, "legs": legs(alice, bob, usd(changed["legs"]))})

    assert (refusal.value.code, refusal.value.key) == ("idempotency_conflict", "pay")
    assert queries.get_account(bob.id).balance == usd("10.00")


def test_a_key_serves_one_act_only(alice, bob):
    operations.transfer(key="pay", legs=legs(alice, bob, usd("10.00")))

    with pytest.raises(IdempotencyConflict):
        operations.place_hold(key="pay", account_id=alice.id, amount=usd("10.00"))
    with pytest.raises(IdempotencyConflict):
        operations.reverse_transfer(key="pay", undone_key="other")


def test_the_database_keeps_a_second_transfer_with_the_key_out(alice, bob):
    operations.transfer(key="pay", legs=legs(alice, bob, usd("10.00")))
    second = Transfer.objects.get(key="pay")
    second.pk = uuid4()

    with pytest.raises(IntegrityError), transaction.atomic():
        second.save(force_insert=True)


@pytest.mark.parametrize("key", ["", "x" * 301, "a\x00b", "\ud800", None, 7])
def test_what_is_no_key_is_refused(alice, bob, key):
    with pytest.raises(InvalidKey) as refusal:
        operations.transfer(key=key, legs=legs(alice, bob, usd("1.00")))

    assert refusal.value.code == "invalid_key"


def test_a_key_of_any_script_is_kept_as_given(alice, bob):
    key = "zahlung:ü/€ 😀"

    operations.transfer(key=key, legs=legs(alice, bob, usd("1.00")))

    assert queries.get_transfer(key=key).legs[1] == Leg(bob.id, usd("1.00"))

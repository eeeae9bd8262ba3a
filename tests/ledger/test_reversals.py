"""Undoing a transfer by its key: the money goes back once, and a key that was never used never moves any."""

import pytest

from ledger import operations, queries
from ledger.errors import IdempotencyConflict, InsufficientFunds, InvalidKey, KeyVoided, NotReversible
from ledger.models import Transfer
from tests.ledger.conftest import legs, usd

pytestmark = pytest.mark.django_db


def balance(account):
    return queries.get_account(account.id).balance


@pytest.fixture
def paid(alice, bob):
    return operations.transfer(key="pay", legs=legs(alice, bob, usd("40.00")))


def test_an_undo_posts_the_opposite_transfer(alice, bob, paid):
    undone = operations.reverse_transfer(key="undo", undone_key="pay", description="undone")

    assert undone.outcome == "reversed"
    assert undone.transfer is not None
    assert undone.transfer.reverses == paid.id
    assert undone.transfer.legs == tuple(legs(alice, bob, usd("-40.00")))
    assert (balance(alice), balance(bob)) == (usd("100.00"), usd("0.00"))
    assert queries.verify() == []


def test_repeating_an_undo_gives_the_stored_outcome(alice, paid):
    first = operations.reverse_transfer(key="undo", undone_key="pay")

    assert operations.reverse_transfer(key="undo", undone_key="pay") == first
    assert balance(alice) == usd("100.00")


def test_a_second_undo_with_another_key_moves_nothing_more(alice, paid):
    first = operations.reverse_transfer(key="undo", undone_key="pay")

    assert operations.reverse_transfer(key="undo again", undone_key="pay") == first
    assert operations.reverse_transfer(key="undo again", undone_key="pay") == first
    assert balance(alice) == usd("100.00")


def test_the_undone_transfer_repeated_afterwards_gives_the_stored_one(alice, bob, paid):
    operations.reverse_transfer(key="undo", undone_key="pay")

    assert operations.transfer(key="pay", legs=legs(alice, bob, usd("40.00"))) == paid
    assert balance(alice) == usd("100.00")


def test_undoing_a_key_that_was_never_used_records_a_void(alice):
    undone = operations.reverse_transfer(key="undo", undone_key="pay")

    assert (undone.outcome, undone.transfer) == ("void", None)
    assert Transfer.objects.filter(key__in=["undo", "pay"]).count() == 0


def test_a_transfer_with_a_voided_key_is_refused_for_ever(alice, bob):
    operations.reverse_transfer(key="undo", undone_key="pay")

    for _ in range(2):
        with pytest.raises(KeyVoided) as refusal:
            operations.transfer(key="pay", legs=legs(alice, bob, usd("40.00")))

    assert (refusal.value.code, refusal.value.key) == ("key_voided", "pay")
    assert balance(alice) == usd("100.00")


def test_a_void_stays_a_void_when_it_is_undone_again(alice):
    first = operations.reverse_transfer(key="undo", undone_key="pay")

    assert operations.reverse_transfer(key="undo", undone_key="pay") == first
    assert operations.reverse_transfer(key="other undo", undone_key="pay") == first


def test_an_undo_whose_money_is_gone_is_refused_and_may_be_tried_again(alice, bob, world, paid):
    operations.transfer(key="spent", legs=legs(bob, world, usd("30.00")))
    with pytest.raises(InsufficientFunds):
        operations.reverse_transfer(key="undo", undone_key="pay")
    operations.transfer(key="returned", legs=legs(world, bob, usd("30.00")))

    operations.reverse_transfer(key="undo", undone_key="pay")

    assert balance(alice) == usd("100.00")


def test_an_undo_cannot_be_undone(paid):
    operations.reverse_transfer(key="undo", undone_key="pay")

    with pytest.raises(NotReversible) as refusal:
        operations.reverse_transfer(key="undo the undo", undone_key="undo")

    assert refusal.value.code == "not_reversible"


def test_a_hold_is_released_not_reversed(alice):
    operations.place_hold(key="hold", account_id=alice.id, amount=usd("1.00"))

    with pytest.raises(NotReversible):
        operations.reverse_transfer(key="undo", undone_key="hold")


def test_an_undo_has_a_key_of_its_own(paid):
    with pytest.raises(InvalidKey):
        operations.reverse_transfer(key="pay", undone_key="pay")


def test_an_undo_key_stands_for_one_undone_key(paid):
    operations.reverse_transfer(key="undo", undone_key="pay")

    with pytest.raises(IdempotencyConflict):
        operations.reverse_transfer(key="undo", undone_key="other")


def test_a_captured_hold_is_undone_by_its_capture_key(alice, bob):
    operations.place_hold(key="hold", account_id=alice.id, amount=usd("30.00"))
    operations.capture_hold(key="capture", hold_key="hold", amount=usd("20.00"), to_account_id=bob.id)

    undone = operations.reverse_transfer(key="undo", undone_key="capture")

    assert undone.outcome == "reversed"
    assert queries.get_account(alice.id).available == usd("100.00")
    assert queries.verify() == []

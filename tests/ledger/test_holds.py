"""Holds: money set aside, resolved once - captured, released or expired."""

from uuid import uuid4

import pytest

from finaegis.shared.money import Money
from ledger import operations, queries
from ledger.contracts import HoldStatus, Leg
from ledger.errors import (
    AmountNotPositive,
    CaptureTooLarge,
    CurrencyMismatch,
    HoldNotOpen,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidTransfer,
    KeyVoided,
    UnknownAccount,
    UnknownHold,
)
from tests.ledger.conftest import legs, usd

pytestmark = pytest.mark.django_db


def figures(account):
    """Balance, held and available."""
    now = queries.get_account(account.id)
    return [amount.to_text() for amount in (now.balance, now.held, now.available)]


@pytest.fixture
def hold(alice):
    return operations.place_hold(key="hold", account_id=alice.id, amount=usd("30.00"))


def test_a_hold_takes_from_what_is_available_not_from_the_balance(alice):
    run_id = uuid4()

    hold = operations.place_hold(key="hold", account_id=alice.id, amount=usd("30.00"), run_id=run_id)

    assert figures(alice) == ["100.00", "30.00", "70.00"]
    assert (hold.amount, hold.captured, hold.status, hold.run_id) == (usd("30.00"), usd("0.00"), "held", run_id)
    assert queries.get_hold(key="hold") == hold


def test_more_than_is_available_is_not_held(alice, hold):
    with pytest.raises(InsufficientFunds):
        operations.place_hold(key="second", account_id=alice.id, amount=usd("70.01"))

    assert figures(alice) == ["100.00", "30.00", "70.00"]


def test_placing_again_gives_the_stored_hold(alice, hold):
    assert operations.place_hold(key="hold", account_id=alice.id, amount=usd("30.00")) == hold
    assert figures(alice) == ["100.00", "30.00", "70.00"]


def test_placing_another_amount_with_the_key_is_a_conflict(alice, hold):
    with pytest.raises(IdempotencyConflict):
        operations.place_hold(key="hold", account_id=alice.id, amount=usd("31.00"))


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_a_hold_is_more_than_zero(alice, amount):
    with pytest.raises(AmountNotPositive):
        operations.place_hold(key="hold", account_id=alice.id, amount=usd(amount))


def test_a_hold_is_in_the_currency_of_its_account(alice):
    with pytest.raises(CurrencyMismatch):
        operations.place_hold(key="hold", account_id=alice.id, amount=Money("1.00", "EUR"))


def test_a_hold_needs_an_account(alice):
    with pytest.raises(UnknownAccount):
        operations.place_hold(key="hold", account_id=uuid4(), amount=usd("1.00"))


def test_a_full_capture_posts_a_transfer(alice, bob, hold):
    run_id = uuid4()

    captured = operations.capture_hold(
        key="capture", hold_key="hold", amount=usd("30.00"), to_account_id=bob.id, run_id=run_id
    )

    assert (captured.status, captured.captured) == (HoldStatus.CAPTURED, usd("30.00"))
    assert figures(alice) == ["70.00", "0.00", "70.00"]
    posted = queries.get_transfer(key="capture")
    assert posted.legs == (Leg(alice.id, usd("-30.00")), Leg(bob.id, usd("30.00")))
    assert posted.run_id == run_id


def test_a_partial_capture_releases_the_rest(alice, bob, hold):
    captured = operations.capture_hold(key="capture", hold_key="hold", amount=usd("12.50"), to_account_id=bob.id)

    assert (captured.amount, captured.captured) == (usd("30.00"), usd("12.50"))
    assert figures(alice) == ["87.50", "0.00", "87.50"]
    assert figures(bob) == ["12.50", "0.00", "12.50"]
    assert queries.verify() == []


def test_a_capture_stands_where_nothing_else_is_available(alice, bob, world, hold):
    operations.transfer(key="rest", legs=legs(alice, world, usd("70.00")))

    operations.capture_hold(key="capture", hold_key="hold", amount=usd("30.00"), to_account_id=bob.id)

    assert figures(alice) == ["0.00", "0.00", "0.00"]


def test_capturing_again_gives_the_stored_hold(alice, bob, hold):
    first = operations.capture_hold(key="capture", hold_key="hold", amount=usd("10.00"), to_account_id=bob.id)

    assert operations.capture_hold(key="capture", hold_key="hold", amount=usd("10.00"), to_account_id=bob.id) == first
    assert figures(bob) == ["10.00", "0.00", "10.00"]


def test_a_hold_is_captured_once(bob, hold):
    operations.capture_hold(key="capture", hold_key="hold", amount=usd("10.00"), to_account_id=bob.id)

    with pytest.raises(HoldNotOpen) as refusal:
        operations.capture_hold(key="second", hold_key="hold", amount=usd("10.00"), to_account_id=bob.id)

    assert (refusal.value.code, refusal.value.status) == ("hold_not_open", "captured")


def test_more_than_is_held_is_not_captured(alice, bob, hold):
    with pytest.raises(CaptureTooLarge) as refusal:
        operations.capture_hold(key="capture", hold_key="hold", amount=usd("30.01"), to_account_id=bob.id)

    assert refusal.value.code == "capture_too_large"
    assert figures(alice) == ["100.00", "30.00", "70.00"]


@pytest.mark.parametrize("amount", [Money("1.00", "EUR"), Money("99.00", "EUR")])
def test_a_capture_is_in_the_currency_of_its_hold(bob, hold, amount):
    with pytest.raises(CurrencyMismatch):
        operations.capture_hold(key="capture", hold_key="hold", amount=amount, to_account_id=bob.id)


def test_a_capture_goes_to_another_account(alice, hold):
    with pytest.raises(InvalidTransfer):
        operations.capture_hold(key="capture", hold_key="hold", amount=usd("1.00"), to_account_id=alice.id)


def test_an_unknown_hold_is_not_captured(bob):
    with pytest.raises(UnknownHold):
        operations.capture_hold(key="capture", hold_key="hold", amount=usd("1.00"), to_account_id=bob.id)


def test_a_release_gives_the_money_back(alice, bob, hold):
    released = operations.release_hold(key="release", hold_key="hold")

    assert released is not None
    assert (released.status, released.captured) == (HoldStatus.RELEASED, usd("0.00"))
    assert figures(alice) == ["100.00", "0.00", "100.00"]
    with pytest.raises(HoldNotOpen):
        operations.capture_hold(key="capture", hold_key="hold", amount=usd("1.00"), to_account_id=bob.id)


def test_repeating_a_release_changes_nothing(alice, hold):
    first = operations.release_hold(key="release", hold_key="hold")

    assert operations.release_hold(key="release", hold_key="hold") == first
    assert operations.release_hold(key="second", hold_key="hold") == first
    assert figures(alice) == ["100.00", "0.00", "100.00"]


def test_releasing_a_captured_hold_is_a_no_op(alice, bob, hold):
    captured = operations.capture_hold(key="capture", hold_key="hold", amount=usd("10.00"), to_account_id=bob.id)

    assert operations.release_hold(key="release", hold_key="hold") == captured
    assert figures(alice) == ["90.00", "0.00", "90.00"]


def test_releasing_a_hold_that_was_never_placed_voids_its_key(alice):
    assert operations.release_hold(key="release", hold_key="hold") is None
    assert operations.release_hold(key="release", hold_key="hold") is None

    with pytest.raises(KeyVoided) as refusal:
        operations.place_hold(key="hold", account_id=alice.id, amount=usd("30.00"))

    assert refusal.value.code == "key_voided"
    assert figures(alice) == ["100.00", "0.00", "100.00"]


def test_the_key_of_a_transfer_is_no_hold_to_release(alice, bob):
    operations.transfer(key="pay", legs=legs(alice, bob, usd("1.00")))

    with pytest.raises(UnknownHold):
        operations.release_hold(key="release", hold_key="pay")


def test_an_expiry_gives_the_money_back_once(alice, hold):
    expired = operations.expire_hold(key="expire", hold_key="hold")

    assert expired.status == HoldStatus.EXPIRED
    assert operations.expire_hold(key="expire", hold_key="hold") == expired
    assert operations.release_hold(key="release", hold_key="hold") == expired
    assert figures(alice) == ["100.00", "0.00", "100.00"]


def test_an_expiry_voids_nothing(alice):
    with pytest.raises(UnknownHold):
        operations.expire_hold(key="expire", hold_key="hold")

    assert operations.place_hold(key="hold", account_id=alice.id, amount=usd("1.00")).status == HoldStatus.HELD


def test_one_key_ends_one_hold(alice, hold):
    operations.place_hold(key="second", account_id=alice.id, amount=usd("1.00"))
    operations.release_hold(key="release", hold_key="hold")

    with pytest.raises(IdempotencyConflict):
        operations.release_hold(key="release", hold_key="second")


def test_an_account_that_may_go_negative_holds_what_it_has_not(world):
    operations.place_hold(key="hold", account_id=world.id, amount=usd("5.00"))

    assert figures(world) == ["0.00", "5.00", "-5.00"]
    assert queries.verify() == []


def test_holds_are_listed_by_account_run_and_status(alice, world, hold):
    run_id = uuid4()
    operations.place_hold(key="second", account_id=world.id, amount=usd("5.00"), run_id=run_id)
    operations.release_hold(key="release", hold_key="hold")

    def listed(**filters):
        return [item.key for item in queries.list_holds(**filters)]

    assert listed() == ["hold", "second"]
    assert listed(account_id=alice.id) == ["hold"]
    assert listed(run_id=run_id) == ["second"]
    assert listed(status=HoldStatus.RELEASED) == ["hold"]

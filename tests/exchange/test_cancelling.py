"""Cancels: what is open comes back, what was filled stands, and halting stops no cancel."""

import uuid

import pytest

from exchange import errors, operations, queries
from exchange.models import Order
from tests.exchange.factories import assert_sound, money_of, place, submit

pytestmark = pytest.mark.django_db

UNTOUCHED = ("1000000.00", "0.00", "0.00")


def cancel(order_id):
    return operations.cancel_order(order_id, actor="olga", detail="the customer called")


def test_a_resting_order_is_cancelled_and_its_hold_released(ada):
    order = submit(ada, "buy", "0.10", "30000")

    cancelled = cancel(order.id)

    assert (str(cancelled.status), cancelled.reason) == ("cancelled", "requested")
    assert money_of(ada)["USD"] == UNTOUCHED
    assert queries.get_book("BTC-USD").bids == ()
    assert_sound()


def test_a_partly_filled_order_keeps_its_fills(ada, bob):
    order = submit(ada, "buy", "0.30", "30000")
    submit(bob, "sell", "0.10", "30000")

    cancelled = cancel(order.id)

    assert (str(cancelled.status), f"{cancelled.filled:.2f}") == ("cancelled", "0.10")
    assert money_of(ada)["USD"] == ("996997.00", "0.00", "3003.00")
    assert_sound()


def test_a_cancel_takes_its_place_in_the_books_order(ada):
    order = submit(ada, "buy", "0.10", "30000")
    submit(ada, "buy", "0.10", "29999")
    cancel(order.id)

    row = Order.objects.get(pk=order.id)
    assert (row.sequence, row.cancel_sequence) == (1, 3)


def test_an_accepted_order_is_cancelled_before_it_comes_to_its_book(ada):
    order_id = place(ada, "buy", "0.10", "30000")
    cancel(order_id)

    assert operations.match_order(order_id).status == "cancelled"
    assert money_of(ada)["USD"] == UNTOUCHED


def test_cancelling_twice_changes_nothing(ada):
    order = submit(ada, "buy", "0.10", "30000")
    cancel(order.id)
    cancel(order.id)

    assert [str(event.kind) for event in queries.list_order_events(order.id)] == ["received", "accepted", "cancelled"]


def test_who_cancelled_and_why_is_on_record(ada):
    order = submit(ada, "buy", "0.10", "30000")
    cancel(order.id)

    told = queries.list_order_events(order.id)[-1]
    assert (told.actor, told.detail) == ("olga", "the customer called")


def test_a_filled_order_cannot_be_cancelled(ada, bob):
    order = submit(ada, "buy", "0.10", "30000")
    submit(bob, "sell", "0.10", "30000")

    with pytest.raises(errors.OrderClosed) as refused:
        cancel(order.id)

    assert refused.value.status == "filled"
    assert queries.get_order(order.id).status == "filled"


def test_an_order_that_is_not_there_cannot_be_cancelled(btc):
    with pytest.raises(errors.UnknownOrder):
        cancel(uuid.uuid4())


def test_while_an_instrument_is_halted_orders_are_refused_and_cancels_served(ada):
    order = submit(ada, "buy", "0.10", "30000")
    operations.halt_instrument("BTC-USD", actor="olga", reason="news")

    with pytest.raises(errors.InvalidOrder) as refused:
        place(ada, "buy", "0.10", "30000")

    assert refused.value.reason == "halted"
    assert str(cancel(order.id).status) == "cancelled"
    operations.open_instrument("BTC-USD", actor="olga", reason="it is over")
    assert submit(ada, "buy", "0.10", "30000").status == "open"

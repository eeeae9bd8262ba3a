"""The database itself keeps trades and events as they were written, whoever writes."""

import pytest
from django.db import Error, transaction

from exchange import operations
from exchange.models import Event, Order, Trade
from tests.exchange.factories import submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def trade(ada, bob):
    submit(ada, "sell", "0.10", "30000")
    submit(bob, "buy", "0.10", "30000")
    return Trade.objects.get()


def refused(write):
    try:
        with transaction.atomic():
            write()
    except Error:
        return True
    return False


@pytest.mark.parametrize(
    "change",
    [{"price_units": 1}, {"quantity_minor": 1}, {"notional_minor": 1}, {"buyer_fee_minor": 0}, {"seller_fee_minor": 0},
     {"number": 9}, {"currency": "EUR"}, {"taker_side": "sell"}],
)  # fmt: skip
def test_a_trades_facts_are_never_edited(trade, change):
    assert refused(lambda: Trade.objects.filter(pk=trade.pk).update(**change))


def test_a_settled_trade_is_final(trade):
    operations.settle_trade(trade.id)

    for status, reason in (("matched", ""), ("held", "x")):
        assert refused(
            lambda status=status, reason=reason: Trade.objects.update(
                status=status, hold_reason=reason, settled_at=None
            )
        )


def test_a_held_trade_does_not_go_back_to_matched(trade):
    operations.hold_trade(trade.id, reason="busy", details="busy")

    assert refused(lambda: Trade.objects.update(status="matched", hold_reason=""))


def test_trades_and_events_are_kept(trade):
    assert refused(lambda: Trade.objects.filter(pk=trade.pk)._raw_delete("default"))
    assert refused(lambda: Event.objects.all()._raw_delete("default"))
    assert refused(lambda: Event.objects.update(actor="somebody else"))


@pytest.mark.parametrize(
    "change",
    [{"filled_minor": 10**12}, {"filled_minor": -1}, {"hold_number": None}, {"closed_at": None, "status": "filled"},
     {"status": "resting"}, {"price_units": None}, {"time_in_force": "IOC"}, {"sequence": None}],
)  # fmt: skip
def test_an_order_is_never_filled_beyond_what_was_ordered_nor_rests_without_its_hold(ada, change):
    submit(ada, "buy", "0.10", "30000")

    assert refused(lambda: Order.objects.update(**change))


def test_nobody_trades_with_himself(trade):
    row = Trade.objects.get()
    row.pk, row.number, row.seller_id = None, 2, row.buyer_id

    assert refused(lambda: row.save(force_insert=True))


def test_two_orders_of_a_book_have_two_sequences(ada):
    submit(ada, "buy", "0.10", "30000")
    submit(ada, "buy", "0.10", "30000")

    assert refused(lambda: Order.objects.update(sequence=1))

"""Batches: a hundred orders in one transaction, a bad one reported alone, and going on where one stopped."""

import pytest
from django.db import DatabaseError

from exchange import operations, queries
from exchange.contracts import BatchOrder
from exchange.models import BatchEntry, Order, Trade
from exchange.operations import batches
from exchange.workflows import OrderBatchWorkflow
from tests.exchange.factories import assert_sound, money_of, submit
from tests.exchange.flows import full_seller, make_room, trade_statuses

pytestmark = pytest.mark.django_db


def order(account, side="buy", quantity="0.01", price="30000", **changed):
    given = {
        "account_id": str(account.id), "symbol": "BTC-USD", "side": side, "type": "limit", "quantity": quantity,
        "price": price,
    }  # fmt: skip
    return BatchOrder(**{**given, **changed})


def statuses(results):
    return [(item.position, str(item.status), item.error) for item in results]


def test_orders_of_a_batch_are_matched_and_settled_one_after_the_other(ada, bob):
    results = operations.process_order_batch(
        [order(ada, "sell"), order(bob), order(bob, price="29999"), order(ada, "sell", price="29999")], key="b"
    )

    assert statuses(results) == [(0, "open", None), (1, "filled", None), (2, "open", None), (3, "filled", None)]
    assert trade_statuses() == ["settled", "settled"]
    assert queries.get_order(results[0].order_id).status == "filled"
    assert_sound()


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"price": "30000.50"}, "invalid_order"),
        ({"price": "much"}, "invalid_input"),
        ({"price": "-1"}, "invalid_order"),
        ({"price": None}, "invalid_order"),
        ({"side": "hold"}, "invalid_input"),
        ({"quantity": "1E3"}, "invalid_input"),
        ({"account_id": "mine"}, "invalid_input"),
        ({"account_id": "00000000-0000-0000-0000-000000000007"}, "unknown_account"),
        ({"symbol": "ETH-BTC"}, "invalid_order"),
        ({"quantity": "99"}, "insufficient_funds"),
        ({"type": "market", "price": None, "spend_cap": "1.001"}, "amount_too_precise"),
        ({"type": "market", "price": None, "spend_cap": "1.00", "symbol": "ETH-BTC"}, "unknown_instrument"),
        ({"time_in_force": "GTD"}, "invalid_input"),
    ],
)
def test_a_bad_order_is_reported_alone_and_leaves_nothing_behind(ada, bad, error):
    results = operations.process_order_batch([order(ada), order(ada, **bad), order(ada)], key="b")

    assert statuses(results) == [(0, "open", None), (1, "refused", error), (2, "open", None)]
    assert results[1].detail
    assert Order.objects.count() == 2
    assert_sound()


def test_a_batch_is_processed_by_the_hundred(ada):
    told = []

    results = operations.process_order_batch([order(ada)] * 250, key="b", progress=told.append)

    assert told == [100, 200, 250]
    assert len(results) == 250


def test_a_batch_that_broke_off_goes_on_at_the_transaction_that_was_not_committed(ada, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_SIZE", 10)
    real, seen = batches._processed, []

    def breaking(item, *, key):
        seen.append(key)
        if len(seen) == 16:
            raise DatabaseError("the connection is gone")
        return real(item, key=key)

    monkeypatch.setattr(batches, "_processed", breaking)
    with pytest.raises(DatabaseError):
        operations.process_order_batch([order(ada)] * 25, key="b")
    assert (Order.objects.count(), BatchEntry.objects.count()) == (10, 10)

    results = operations.process_order_batch([order(ada)] * 25, key="b")

    assert [item.position for item in results] == list(range(25))
    assert seen[16] == "b/10"
    assert Order.objects.count() == 25
    assert_sound()


def test_a_batch_that_is_repeated_gives_what_it_gave(ada, bob):
    given = [order(ada, "sell"), order(bob), order(bob, side="x")]
    first = operations.process_order_batch(given, key="b")

    assert operations.process_order_batch(given, key="b") == first
    assert Order.objects.count() == 2


def test_a_trade_of_a_batch_that_cannot_be_settled_is_held_and_the_batch_goes_on(bob):
    seller = full_seller()
    submit(seller, "sell", "0.01", "30000")

    results = operations.process_order_batch([order(bob), order(bob, price="29999")], key="b")

    assert statuses(results) == [(0, "filled", None), (1, "open", None)]
    assert trade_statuses() == ["held"]
    assert money_of(bob)["USD"][2] == "300.60"
    assert_sound()


def test_an_operator_settles_a_held_trade_that_no_run_waits_for(bob):
    seller = full_seller()
    submit(seller, "sell", "0.01", "30000")
    operations.process_order_batch([order(bob)], key="b")
    make_room(seller)

    settled = operations.settle_held_trade(Trade.objects.get().id, actor="olga", reason="there is room now")

    assert (str(settled.status), settled.run_id) == ("settled", None)
    assert_sound()


def test_the_workflow_gives_how_many_it_processed_and_what_became_of_each(env, ada, bob):
    result = env.run(OrderBatchWorkflow, (order(ada, "sell"), order(bob), order(bob, price="30000.5")))

    assert result.processed == 3
    assert [(str(item.status), item.error) for item in result.results] == [
        ("open", None), ("filled", None), ("refused", "invalid_order"),
    ]  # fmt: skip
    assert trade_statuses() == ["settled"]


def test_a_worker_that_dies_in_a_batch_costs_what_was_not_committed(env, ada, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_SIZE", 10)
    real, calls = batches._processed, []

    def breaking(item, *, key):
        calls.append(key)
        if len(calls) == 12:
            raise DatabaseError("the connection is gone")
        return real(item, key=key)

    monkeypatch.setattr(batches, "_processed", breaking)
    run = env.start(OrderBatchWorkflow, tuple(order(ada) for _ in range(13)))

    assert env.finish(run.id).processed == 13
    assert len(calls) == 12 + 3
    assert Order.objects.count() == 13

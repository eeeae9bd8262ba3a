"""The exchange on the pages of others: an order, its trades, their accounts and their runs find each other."""

from datetime import timedelta

import pytest

from exchange import operations, panels
from exchange.models import Trade
from exchange.workflows import OrderMatchingWorkflow
from tests.exchange.factories import submit
from tests.exchange.flows import full_seller, make_room, ordered, request
from workflows import queries as runs

pytestmark = pytest.mark.django_db


class Everybody:
    """A user who may see everything."""

    def has_perm(self, permission):
        return True


def named_by(run):
    found = runs.list_related([runs.get_run(run.id)], user=Everybody())
    assert found.unread == ()
    return {(record.kind.removeprefix("exchange."), record.id) for record in found.records}


def runs_of(kind, record_id):
    return {run.id for run in runs.list_runs_of(f"exchange.{kind}", record_id, user=Everybody()).runs}


@pytest.fixture
def traded(env, ada, bob):
    """An order of Ada's that rested, one of Bob's that met it, their runs, their trade and the run that settled it."""
    maker, made_by = ordered(env, ada, "sell", "0.30", "30000")
    taker, taken_by = ordered(env, bob, "buy", "0.10", "30000")
    (settled_by,) = [run for run in runs.list_runs(parent=taken_by.id) if run.workflow == "exchange.ExecuteTrade"]
    return maker, made_by, taker, taken_by, Trade.objects.get(), settled_by


def test_a_run_names_its_order_its_account_and_its_trades(traded, ada, bob):
    maker, made_by, taker, taken_by, trade, settled_by = traded

    assert named_by(made_by) == {("order", maker.id), ("tradingaccount", ada.id), ("trade", trade.id)}
    assert {("order", taker.id), ("tradingaccount", bob.id), ("trade", trade.id)} <= named_by(taken_by)
    assert {("order", maker.id), ("order", taker.id), ("trade", trade.id)} <= named_by(settled_by)


def test_an_order_a_trade_and_an_account_name_their_runs(traded, ada):
    maker, made_by, taker, taken_by, trade, settled_by = traded

    for order, carried_by in ((maker, made_by), (taker, taken_by)):
        (found,) = [run.id for run in runs.list_runs(parent=carried_by.id) if run.workflow.endswith("MatchingOrders")]
        assert runs_of("order", order.id) == {carried_by.id, found, settled_by.id}
    assert runs_of("trade", trade.id) == {made_by.id, taken_by.id, settled_by.id}
    assert runs_of("tradingaccount", ada.id) == {made_by.id}


def test_a_run_that_was_refused_before_it_wrote_an_order_is_the_accounts_too(env, ada):
    run = env.start(
        OrderMatchingWorkflow, ada.id, "BTC-USD", "buy", "limit", quantity="0.10", price="30000"
    )  # fmt: skip
    operations.halt_instrument("BTC-USD", actor="olga", reason="news")
    env.skip(timedelta(0))

    assert named_by(run) == {("tradingaccount", ada.id)}
    assert runs_of("tradingaccount", ada.id) == {run.id}


def test_the_money_of_a_trades_runs_is_both_captures_and_the_settlement(traded, viewer):
    _, _, _, taken_by, trade, settled_by = traded

    captured = viewer.get(f"/api/v1/runs/{taken_by.id}/money/").json()["transfers"]
    settled = viewer.get(f"/api/v1/runs/{settled_by.id}/money/").json()["transfers"]

    assert {item["kind"] for item in captured} >= {"capture"}
    assert [len(item["legs"]) for item in settled] == [5]
    assert any(leg["account"]["owner_title"] == "Bob" for leg in settled[0]["legs"])
    of_trade = viewer.get(f"/api/v1/records/exchange.trade/{trade.id}/").json()["money"]["transfers"]
    assert {item["kind"] for item in of_trade} == {"capture", "transfer"}


def test_the_details_over_rest_tell_their_runs_and_what_is_held(traded, viewer):
    maker, made_by, _, _, trade, _ = traded

    order = viewer.get(f"/api/v1/exchange/orders/{maker.id}/").json()
    assert {run["id"] for run in order["runs"]} == {str(run_id) for run_id in runs_of("order", maker.id)}
    assert str(made_by.id) in {run["id"] for run in order["runs"]}
    assert order["held"] == {"amount": "0.20000000", "currency": "BTC"}
    assert len(viewer.get(f"/api/v1/exchange/trades/{trade.id}/").json()["runs"]) == 3


def test_an_id_a_key_and_a_login_find_what_they_name(env, ada):
    order = submit(ada, "buy", "0.10", "30000")

    def hits(term):
        return {record.id for record in runs.search_records(term, user=Everybody()).records}

    assert hits(str(order.id)) == {order.id}
    assert hits("ada") == hits(str(ada.id)) == {ada.id}
    assert hits("ad") == set()


def test_a_held_trade_waits_in_its_queue(env, bob):
    seller = full_seller()
    submit(seller, "sell", "0.10", "30000")
    ordered(env, bob, "buy", "0.10", "30000")
    env.skip(timedelta(hours=2))
    count = panels._held_trades()
    assert (count.number, count.oldest_at) == (1, env.now - timedelta(hours=2))

    make_room(seller)
    operations.settle_held_trade(Trade.objects.get().id, actor="olga", reason="there is room now")

    assert panels._held_trades().number == 0


def test_a_run_is_found_by_its_orders_attributes(env, ada):
    asked = request(ada, "buy", "0.10", "30000")
    env.skip(timedelta(0))

    for attributes in ({"order": asked.order.id}, {"account": ada.id, "symbol": "BTC-USD"}):
        assert [run.id for run in runs.list_runs(attributes=attributes)] == [asked.run.id]
    assert runs.list_runs(attributes={"symbol": "ETH-USD"}) == []

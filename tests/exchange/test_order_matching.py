"""exchange.OrderMatching: accepted, matched by a child, settled by a child for each trade; and what can go wrong."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange import activities, operations, queries
from exchange.contracts import OrderType, Side
from exchange.models import Order, Trade
from exchange.workflows import OrderMatchingWorkflow
from finaegis.shared.money import register_asset
from ledger import operations as ledger
from tests.exchange.factories import assert_sound, fees, money_of, open_account, submit, terms
from tests.exchange.flows import children, full_seller, make_room, ordered, request, trade_statuses
from workflows import NonRetryable
from workflows import operations as engine
from workflows import queries as runs
from workflows.core.errors import StartRefused

pytestmark = pytest.mark.django_db

register_asset("ETH", 8)

UNTOUCHED = ("1000000.00", "0.00", "0.00")


def test_an_order_is_matched_by_a_child_and_each_trade_is_settled_by_one(env, ada, bob):
    submit(ada, "sell", "0.10", "30000")
    submit(ada, "sell", "0.10", "30001")

    order, run = ordered(env, bob, "buy", "0.30", "30005")

    assert children(run.id) == [
        ("ExecuteTrade", "completed"), ("ExecuteTrade", "completed"), ("FindMatchingOrders", "completed"),
    ]  # fmt: skip
    assert (str(run.status), str(order.status), trade_statuses()) == ("completed", "partially_filled", ["settled"] * 2)
    assert fees() == "18.00"
    assert_sound()


def test_the_result_is_the_order_its_matches_and_its_status(env, ada, bob):
    maker = submit(ada, "sell", "0.10", "30000")

    result = env.run(
        OrderMatchingWorkflow, bob.id, "BTC-USD", Side.BUY, OrderType.LIMIT,
        quantity=Decimal("0.10"), price=Decimal("30000"),
    )  # fmt: skip

    order, trade = Order.objects.get(side="buy"), Trade.objects.get()
    (match,) = result.matches
    assert (result.order_id, result.status) == (order.id, "filled")
    assert (match.trade_id, match.maker_order_id) == (trade.id, maker.id)
    assert (match.price, match.quantity) == (Decimal("30000.00"), Decimal("0.10"))


def test_a_stored_result_writes_small_quantities_out(env, ada, bob):
    """`str` of a Decimal would give 1E-8, which no door takes back."""
    operations.list_instrument(terms(base="ETH", lot=Decimal("0.00000001"), price_scale=0, tick=Decimal(1_000_000)))
    submit(open_account(ETH="1"), "sell", "0.00000001", "1000000", symbol="ETH-USD")
    _, run = ordered(env, bob, "buy", "0.00000001", "1000000", symbol="ETH-USD")

    assert runs.get_history(run.id)[-1].data["result"]["matches"][0]["quantity"] == "0.00000001"
    assert runs.get_run(run.id).result.matches[0].quantity == Decimal("0.00000001")


def test_an_order_that_rests_ends_its_run_and_keeps_its_hold(env, ada):
    order, run = ordered(env, ada, "buy", "0.10", "30000")

    assert (str(run.status), str(order.status), children(run.id)) == (
        "completed", "open", [("FindMatchingOrders", "completed")],
    )  # fmt: skip
    assert money_of(ada)["USD"] == ("996994.00", "3006.00", "0.00")
    assert_sound()


def test_a_resting_order_is_met_by_a_later_run(env, ada, bob):
    resting, _ = ordered(env, ada, "sell", "0.10", "30000")
    ordered(env, bob, "buy", cap="4000")

    assert queries.get_order(resting.id).status == "filled"
    assert trade_statuses() == ["settled"]
    assert money_of(ada)["USD"] == ("1002997.00", "0.00", "0.00")


# --- Refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "code", "reason"),
    [
        (("buy", "0.10", "30000.50"), "invalid_order", "off_tick"),
        (("buy", "0.001", "30000"), "invalid_order", "off_lot"),
        (("buy", "0.01", "999"), "invalid_order", "below_minimum_notional"),
        (("buy", "100", "30000"), "insufficient_funds", ""),
        (("sell", "100.01", "30000"), "insufficient_funds", ""),
    ],
)
def test_an_order_that_cannot_be_placed_starts_nothing(env, ada, order, code, reason):
    with pytest.raises(StartRefused) as refused:
        request(ada, *order)

    assert refused.value.code == code
    assert reason in str(refused.value)
    assert (Order.objects.count(), runs.list_runs()) == (0, [])


def test_of_two_orders_for_the_same_money_one_is_rejected(env, ada):
    first = request(ada, "buy", "30", "30000")
    second = request(ada, "buy", "30", "30000")
    env.skip(timedelta(0))

    stand = {queries.get_order(asked.order.id).status: asked for asked in (first, second)}
    assert sorted(stand) == ["open", "rejected"]
    late = stand["rejected"]
    assert queries.get_order(late.order.id).reason == "insufficient_funds"
    assert (runs.get_run(late.run.id).status, runs.get_run(late.run.id).error["code"]) == (
        "failed", "insufficient_funds",
    )  # fmt: skip
    assert_sound()


def test_an_order_of_an_instrument_that_was_halted_meanwhile_is_rejected(env, ada):
    asked = request(ada, "buy", "0.10", "30000")
    operations.halt_instrument("BTC-USD", actor="olga", reason="news")
    env.skip(timedelta(0))

    order = queries.get_order(asked.order.id)
    assert (str(order.status), order.reason) == ("rejected", "invalid_order")
    assert [str(event.kind) for event in queries.list_order_events(order.id)] == ["received", "rejected"]
    assert money_of(ada)["USD"] == UNTOUCHED


# --- Failures and undo -----------------------------------------------------------------------------------------------


def test_an_order_that_cannot_come_to_its_book_is_withdrawn(env, ada):
    env.mock(activities.match_order).raises(NonRetryable("no", code="no_book"))
    env.expect_compensation(activities.withdraw_order)

    order, run = ordered(env, ada, "buy", "0.10", "30000")

    assert (str(run.status), run.error["code"]) == ("compensated", "no_book")
    assert (str(order.status), order.reason) == ("cancelled", "undone")
    assert money_of(ada)["USD"] == UNTOUCHED
    assert_sound()


def test_undoing_a_run_cancels_what_rests_and_leaves_its_trades(env, ada, bob):
    submit(ada, "sell", "0.10", "30000")
    order, run = ordered(env, bob, "buy", "0.30", "30005")

    engine.compensate_run(run.id, reason="the desk asked for it")
    env.skip(timedelta(0))

    assert runs.get_run(run.id).status == "compensated"
    undone = queries.get_order(order.id)
    assert (str(undone.status), undone.reason, f"{undone.filled:.2f}") == ("cancelled", "undone", "0.10")
    assert trade_statuses() == ["settled"]
    assert money_of(bob) == {"USD": ("996994.00", "0.00", "0.00"), "BTC": ("100.10000000", "0.00000000", "0.00000000")}
    assert_sound()


# --- Cancels ---------------------------------------------------------------------------------------------------------


def test_an_order_that_was_cancelled_before_its_run_began_holds_nothing(env, ada):
    asked = request(ada, "buy", "0.10", "30000")
    operations.cancel_order(asked.order.id, actor="ada")

    result = env.finish(asked.run.id)

    assert (result.status, result.matches) == ("cancelled", ())
    assert money_of(ada)["USD"] == UNTOUCHED


def test_a_run_that_is_cancelled_between_acceptance_and_book_withdraws_its_order(env, ada):
    env.mock(activities.match_order).raises(TimeoutError("busy"))
    order, run = ordered(env, ada, "buy", "0.10", "30000")
    engine.cancel_run(run.id, reason="the desk asked for it")
    env.skip(timedelta(hours=1))

    assert runs.get_run(run.id).status == "cancelled"
    assert queries.get_order(order.id).reason == "undone"
    assert money_of(ada)["USD"] == UNTOUCHED


def test_a_cancel_during_settlement_waits_for_the_trades_and_then_withdraws_the_rest(env, bob):
    """What was matched is final: a cancel does not reach it, and a held trade goes on waiting for its operator."""
    seller = full_seller()
    submit(seller, "sell", "0.10", "30000")
    order, run = ordered(env, bob, "buy", "0.30", "30005")
    engine.cancel_run(run.id, reason="the desk asked for it")
    env.skip(timedelta(hours=1))
    assert (runs.get_run(run.id).status, trade_statuses()) == ("waiting", ["held"])

    make_room(seller)
    operations.settle_held_trade(Trade.objects.get().id, actor="olga", reason="there is room now")
    env.skip(timedelta(0))

    assert (runs.get_run(run.id).status, trade_statuses()) == ("cancelled", ["settled"])
    assert queries.get_order(order.id).reason == "undone"
    assert money_of(bob)["USD"] == ("996994.00", "0.00", "0.00")
    assert_sound()


def test_a_new_worker_goes_on_where_the_old_one_was(env, ada, bob):
    submit(ada, "sell", "0.10", "30000")
    env.mock(activities.settle_trade).raises(TimeoutError("busy")).raises(TimeoutError("busy")).raises(TimeoutError())
    asked = request(bob, "buy", "0.10", "30000")
    env.skip(timedelta(0))
    env.restart()
    env.skip(timedelta(minutes=1))

    assert trade_statuses() == ["held"]
    env.restart()
    operations.settle_held_trade(Trade.objects.get().id, actor="olga", reason="it works again")
    assert env.finish(asked.run.id).status == "filled"
    assert len(Trade.objects.all()) == 1


def test_a_start_at_the_engines_own_door_makes_its_order_itself(env, ada):
    run = env.start(
        OrderMatchingWorkflow, ada.id, "BTC-USD", Side.SELL, OrderType.LIMIT, Decimal("0.10"), Decimal(9000)
    )

    result = env.finish(run.id)

    assert queries.find_by_run(run.id).id == result.order_id
    assert money_of(ada)["BTC"] == ("99.90000000", "0.10000000", "0.00000000")


def test_a_voided_settlement_is_held_for_good_and_never_settles_twice(env, ada, bob):
    """The ledger's own refusal: somebody undid the settlement before it happened."""
    env.mock(activities.settle_trade).raises(NonRetryable("later", code="later"))
    submit(ada, "sell", "0.10", "30000")
    ordered(env, bob, "buy", "0.10", "30000")
    trade = Trade.objects.get()
    ledger.reverse_transfer(key="undo", undone_key=f"exchange:trade:{trade.id}/settlement")

    with pytest.raises(NonRetryable) as refused:
        operations.settle_held_trade(trade.id, actor="olga", reason="please")

    assert refused.value.code == "settlement_failed"
    assert trade_statuses() == ["held"]
    assert_sound()

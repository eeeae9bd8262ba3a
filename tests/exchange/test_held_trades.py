"""exchange.ExecuteTrade: a trade that cannot be settled is held, its funds blocked, until an operator settles it."""

from datetime import timedelta

import pytest

from exchange import activities, errors, operations, queries
from exchange.models import Order, Trade
from exchange.workflows import ExecuteTradeWorkflow
from tests.exchange.factories import assert_sound, fees, money_of, submit, trades
from tests.exchange.flows import children, full_seller, make_room, ordered, trade_statuses
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller(btc):
    return full_seller()


@pytest.fixture
def held(env, seller, bob):
    """A trade whose seller's account cannot take the proceeds; gives the taker's order and run."""
    submit(seller, "sell", "0.10", "30000")
    return ordered(env, bob, "buy", "0.10", "30000")


def settle(**options):
    return operations.settle_held_trade(
        Trade.objects.get().id, **{"actor": "olga", "reason": "there is room now", **options}
    )


def test_a_trade_that_cannot_be_settled_is_held_and_both_sides_funds_stay_blocked(held, seller, bob):
    _, run = held

    trade = queries.get_trade(Trade.objects.get().id)
    assert (str(trade.status), trade.hold_reason) == ("held", "balance_too_large")
    assert (run.status, children(run.id)) == (
        "waiting", [("ExecuteTrade", "waiting"), ("FindMatchingOrders", "completed")],
    )  # fmt: skip
    assert money_of(bob)["USD"] == ("996994.00", "0.00", "3006.00")
    assert money_of(seller)["BTC"] == ("9.90000000", "0.00000000", "0.10000000")
    assert fees() == "0"
    assert_sound()


def test_a_held_trade_is_never_matched_again(held, env, bob, ada):
    """Neither side comes back to the book, however long it waits."""
    ordered(env, ada, "buy", "0.10", "30000")
    env.skip(timedelta(days=3))

    assert trades() == [(1, "30000.00", "0.10000000")]
    assert list(Order.objects.filter(status="filled").values_list("side", flat=True).order_by("side")) == [
        "buy", "sell",
    ]  # fmt: skip


def test_an_operator_settles_it_and_its_runs_end(held, env, seller, bob):
    order, run = held
    make_room(seller)

    assert str(settle().status) == "settled"
    result = env.finish(run.id)

    assert (result.order_id, result.status) == (order.id, "filled")
    assert children(run.id) == [("ExecuteTrade", "completed"), ("FindMatchingOrders", "completed")]
    assert money_of(bob) == {"USD": ("996994.00", "0.00", "0.00"), "BTC": ("100.10000000", "0.00000000", "0.00000000")}
    assert_sound()


def test_who_settled_it_and_why_is_on_record(held, seller):
    make_room(seller)
    settle()

    told = [(str(event.kind), event.actor) for event in queries.list_trade_events(Trade.objects.get().id)]
    assert told == [("trade_held", "system"), ("trade_settled", "olga")]
    assert queries.list_trade_events(Trade.objects.get().id)[-1].detail == "there is room now"


def test_while_the_cause_lasts_an_operator_is_told_and_it_stays_held(held):
    with pytest.raises(errors.SettlementFailed) as refused:
        settle()

    assert "balance_too_large" in str(refused.value)
    assert trade_statuses() == ["held"]
    assert_sound()


def test_settling_needs_a_reason(held, seller):
    make_room(seller)

    with pytest.raises(errors.ReasonMissing):
        settle(reason=" ")
    assert trade_statuses() == ["held"]


def test_settling_again_changes_nothing(held, seller):
    make_room(seller)
    settle()
    before = money_of(seller)

    settle()

    assert money_of(seller) == before
    assert len(queries.list_trade_events(Trade.objects.get().id)) == 2


def test_a_trade_whose_run_was_ended_is_settled_all_the_same(held, env, seller):
    (child,) = [run for run in runs.list_runs() if run.workflow == "exchange.ExecuteTrade"]
    engine.cancel_run(child.id, reason="the desk asked for it")
    env.skip(timedelta(0))
    assert (runs.get_run(child.id).status, trade_statuses()) == ("cancelled", ["held"])

    make_room(seller)

    assert str(settle().status) == "settled"
    assert_sound()


def test_a_trade_that_was_settled_meanwhile_ends_its_run(env, ada, bob):
    """As when an operator was faster than the last attempt."""
    submit(ada, "sell", "0.10", "30000")
    submit(bob, "buy", "0.10", "30000")
    trade = Trade.objects.get()
    operations.settle_trade(trade.id)
    env.mock(activities.settle_trade).raises(TimeoutError("busy"))

    assert env.run(ExecuteTradeWorkflow, trade.id).status == "settled"


def test_a_trade_that_is_settled_twice_moves_its_money_once(ada, bob):
    submit(ada, "sell", "0.10", "30000")
    submit(bob, "buy", "0.10", "30000")
    trade = Trade.objects.get()

    operations.settle_trade(trade.id)
    operations.settle_trade(trade.id)

    assert money_of(ada)["USD"] == ("1002997.00", "0.00", "0.00")


def test_each_trade_of_an_order_is_held_alone(env, seller, ada, bob):
    submit(ada, "sell", "0.10", "30000")
    submit(seller, "sell", "0.10", "30001")
    submit(ada, "sell", "0.10", "30002")
    ordered(env, bob, "buy", "0.30", "30005")

    assert trade_statuses() == ["settled", "held", "settled"]
    assert [trade.number for trade in queries.list_unsettled()] == [2]


def test_what_cannot_even_be_held_holds_its_run(env, ada, bob):
    submit(ada, "sell", "0.10", "30000")
    env.mock(activities.settle_trade).raises(TimeoutError("busy"))
    env.mock(activities.hold_trade).raises(TimeoutError("busy"))
    ordered(env, bob, "buy", "0.10", "30000")
    env.skip(timedelta(hours=1))

    (child,) = [run for run in runs.list_runs() if run.workflow == "exchange.ExecuteTrade"]
    assert (child.status, child.hold_reason) == ("held", "failure")
    assert trade_statuses() == ["matched"]
    assert_sound()

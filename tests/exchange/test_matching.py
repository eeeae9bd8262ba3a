"""Orders that come to their book: priority, prices, remainders, and where the money is then."""

from dataclasses import replace

import pytest

from exchange import operations, queries
from exchange.models import Order
from exchange.operations.instruments import DEMO_INSTRUMENT
from tests.exchange.factories import assert_sound, fees, money_of, open_account, place, settle_all, submit, trades

pytestmark = pytest.mark.django_db


def statuses(*orders):
    found = [queries.get_order(order.id) for order in orders]
    return [(str(order.status), f"{order.filled:f}", order.reason) for order in found]


def test_an_order_without_a_counterpart_rests_with_its_hold(ada):
    order = submit(ada, "buy", "0.50", "30000")

    assert (str(order.status), order.sequence) == ("open", 1)
    # 15000.00 and the higher fee of 0.2 %.
    assert money_of(ada)["USD"] == ("984970.00", "15030.00", "0.00")
    assert_sound()


def test_a_fill_is_at_the_makers_price_and_releases_the_improvement(ada, bob):
    submit(ada, "sell", "0.50", "30000")
    order = submit(bob, "buy", "0.50", "31000")

    assert trades() == [(1, "30000.00", "0.50000000")]
    assert statuses(order) == [("filled", "0.50000000", None)]
    # 15000.00 and the taker's 30.00 are blocked; the 500.00 between the prices are available again.
    assert money_of(bob)["USD"] == ("984970.00", "0.00", "15030.00")
    assert_sound()


def test_settlement_moves_both_legs_and_both_fees(ada, bob):
    submit(ada, "sell", "0.50", "30000")
    submit(bob, "buy", "0.50", "31000")

    settle_all()

    assert money_of(bob) == {"USD": ("984970.00", "0.00", "0.00"), "BTC": ("100.50000000", "0.00000000", "0.00000000")}
    assert money_of(ada) == {"USD": ("1014985.00", "0.00", "0.00"), "BTC": ("99.50000000", "0.00000000", "0.00000000")}
    assert fees() == "45.00"
    assert_sound()


def test_the_better_price_comes_first_whichever_came_earlier(ada, bob):
    worse = submit(ada, "sell", "0.10", "30002")
    better = submit(ada, "sell", "0.10", "30001")
    submit(bob, "buy", "0.10", "30005")

    assert statuses(worse, better) == [("open", "0.00000000", None), ("filled", "0.10000000", None)]


def test_at_one_price_the_earlier_sequence_comes_first_not_the_earlier_acceptance(ada, bob):
    accepted_first = place(ada, "sell", "0.10", "30000")
    matched_first = submit(ada, "sell", "0.10", "30000")
    operations.match_order(accepted_first)
    submit(bob, "buy", "0.10", "30000")

    assert statuses(matched_first) == [("filled", "0.10000000", None)]
    assert queries.get_order(accepted_first).status == "open"


def test_a_buyer_meets_sellers_from_the_cheapest_up_to_its_limit(ada, bob):
    for price in ("30003", "30001", "30002"):
        submit(ada, "sell", "0.10", price)
    order = submit(bob, "buy", "0.50", "30002")

    assert trades() == [(1, "30001.00", "0.10000000"), (2, "30002.00", "0.10000000")]
    assert statuses(order) == [("partially_filled", "0.20000000", None)]
    # 0.30 at 30002 with 0.2 %: 9000.60 + 18.01 (rounded up).
    assert money_of(bob)["USD"][1] == "9018.61"
    assert_sound()


def test_a_maker_that_is_partly_filled_stays_at_its_place(ada, bob):
    first = submit(ada, "sell", "0.30", "30000")
    second = submit(ada, "sell", "0.30", "30000")
    submit(bob, "buy", "0.10", "30000")
    submit(bob, "buy", "0.10", "30000")

    assert statuses(first, second) == [("partially_filled", "0.20000000", None), ("open", "0.00000000", None)]
    assert money_of(ada)["BTC"] == ("99.40000000", "0.40000000", "0.20000000")
    assert_sound()


def test_a_buying_maker_pays_the_makers_fee_and_holds_the_higher_one_for_the_rest(ada, bob):
    submit(ada, "buy", "0.30", "30000")
    submit(bob, "sell", "0.10", "29000")
    settle_all()

    # Paid 3000.00 + 3.00 (0.1 %); held for the rest 6000.00 + 12.00 (0.2 %).
    assert money_of(ada)["USD"] == ("990985.00", "6012.00", "0.00")
    assert money_of(bob)["USD"][0] == "1002994.00"
    assert_sound()


@pytest.mark.parametrize(("tif", "reason"), [("IOC", "not_filled_at_once"), ("FOK", "not_filled_whole")])
def test_what_may_not_rest_is_cancelled_and_holds_nothing(ada, bob, tif, reason):
    submit(ada, "sell", "0.10", "30000")
    order = submit(bob, "buy", "0.30", "30000", tif=tif)

    filled = "0.10000000" if tif == "IOC" else "0.00000000"
    assert statuses(order) == [("cancelled", filled, reason)]
    assert money_of(bob)["USD"][1] == "0.00"
    assert len(trades()) == (tif == "IOC")
    assert_sound()


def test_fill_or_kill_that_fits_is_filled_across_prices(ada, bob):
    submit(ada, "sell", "0.10", "30000")
    submit(ada, "sell", "0.20", "30001")

    assert statuses(submit(bob, "buy", "0.30", "30001", tif="FOK")) == [("filled", "0.30000000", None)]


def test_meeting_oneself_cancels_the_newer_orders_remainder_and_its_fills_stand(ada, bob):
    submit(bob, "sell", "0.10", "30000")
    own = submit(ada, "sell", "0.10", "30001")
    submit(bob, "sell", "0.10", "30002")
    order = submit(ada, "buy", "0.30", "30005")

    assert statuses(own, order) == [("open", "0.00000000", None), ("cancelled", "0.10000000", "self_trade")]
    assert trades() == [(1, "30000.00", "0.10000000")]
    assert_sound()


def test_fill_or_kill_counts_only_what_stands_before_the_first_own_order(ada, bob):
    submit(bob, "sell", "0.10", "30000")
    submit(ada, "sell", "0.10", "30001")
    submit(bob, "sell", "0.20", "30002")

    assert statuses(submit(ada, "buy", "0.30", "30005", tif="FOK")) == [("cancelled", "0.00000000", "self_trade")]
    assert statuses(submit(ada, "buy", "0.10", "30005", tif="FOK")) == [("filled", "0.10000000", None)]


def test_an_own_order_behind_the_limit_is_not_met(ada):
    submit(ada, "sell", "0.10", "30001")

    assert statuses(submit(ada, "buy", "0.10", "30000")) == [("open", "0.00000000", None)]


def test_a_market_buy_takes_the_most_lots_that_its_cap_pays_with_the_fee(ada, bob):
    submit(ada, "sell", "0.50", "30000")
    submit(ada, "sell", "0.50", "31000")
    # 0.50 at 30000 is 15030.00 with the fee; a lot at 31000 is 310.62.
    order = submit(bob, "buy", cap="15340.61")

    assert statuses(order) == [("filled", "0.50000000", None)]
    assert statuses(submit(bob, "buy", cap="310.62")) == [("filled", "0.01000000", None)]
    assert money_of(bob)["USD"] == ("984659.38", "0.00", "15340.62")
    assert_sound()


def test_a_market_buy_stops_at_the_quantity_that_it_names(ada, bob):
    submit(ada, "sell", "0.50", "30000")

    order = submit(bob, "buy", "0.20", cap="20000")

    assert statuses(order) == [("filled", "0.20000000", None)]
    assert money_of(bob)["USD"] == ("993988.00", "0.00", "6012.00")


def test_a_market_buy_beyond_the_book_is_cancelled_with_what_it_got(ada, bob):
    submit(ada, "sell", "0.10", "30000")

    assert statuses(submit(bob, "buy", cap="9000")) == [("cancelled", "0.10000000", "not_filled_at_once")]
    assert money_of(bob)["USD"] == ("996994.00", "0.00", "3006.00")


def test_a_market_fill_or_kill_needs_its_whole_cap_spent(ada, bob):
    submit(ada, "sell", "0.10", "30000")

    assert statuses(submit(bob, "buy", cap="9000", tif="FOK")) == [("cancelled", "0.00000000", "not_filled_whole")]
    assert statuses(submit(bob, "buy", cap="3100", tif="FOK")) == [("filled", "0.10000000", None)]


def test_a_market_sell_takes_whatever_is_bid(ada, bob):
    submit(ada, "buy", "0.10", "30000")
    submit(ada, "buy", "0.10", "1000")

    assert statuses(submit(bob, "sell", "0.30")) == [("cancelled", "0.20000000", "not_filled_at_once")]
    assert trades() == [(1, "30000.00", "0.10000000"), (2, "1000.00", "0.10000000")]


def test_a_book_of_many_orders_is_read_on_until_the_order_is_filled(ada, bob):
    for _ in range(120):
        submit(ada, "sell", "0.01", "30000")
    order = submit(bob, "buy", "1.10", "30000")

    assert statuses(order) == [("filled", "1.10000000", None)]
    assert [number for number, *_ in trades()] == list(range(1, 111))
    makers = Order.objects.filter(side="sell").order_by("sequence").values_list("status", flat=True)
    assert list(makers) == ["filled"] * 110 + ["open"] * 10


def test_matching_again_changes_nothing(ada, bob):
    submit(ada, "sell", "0.10", "30000")
    order = submit(bob, "buy", "0.10", "30000")

    again = operations.match_order(order.id)

    assert [(str(item.price), str(item.quantity)) for item in again.matches] == [("30000.00", "0.10000000")]
    assert len(trades()) == 1


def test_an_order_of_a_book_that_was_halted_meanwhile_is_cancelled(ada):
    order_id = place(ada, "buy", "0.10", "30000")
    operations.halt_instrument("BTC-USD", actor="olga", reason="news")

    assert operations.match_order(order_id).status == "cancelled"
    assert statuses(queries.get_order(order_id)) == [("cancelled", "0.00000000", "halted")]
    assert money_of(ada)["USD"] == ("1000000.00", "0.00", "0.00")


def test_the_book_shows_what_rests_by_price(ada, bob):
    submit(ada, "sell", "0.10", "30002")
    submit(ada, "sell", "0.20", "30001")
    submit(bob, "sell", "0.30", "30001")
    submit(bob, "buy", "0.40", "29999")
    submit(open_account(), "buy", "0.05", "30001")

    book = queries.get_book("BTC-USD")

    levels = [(str(level.price), str(level.quantity), level.orders) for level in (*book.bids, *book.asks)]
    assert levels == [
        ("29999.00", "0.40000000", 1), ("30001.00", "0.45000000", 2), ("30002.00", "0.10000000", 1),
    ]  # fmt: skip
    assert book.sequence == 5


def test_fees_are_those_of_the_moment_in_which_an_order_was_accepted(ada, bob):
    submit(ada, "buy", "0.10", "30000")
    operations.change_instrument(replace(DEMO_INSTRUMENT, maker_fee_ppm=9000, taker_fee_ppm=9000))
    submit(bob, "sell", "0.10", "30000")

    settle_all()

    # The maker's 0.1 % of then, the taker's 0.9 % of now.
    assert fees() == "30.00"

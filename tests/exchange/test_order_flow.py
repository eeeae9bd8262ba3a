"""Random order flow through the operations agrees with the reference, and the money adds up after each order.

In USD, JPY and KWD: fees that hardly ever divide evenly, in currencies of two, no and three decimal places.
"""

from __future__ import annotations

from copy import copy
from decimal import Decimal

import pytest

from exchange.models import Order, Trade
from ledger import queries as ledger_queries
from tests.bounds import bounded
from tests.exchange.drawing import TAKER_PPM, draw_flow
from tests.exchange.factories import assert_sound
from tests.exchange.markets import lots_of, open_market, stored_trades
from tests.exchange.reference import ReferenceBook

pytestmark = pytest.mark.django_db

#: In each of the three currencies, so 10,000 and more by `make thorough`.
ORDERS = bounded(120, thorough=3_400)
CURRENCIES = {
    "USD": {"price_scale": 2, "tick": Decimal("1"), "lot": Decimal("0.01")},
    "JPY": {"price_scale": 0, "tick": Decimal("100"), "lot": Decimal("0.01")},
    "KWD": {"price_scale": 1, "tick": Decimal("0.1"), "lot": Decimal("0.01")},
}


@pytest.mark.parametrize("quote", CURRENCIES)
def test_what_is_stored_is_what_the_reference_does(quote):
    market, reference = open_market(quote=quote, **CURRENCIES[quote]), ReferenceBook(worth=1)

    for number, drawn in enumerate(draw_flow(7, ORDERS, worth=1)):
        if drawn.wish is None:
            market.cancel(drawn.cancels)
            reference.cancel(drawn.cancels)
        else:
            order = market.submit(drawn.wish)
            status, made = reference.submit(copy(drawn.wish))
            assert order.status == status, drawn
            assert lots_of(order.filled, market.symbol) == sum(lots for *_, lots in made), drawn
        if number % 10 == 0:
            assert_sound()

    assert stored_trades(market.symbol) == reference.trades
    assert len(reference.trades) > ORDERS / 5
    _assert_settled_to_the_last_minor_unit(market, quote)


def _assert_settled_to_the_last_minor_unit(market, quote):
    """Fees are rounded down for each fill and side, and nothing is left over anywhere."""
    market.settle()

    assert_sound()
    expected = 0
    for trade in Trade.objects.select_related("taker_order", "maker_order", "instrument"):
        taker_fee, maker_fee = trade.notional_minor * TAKER_PPM // 10**6, trade.notional_minor * 1109 // 10**6
        taker_buys = trade.taker_side == "buy"
        assert (trade.buyer_fee_minor, trade.seller_fee_minor) == (
            (taker_fee, maker_fee) if taker_buys else (maker_fee, taker_fee)
        )
        assert trade.price_units == trade.maker_order.price_units
        expected += taker_fee + maker_fee
    found = ledger_queries.find_account(owner="exchange", kind="fees", currency=quote)
    assert found.balance.to_minor() == expected > 0
    assert all(row.filled_minor <= row.quantity_minor for row in Order.objects.filter(quantity_minor__isnull=False))
    held = ledger_queries.list_accounts(kind="trading")
    assert all(account.held <= account.balance for account in held)


@pytest.mark.parametrize("seed", range(bounded(2, thorough=20)))
def test_holds_money_and_blocked_funds_add_up_after_every_single_order(seed):
    market = open_market(accounts=3)

    for drawn in draw_flow(100 + seed, 40, accounts=3, worth=1):
        market.cancel(drawn.cancels) if drawn.wish is None else market.submit(drawn.wish)
        assert_sound()

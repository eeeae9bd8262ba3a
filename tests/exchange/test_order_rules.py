"""Which orders an instrument takes: a table of reasons, and what is held for those it takes."""

from dataclasses import asdict, replace
from decimal import Decimal
from uuid import uuid4

import pytest

from exchange.contracts import Instrument, InstrumentStatus, OrderFacts, OrderType, Side, TimeInForce
from exchange.errors import InvalidOrder
from exchange.operations.instruments import DEMO_INSTRUMENT
from exchange.rules.orders import ticket_of
from finaegis.shared.money import Money

BTC = Instrument(
    **{**asdict(DEMO_INSTRUMENT), "minimum_notional": Money("10.00", "USD")},
    status=InstrumentStatus.OPEN,
    quantity_scale=8,
)
LIMIT = OrderFacts(
    account_id=uuid4(),
    symbol="BTC-USD",
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=Decimal("0.50"),
    price=Decimal("30000"),
)
MARKET_BUY = replace(LIMIT, type=OrderType.MARKET, quantity=None, price=None, spend_cap=Money("100.00", "USD"))
MARKET_SELL = replace(LIMIT, type=OrderType.MARKET, side=Side.SELL, price=None)


@pytest.mark.parametrize(
    ("order", "changed", "reason"),
    [
        (LIMIT, {"price": None}, "price_missing"),
        (LIMIT, {"price": Decimal(0)}, "price_not_positive"),
        (LIMIT, {"price": Decimal(-1)}, "price_not_positive"),
        (LIMIT, {"price": Decimal("30000.50")}, "off_tick"),
        (LIMIT, {"price": Decimal("30000.001")}, "off_tick"),
        (LIMIT, {"price": Decimal("1E+30")}, "too_large"),
        (LIMIT, {"price": Decimal("1E-30")}, "off_tick"),
        (LIMIT, {"quantity": None}, "quantity_missing"),
        (LIMIT, {"quantity": Decimal(0)}, "quantity_not_positive"),
        (LIMIT, {"quantity": Decimal("-0.01")}, "quantity_not_positive"),
        (LIMIT, {"quantity": Decimal("0.001")}, "off_lot"),
        (LIMIT, {"quantity": Decimal("0.000000001")}, "off_lot"),
        (LIMIT, {"quantity": Decimal("1E+20")}, "too_large"),
        (LIMIT, {"quantity": Decimal("80000000000"), "price": Decimal("80000000000")}, "too_large"),
        (LIMIT, {"spend_cap": Money("1.00", "USD")}, "spend_cap_not_taken"),
        (LIMIT, {"quantity": Decimal("0.01"), "price": Decimal("999")}, "below_minimum_notional"),
        (MARKET_BUY, {"spend_cap": None}, "spend_cap_missing"),
        (MARKET_BUY, {"spend_cap": Money("100.00", "EUR")}, "spend_cap_currency"),
        (MARKET_BUY, {"spend_cap": Money("0.00", "USD")}, "spend_cap_not_positive"),
        (MARKET_BUY, {"spend_cap": Money("9.99", "USD")}, "below_minimum_notional"),
        (MARKET_BUY, {"price": Decimal(30000)}, "price_not_taken"),
        (MARKET_BUY, {"quantity": Decimal("0.001")}, "off_lot"),
        (MARKET_BUY, {"time_in_force": TimeInForce.GTC}, "time_in_force"),
        (MARKET_SELL, {"quantity": None}, "quantity_missing"),
        (MARKET_SELL, {"spend_cap": Money("100.00", "USD")}, "spend_cap_not_taken"),
        (MARKET_SELL, {"time_in_force": TimeInForce.GTC}, "time_in_force"),
    ],
)
def test_an_order_that_is_not_taken_says_why(order, changed, reason):
    with pytest.raises(InvalidOrder) as refused:
        ticket_of(replace(order, **changed), BTC)

    assert (refused.value.code, refused.value.reason) == ("invalid_order", reason)


@pytest.mark.parametrize("order", [LIMIT, MARKET_BUY, MARKET_SELL])
def test_a_halted_instrument_takes_no_order(order):
    with pytest.raises(InvalidOrder) as refused:
        ticket_of(order, replace(BTC, status=InstrumentStatus.HALTED))

    assert refused.value.reason == "halted"


@pytest.mark.parametrize(
    ("order", "held"),
    [
        (LIMIT, Money("15030.00", "USD")),
        # 0.01 at 33333 is 333.33; 0.2 % of it is 0.66666, rounded up.
        (replace(LIMIT, quantity=Decimal("0.01"), price=Decimal(33333)), Money("334.00", "USD")),
        (replace(LIMIT, side=Side.SELL), Money("0.50", "BTC")),
        (MARKET_BUY, Money("100.00", "USD")),
        (MARKET_SELL, Money("0.50", "BTC")),
    ],
)
def test_what_an_order_may_come_to_cost_is_held(order, held):
    assert ticket_of(order, BTC).hold == held


@pytest.mark.parametrize(
    ("order", "given", "taken"),
    [
        (LIMIT, None, "GTC"),
        (LIMIT, TimeInForce.IOC, "IOC"),
        (LIMIT, TimeInForce.FOK, "FOK"),
        (MARKET_SELL, None, "IOC"),
        (MARKET_BUY, TimeInForce.FOK, "FOK"),
    ],
)
def test_a_limit_order_rests_unless_told_and_a_market_order_never(order, given, taken):
    assert ticket_of(replace(order, time_in_force=given), BTC).time_in_force == taken


def test_the_minimum_is_reached_exactly():
    exactly = replace(LIMIT, quantity=Decimal("0.01"), price=Decimal(1000))

    assert ticket_of(exactly, BTC).lots == 1


def test_a_market_sell_has_no_minimum():
    assert ticket_of(replace(MARKET_SELL, quantity=Decimal("0.01")), BTC).lots == 1

"""Whether an order fits its instrument, and what it is in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchange.contracts import Instrument, InstrumentStatus, OrderFacts, OrderType, Side, TimeInForce
from exchange.errors import InvalidOrder, InvalidReason
from exchange.rules.fees import with_highest_fee
from exchange.rules.grid import grid_of, whole
from finaegis.shared.money import MAXIMUM_MINOR, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A valid order: ticks and lots for the book, units for its row, and what is to be held for it."""

    side: Side
    type: OrderType
    time_in_force: TimeInForce
    ticks: int | None
    price_units: int | None
    lots: int | None
    quantity_minor: int | None
    cap_minor: int | None
    hold: Money


def ticket_of(facts: OrderFacts, instrument: Instrument) -> Ticket:
    """The order in whole numbers; raises InvalidOrder with the reason why the instrument does not take it.

    Minimum notional: limit times quantity, or the cap of a market buy; market sells are not checked.
    """
    check_open(instrument)
    grid = grid_of(instrument)
    price_units, ticks = _price(facts, instrument, grid.tick_units)
    quantity_minor, lots = _quantity(facts, instrument, grid.lot_minor)
    cap = _cap(facts, instrument)
    if facts.type is OrderType.LIMIT:
        assert ticks is not None and lots is not None
        notional = ticks * lots * grid.worth
        _check_notional(notional, instrument)
        hold = _held(facts.side, notional, quantity_minor, instrument)
    elif facts.side is Side.BUY:
        assert cap is not None
        _check_notional(cap.to_minor(), instrument)
        hold = cap
    else:
        assert quantity_minor is not None
        hold = Money.from_minor(quantity_minor, instrument.base)
    return Ticket(
        side=facts.side,
        type=facts.type,
        time_in_force=time_in_force_of(facts),
        ticks=ticks,
        price_units=price_units,
        lots=lots,
        quantity_minor=quantity_minor,
        cap_minor=None if cap is None else cap.to_minor(),
        hold=hold,
    )


def check_open(instrument: Instrument) -> None:
    """Raise InvalidOrder while the instrument is halted."""
    if instrument.status is not InstrumentStatus.OPEN:
        raise InvalidOrder(InvalidReason.HALTED, f"{instrument.symbol} takes no orders now")


def time_in_force_of(facts: OrderFacts) -> TimeInForce:
    """What was given, else GTC for a limit order and IOC for a market order; raises InvalidOrder for a market GTC."""
    if facts.type is OrderType.LIMIT:
        return facts.time_in_force or TimeInForce.GTC
    if facts.time_in_force is TimeInForce.GTC:
        raise InvalidOrder(InvalidReason.TIME_IN_FORCE, "a market order does not rest: it is IOC or FOK")
    return facts.time_in_force or TimeInForce.IOC


def _price(facts: OrderFacts, instrument: Instrument, tick_units: int) -> tuple[int | None, int | None]:
    if facts.type is OrderType.MARKET:
        if facts.price is not None:
            raise InvalidOrder(InvalidReason.PRICE_NOT_TAKEN, "a market order names no price")
        return None, None
    if facts.price is None:
        raise InvalidOrder(InvalidReason.PRICE_MISSING, "a limit order names its price")
    if not facts.price.is_finite() or facts.price <= 0:
        raise InvalidOrder(InvalidReason.PRICE_NOT_POSITIVE, "a price is more than zero")
    units = whole(facts.price, instrument.price_scale)
    if units is None or units % tick_units:
        raise _off(facts.price, instrument.price_scale, InvalidReason.OFF_TICK, f"a tick is {instrument.tick}")
    return units, units // tick_units


def _quantity(facts: OrderFacts, instrument: Instrument, lot_minor: int) -> tuple[int | None, int | None]:
    if facts.quantity is None:
        if facts.type is OrderType.MARKET and facts.side is Side.BUY:
            return None, None
        raise InvalidOrder(InvalidReason.QUANTITY_MISSING, "this order names its quantity")
    if not facts.quantity.is_finite() or facts.quantity <= 0:
        raise InvalidOrder(InvalidReason.QUANTITY_NOT_POSITIVE, "a quantity is more than zero")
    minor = whole(facts.quantity, instrument.quantity_scale)
    if minor is None or minor % lot_minor:
        raise _off(facts.quantity, instrument.quantity_scale, InvalidReason.OFF_LOT, f"a lot is {instrument.lot}")
    return minor, minor // lot_minor


def _cap(facts: OrderFacts, instrument: Instrument) -> Money | None:
    if facts.type is OrderType.LIMIT or facts.side is Side.SELL:
        if facts.spend_cap is not None:
            raise InvalidOrder(InvalidReason.CAP_NOT_TAKEN, "only a market buy has a spend cap")
        return None
    if facts.spend_cap is None:
        raise InvalidOrder(InvalidReason.CAP_MISSING, "a market buy names its spend cap")
    if facts.spend_cap.currency != instrument.quote:
        raise InvalidOrder(InvalidReason.CAP_CURRENCY, f"the spend cap is in {instrument.quote}")
    if facts.spend_cap.to_minor() <= 0:
        raise InvalidOrder(InvalidReason.CAP_NOT_POSITIVE, "a spend cap is more than zero")
    return facts.spend_cap


def _check_notional(notional: int, instrument: Instrument) -> None:
    if notional < instrument.minimum_notional.to_minor():
        raise InvalidOrder(
            InvalidReason.BELOW_MINIMUM, f"an order is worth at least {instrument.minimum_notional}"
        )  # fmt: skip
    if with_highest_fee(notional, _highest(instrument)) > MAXIMUM_MINOR:
        raise InvalidOrder(InvalidReason.TOO_LARGE, "the order is worth more than can be stored")


def _held(side: Side, notional: int, quantity_minor: int | None, instrument: Instrument) -> Money:
    if side is Side.BUY:
        return Money.from_minor(with_highest_fee(notional, _highest(instrument)), instrument.quote)
    assert quantity_minor is not None
    return Money.from_minor(quantity_minor, instrument.base)


def _highest(instrument: Instrument) -> int:
    return max(instrument.maker_fee_ppm, instrument.taker_fee_ppm)


def _off(number: Decimal, scale: int, reason: InvalidReason, grid: str) -> InvalidOrder:
    if number.adjusted() + scale >= 18:
        return InvalidOrder(InvalidReason.TOO_LARGE, "the number is larger than can be stored")
    return InvalidOrder(reason, f"{number:f} is not on the grid: {grid}")

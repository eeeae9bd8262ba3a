"""The matching: an order meets the other side of the book. Pure: resting orders in, fills out.

Prices are in ticks, quantities in lots, money in minor units of the quote currency. The caller gives the resting
orders of the other side, the best price first and within a price the lowest sequence, and may give them lazily: no
more are taken than the order needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from exchange.contracts import CancelReason, OrderStatus, OrderType, Side, TimeInForce
from exchange.rules.fees import fee, most_lots


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """An order in the book, with the lots that are open."""

    order_id: UUID
    account_id: UUID
    price: int
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """The order that comes to the book. `lots` is None where only the cap bounds a market buy."""

    account_id: UUID
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    lots: int | None
    price: int | None
    cap: int | None
    taker_fee_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """So many lots of one resting order, at its price."""

    resting: Resting
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the book gave, and how the order stands then; a cancelled one says why."""

    fills: tuple[Fill, ...]
    status: OrderStatus
    reason: CancelReason | None = None

    @property
    def lots(self) -> int:
        """How many lots were filled."""
        return sum(item.lots for item in self.fills)


@dataclass(slots=True)
class _Walk:
    """Where the order stands on its way through the book."""

    order: Incoming
    worth: int
    fills: list[Fill] = field(default_factory=list)
    filled: int = 0
    spent: int = 0
    met_itself: bool = False
    #: The price that the cap did not pay one lot at.
    too_dear: bool = False

    @property
    def is_filled(self) -> bool:
        return self.order.lots is not None and self.filled == self.order.lots

    def reaches(self, resting: Resting) -> bool:
        """Whether the order pays this price, or takes it."""
        limit = self.order.price
        if limit is None:
            return True
        return resting.price <= limit if self.order.side is Side.BUY else resting.price >= limit

    def lots_of(self, resting: Resting) -> int:
        """How many lots of this resting order it takes."""
        wanted = resting.lots if self.order.lots is None else min(resting.lots, self.order.lots - self.filled)
        if self.order.cap is None:
            return wanted
        return min(wanted, self.affordable(resting.price))

    def affordable(self, price: int) -> int:
        """How many lots what is left of the cap pays at a price, fees included."""
        assert self.order.cap is not None
        return most_lots(
            left=self.order.cap - self.spent, lot_cost=price * self.worth, ppm=self.order.taker_fee_ppm
        )  # fmt: skip

    def take(self, resting: Resting, lots: int) -> None:
        notional = lots * resting.price * self.worth
        self.spent += notional + fee(notional, self.order.taker_fee_ppm)
        self.filled += lots
        self.fills.append(Fill(resting=resting, lots=lots))

    @property
    def is_spent(self) -> bool:
        """Whether the cap ended it: what is left pays no lot, neither at the next price nor at the last one."""
        if self.order.cap is None or not self.fills:
            return False
        return self.too_dear or self.affordable(self.fills[-1].resting.price) == 0


def match(order: Incoming, resting: Iterable[Resting], *, worth: int) -> Outcome:
    """What an order gets of the other side of the book.

    It stops at the first order of its own account: what is left of it, the newer one, is cancelled. What was filled
    before stands, except for FOK, which counts nothing behind its own order and is filled whole or not at all. A
    market buy without a quantity is filled whole when its cap is spent. Pure; raises nothing.
    """
    walk = _walked(order, resting, worth)
    whole = walk.is_filled or (order.lots is None and not walk.met_itself and walk.is_spent)
    if whole:
        return Outcome(fills=tuple(walk.fills), status=OrderStatus.FILLED)
    if order.time_in_force is TimeInForce.FOK:
        reason = CancelReason.SELF_TRADE if walk.met_itself else CancelReason.NOT_FILLED_WHOLE
        return Outcome(fills=(), status=OrderStatus.CANCELLED, reason=reason)
    fills = tuple(walk.fills)
    if walk.met_itself:
        return Outcome(fills=fills, status=OrderStatus.CANCELLED, reason=CancelReason.SELF_TRADE)
    if order.time_in_force is TimeInForce.IOC:
        return Outcome(fills=fills, status=OrderStatus.CANCELLED, reason=CancelReason.NOT_FILLED_AT_ONCE)
    return Outcome(fills=fills, status=OrderStatus.PARTIALLY_FILLED if fills else OrderStatus.OPEN)


def _walked(order: Incoming, resting: Iterable[Resting], worth: int) -> _Walk:
    walk = _Walk(order, worth)
    for item in resting:
        if not walk.reaches(item):
            break
        lots = walk.lots_of(item)
        if not lots:
            walk.too_dear = True
            break
        if item.account_id == order.account_id:
            walk.met_itself = True
            break
        walk.take(item, lots)
        if walk.is_filled:
            break
    return walk

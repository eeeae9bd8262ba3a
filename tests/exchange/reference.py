"""A matching engine as naive as it can be: every order in one list, one lot at a time, nothing shared with the product.

Prices are whole ticks, quantities whole lots, money whole minor units of the quote currency. It says what trades an
order makes and how it stands then. The list of resting orders is sorted anew for each lot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor


@dataclass
class Wish:
    """An order as the reference knows it."""

    name: str
    account: str
    side: str
    price: int | None
    lots: int | None
    cap: int | None
    tif: str
    taker_rate: Fraction
    place: int = 0
    open: int = 0


@dataclass
class ReferenceBook:
    """Every resting order, and every trade so far as (maker, taker, price, lots)."""

    worth: int
    resting: list[Wish] = field(default_factory=list)
    trades: list[tuple[str, str, int, int]] = field(default_factory=list)
    places: int = 0

    def cancel(self, name: str) -> bool:
        """Take an order out of the book; whether it was there."""
        before = len(self.resting)
        self.resting = [other for other in self.resting if other.name != name]
        return len(self.resting) < before

    def submit(self, wish: Wish) -> tuple[str, list[tuple[str, str, int, int]]]:
        """What becomes of an order at once, and its trades."""
        self.places += 1
        wish.place = self.places
        taken, ended = self._take(wish)
        whole = ended == "full" or (ended == "spent" and sum(lots for _, lots in taken) > 0)
        if wish.tif == "FOK" and not whole:
            return "cancelled", []
        made = [(maker.name, wish.name, maker.price or 0, lots) for maker, lots in taken]
        for maker, lots in taken:
            maker.open -= lots
        self.resting = [other for other in self.resting if other.open]
        self.trades += made
        if whole:
            return "filled", made
        if wish.tif == "IOC" or ended == "own":
            return "cancelled", made
        wish.open = (wish.lots or 0) - sum(lots for _, lots in taken)
        self.resting.append(wish)
        return ("partially_filled" if made else "open"), made

    def _take(self, wish: Wish) -> tuple[list[tuple[Wish, int]], str]:
        """Lot by lot: what it takes of whom, and why it stopped: full, spent, own, or none (nothing more to take)."""
        taken: list[tuple[Wish, int]] = []
        while wish.lots is None or sum(lots for _, lots in taken) < wish.lots:
            best = self._best(wish, dict_of(taken))
            if best is None:
                return taken, self._ending(wish, taken)
            more = _with_one_more(taken, best)
            if wish.cap is not None and self._cost(wish, more) > wish.cap:
                # With a quantity named, an empty purse is no full order.
                return taken, "spent" if wish.lots is None else "none"
            if best.account == wish.account:
                return taken, "own"
            taken = more
        return taken, "full"

    def _ending(self, wish: Wish, taken: list[tuple[Wish, int]]) -> str:
        """The book is empty: a purse that pays no further lot at the last price is spent all the same."""
        if wish.cap is None or wish.lots is not None or not taken:
            return "none"
        last = taken[-1][0].price or 0
        left = wish.cap - self._cost(wish, taken)
        return "spent" if self._fill_cost(wish, last, 1) > left else "none"

    def _best(self, wish: Wish, taken: dict[str, int]) -> Wish | None:
        """The resting order that comes first by price and then by place, among those with lots left."""
        other = "sell" if wish.side == "buy" else "buy"
        offers = [item for item in self.resting if item.side == other and item.open > taken.get(item.name, 0)]
        if wish.price is not None:
            limit = wish.price
            offers = [item for item in offers if _pays(wish.side, limit, item.price or 0)]
        sign = 1 if wish.side == "buy" else -1
        return min(offers, key=lambda item: (sign * (item.price or 0), item.place), default=None)

    def _cost(self, wish: Wish, taken: list[tuple[Wish, int]]) -> int:
        return sum(self._fill_cost(wish, maker.price or 0, lots) for maker, lots in taken)

    def _fill_cost(self, wish: Wish, price: int, lots: int) -> int:
        notional = price * lots * self.worth
        return notional + floor(notional * wish.taker_rate)


def dict_of(taken: list[tuple[Wish, int]]) -> dict[str, int]:
    return {maker.name: lots for maker, lots in taken}


def _with_one_more(taken: list[tuple[Wish, int]], best: Wish) -> list[tuple[Wish, int]]:
    if taken and taken[-1][0] is best:
        return [*taken[:-1], (best, taken[-1][1] + 1)]
    return [*taken, (best, 1)]


def _pays(side: str, limit: int, price: int) -> bool:
    return price <= limit if side == "buy" else price >= limit

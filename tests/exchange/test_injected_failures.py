"""Random sequences of everything that can be done to a book, with failures injected: the money adds up after each."""

from __future__ import annotations

import random
from contextlib import suppress
from copy import copy
from typing import Any

import pytest

from exchange import operations, queries
from exchange.errors import ExchangeError
from exchange.models import Order, Trade
from exchange.operations import filling, rows, settling
from ledger import operations as ledger
from ledger import queries as ledger_queries
from tests.bounds import bounded
from tests.exchange.drawing import draw_flow
from tests.exchange.factories import assert_sound
from tests.exchange.markets import Market, open_market

pytestmark = pytest.mark.django_db

STEPS = 100


class Injected(Exception):
    """What no code expects."""


class FailingLedger:
    """The ledger's operations, of which the one that is told fails, before or after it did its work."""

    def __init__(self) -> None:
        self.fails: tuple[str, str] | None = None

    def __getattr__(self, name: str) -> Any:
        real = getattr(ledger, name)
        if self.fails is None or self.fails[0] != name:
            return real
        when = self.fails[1]

        def failing(*args: Any, **options: Any) -> Any:
            if when == "after":
                real(*args, **options)
            raise Injected(name)

        return failing


class Desk:
    """What may be done at a moment: each a small act, drawn by chance."""

    def __init__(self, seed: int, market: Market, books: FailingLedger) -> None:
        self.chance = random.Random(seed)
        self.market, self.books = market, books
        self.flow = iter(draw_flow(seed, 10 * STEPS, accounts=5, worth=1))
        self.placed: list[Any] = []

    def step(self) -> None:
        often = (self.place, self.match)
        seldom = (
            self.settle,
            self.settle,
            self.hold,
            self.settle_by_hand,
            self.cancel,
            self.undo,
            self.repeat,
            self.halt,
        )
        act = self.chance.choice(often if self.chance.random() < 0.7 else seldom)
        self.books.fails = None
        if self.chance.random() < 0.25:
            names = ("capture_hold", "place_hold", "release_hold", "transfer", "lock_accounts")
            self.books.fails = (self.chance.choice(names), self.chance.choice(("before", "after")))
        with suppress(Injected, ExchangeError):
            act()
        self.books.fails = None

    def place(self) -> None:
        drawn = next(item for item in self.flow if item.wish is not None)
        assert drawn.wish is not None
        placed = operations.place_order(self.market.facts(copy(drawn.wish)), key=f"flow:{drawn.wish.name}")
        self.placed.append(placed.order_id)

    def match(self) -> None:
        waiting = Order.objects.filter(status="accepted").order_by("received_at").values_list("id", flat=True)
        for order_id in waiting[:1]:
            operations.match_order(order_id)

    def settle(self) -> None:
        for trade_id in self._trades("matched"):
            operations.settle_trade(trade_id)

    def hold(self) -> None:
        for trade_id in self._trades("matched"):
            operations.hold_trade(trade_id, reason="injected", details="injected")

    def settle_by_hand(self) -> None:
        for trade_id in self._trades("held"):
            operations.settle_held_trade(trade_id, actor="olga", reason="again")

    def cancel(self) -> None:
        if self.placed:
            operations.cancel_order(self.chance.choice(self.placed), actor="olga")

    def undo(self) -> None:
        if self.placed:
            operations.withdraw_order(self.chance.choice(self.placed))

    def repeat(self) -> None:
        """An attempt that comes once more: the same call, the same answer."""
        if self.placed:
            order_id = self.chance.choice(self.placed)
            before = queries.get_order(order_id)
            if before.status not in ("received", "accepted"):
                assert operations.match_order(order_id).status == before.status
                assert queries.get_order(order_id) == before

    def halt(self) -> None:
        operations.halt_instrument(self.market.symbol, actor="olga", reason="news")
        operations.open_instrument(self.market.symbol, actor="olga", reason="over")

    def _trades(self, status: str) -> list[Any]:
        found = Trade.objects.filter(status=status).order_by("number").values_list("id", flat=True)
        return list(found[:1])


@pytest.mark.parametrize("seed", range(bounded(2, thorough=60)))
def test_whatever_fails_the_money_adds_up_and_everything_comes_to_its_end(seed, monkeypatch):
    market, books = open_market(accounts=5), FailingLedger()
    for module in (filling, settling, rows):
        monkeypatch.setattr(module, "ledger", books)
    desk = Desk(seed, market, books)

    for number in range(1, 3 * STEPS + 1):
        desk.step()
        assert_sound()
        _assert_bounds()
        if number >= STEPS and Trade.objects.count() > 3:
            break  # now and then the drawn acts trade less in so many steps; they go on until they have

    for trade in Trade.objects.exclude(status="settled"):
        operations.settle_held_trade(trade.id, actor="olga", reason="the end")
    for order in Order.objects.exclude(status__in=("filled", "cancelled", "rejected")):
        operations.cancel_order(order.id, actor="olga")
    assert_sound()
    assert Trade.objects.count() > 3
    for kind in ("trading", "settling"):
        assert all(not account.held for account in ledger_queries.list_accounts(kind=kind))
    assert all(not account.balance for account in ledger_queries.list_accounts(kind="settling"))


def _assert_bounds() -> None:
    """Nothing negative, holds within balances, nothing filled beyond what was ordered, fills as the trades say."""
    for account in ledger_queries.list_accounts(kind="trading"):
        assert 0 <= account.held.to_minor() <= account.balance.to_minor()
    filled: dict[Any, int] = {}
    for trade in Trade.objects.select_related("maker_order"):
        assert trade.price_units == trade.maker_order.price_units
        for order_id in (trade.maker_order_id, trade.taker_order_id):
            filled[order_id] = filled.get(order_id, 0) + trade.quantity_minor
    for order in Order.objects.all():
        assert order.filled_minor == filled.get(order.id, 0)
        assert order.quantity_minor is None or order.filled_minor <= order.quantity_minor

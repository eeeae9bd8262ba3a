"""The matching core agrees with a naive reference over ten thousand random orders, and stays within its bounds."""

from __future__ import annotations

from copy import copy
from uuid import NAMESPACE_OID, uuid5

import pytest

from exchange.contracts import OrderType, Side, TimeInForce
from exchange.rules.fees import fee
from exchange.rules.matching import Incoming, Outcome, Resting, match
from tests.bounds import bounded
from tests.exchange.drawing import TAKER_PPM, draw_flow
from tests.exchange.reference import ReferenceBook, Wish

WORTH = 100
SEEDS = 4
ORDERS = bounded(2_500, thorough=25_000)


def id_of(name):
    return uuid5(NAMESPACE_OID, name)


class CoreBook:
    """The book around the core: sides kept sorted, fills taken off; what the operations do with rows."""

    def __init__(self) -> None:
        self.resting: list[tuple[int, Wish]] = []
        self.names = {}
        self.sequence = 0

    def cancel(self, name):
        self.resting = [item for item in self.resting if item[1].name != name]

    def submit(self, wish: Wish) -> Outcome:
        self.sequence += 1
        self.names[id_of(wish.name)] = wish.name
        outcome = match(_incoming(wish), self._other_side(wish), worth=WORTH)
        by_name = {item.name: item for _, item in self.resting}
        for fill in outcome.fills:
            by_name[self.names[fill.resting.order_id]].open -= fill.lots
        self.resting = [item for item in self.resting if item[1].open]
        if outcome.status in ("open", "partially_filled"):
            rest = copy(wish)
            rest.open = wish.lots - outcome.lots
            self.resting.append((self.sequence, rest))
        return outcome

    def _other_side(self, wish):
        sign = 1 if wish.side == "buy" else -1
        others = [item for item in self.resting if item[1].side != wish.side]
        for _, item in sorted(others, key=lambda item: (sign * item[1].price, item[0])):
            yield Resting(
                order_id=id_of(item.name), account_id=id_of(item.account), price=item.price, lots=item.open
            )  # fmt: skip


def _incoming(wish: Wish) -> Incoming:
    return Incoming(
        account_id=id_of(wish.account),
        side=Side(wish.side),
        type=OrderType.MARKET if wish.price is None else OrderType.LIMIT,
        time_in_force=TimeInForce(wish.tif),
        lots=wish.lots,
        price=wish.price,
        cap=wish.cap,
        taker_fee_ppm=TAKER_PPM,
    )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_core_agrees_with_the_reference(seed):
    core, reference = CoreBook(), ReferenceBook(worth=WORTH)
    met = {"trades": 0, "statuses": set()}

    for drawn in draw_flow(seed, ORDERS, worth=WORTH):
        if drawn.wish is None:
            core.cancel(drawn.cancels)
            reference.cancel(drawn.cancels)
            continue
        outcome = core.submit(copy(drawn.wish))
        status, made = reference.submit(copy(drawn.wish))

        fills = [(core.names[item.resting.order_id], item.resting.price, item.lots) for item in outcome.fills]
        assert fills == [(maker, price, lots) for maker, _, price, lots in made], drawn
        assert outcome.status == status, drawn
        _assert_within_bounds(drawn.wish, outcome)
        met["trades"] += len(made)
        met["statuses"].add((str(outcome.status), str(outcome.reason)))

    assert met["trades"] > ORDERS / 4
    assert {status for status, _ in met["statuses"]} == {"open", "partially_filled", "filled", "cancelled"}
    assert {reason for _, reason in met["statuses"]} == {
        "None", "self_trade", "not_filled_at_once", "not_filled_whole",
    }  # fmt: skip


def _assert_within_bounds(wish: Wish, outcome: Outcome) -> None:
    """Never more than ordered, never worse than the limit, never beyond the cap, never against oneself."""
    assert wish.lots is None or outcome.lots <= wish.lots
    paid = 0
    for item in outcome.fills:
        assert item.resting.account_id != id_of(wish.account)
        if wish.price is not None:
            better = item.resting.price <= wish.price if wish.side == "buy" else item.resting.price >= wish.price
            assert better
        notional = item.resting.price * item.lots * WORTH
        paid += notional + fee(notional, TAKER_PPM)
    assert wish.cap is None or paid <= wish.cap


def test_the_flow_of_the_suite_is_ten_thousand_orders_long():
    assert SEEDS * ORDERS >= 10_000


def test_the_book_is_read_no_further_than_the_order_needs():
    """Of a book that is long, or cannot be read at all further on."""

    def offers():
        yield Resting(order_id=id_of("a"), account_id=id_of("x"), price=100, lots=5)
        yield Resting(order_id=id_of("b"), account_id=id_of("x"), price=100, lots=5)
        raise AssertionError("read too far")

    order = Wish("n", "me", "buy", 100, 7, None, "GTC", taker_rate=0)

    assert match(_incoming(order), offers(), worth=WORTH).lots == 7

"""A market for random order flow: an instrument, its traders, and the flow placed by the operations themselves."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from exchange import operations, queries
from exchange.contracts import Order as OrderValue
from exchange.contracts import OrderFacts, OrderType, Side, TimeInForce
from exchange.errors import OrderClosed
from exchange.models import Order, Trade
from exchange.rules.grid import at_scale, grid_of
from finaegis.shared.money import Money
from tests.exchange.drawing import TAKER_PPM
from tests.exchange.factories import open_account, terms
from tests.exchange.reference import Wish

#: Enough that no order of a flow is refused for its funds.
PLENTY = "90000000"


@dataclass
class Market:
    """Traders by name, and the orders of a flow by theirs."""

    symbol: str
    accounts: dict[str, UUID]
    orders: dict[str, UUID] = field(default_factory=dict)

    def facts(self, wish: Wish) -> OrderFacts:
        """The drawn order in the instrument's own numbers."""
        instrument = queries.get_instrument(self.symbol)
        grid = grid_of(instrument)
        price = None if wish.price is None else at_scale(wish.price * grid.tick_units, instrument.price_scale)
        quantity = None if wish.lots is None else at_scale(wish.lots * grid.lot_minor, instrument.quantity_scale)
        return OrderFacts(
            account_id=self.accounts[wish.account],
            symbol=self.symbol,
            side=Side(wish.side),
            type=OrderType.MARKET if wish.price is None else OrderType.LIMIT,
            quantity=quantity,
            price=price,
            spend_cap=None if wish.cap is None else Money.from_minor(wish.cap, instrument.quote),
            time_in_force=TimeInForce(wish.tif),
        )

    def submit(self, wish: Wish) -> OrderValue:
        """Place and match a drawn order."""
        placed = operations.place_order(self.facts(wish), key=f"flow:{wish.name}")
        self.orders[wish.name] = placed.order_id
        operations.match_order(placed.order_id)
        return queries.get_order(placed.order_id)

    def cancel(self, name: str) -> None:
        """Cancel a drawn order, if it can still be."""
        if name in self.orders:
            with suppress(OrderClosed):
                operations.cancel_order(self.orders[name], actor="flow")

    def settle(self) -> None:
        """Settle what is matched."""
        for trade_id in Trade.objects.filter(status="matched").values_list("id", flat=True):
            operations.settle_trade(trade_id)


def open_market(*, accounts: int = 5, **changed: object) -> Market:
    """An instrument with the flow's fees, and traders who can pay for everything they are drawn to do."""
    listed = operations.list_instrument(terms(maker_fee_ppm=1109, taker_fee_ppm=TAKER_PPM, **changed))
    return Market(
        symbol=listed.symbol,
        accounts={
            f"trader {number}": open_account(**{listed.base: PLENTY, listed.quote: PLENTY}).id
            for number in range(accounts)
        },
    )


def stored_trades(symbol: str) -> list[tuple[str, str, int, int]]:
    """All trades of a book in their order: maker and taker by name, price in ticks, lots."""
    grid = grid_of(queries.get_instrument(symbol))
    rows = Trade.objects.filter(instrument__symbol=symbol).select_related("maker_order", "taker_order")
    return [
        (
            name_of(row.maker_order),
            name_of(row.taker_order),
            row.price_units // grid.tick_units,
            row.quantity_minor // grid.lot_minor,
        )
        for row in rows.order_by("number")
    ]


def name_of(row: Order) -> str:
    """The name that a drawn order was placed by."""
    assert row.key is not None
    return row.key.removeprefix("flow:")


def lots_of(quantity: Decimal, symbol: str) -> int:
    """A quantity in lots."""
    return int(quantity / queries.get_instrument(symbol).lot)

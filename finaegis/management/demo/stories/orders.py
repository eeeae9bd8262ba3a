"""Order flow on the demo instrument: a price that walks, traders on both sides, and an instrument that is halted."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from uuid import UUID

from exchange import operations, queries
from exchange.contracts import BatchOrder, Instrument, OrderFacts, OrderStatus, OrderType, Side, TimeInForce
from finaegis.management.demo.pace import Pace, few_at_a_time
from finaegis.shared.money import Money
from workflows import NonRetryable
from workflows import operations as engine
from workflows.core.errors import Refused

_TRADERS = (
    "Northwind Capital",
    "Blue Harbour Fund",
    "Tessera Trading",
    "Quartz Partners",
    "Meridian Desk",
    "Solent & Co",
)
_LOTS = (5, 10, 20, 50, 100)


def tell(pace: Pace, chance: Random, *, seed: int, orders: int) -> None:
    """Open the traders' accounts, send their orders a few at a time, and cancel some of what rests."""
    instrument = operations.list_demo_instrument()
    accounts = [
        operations.open_trading_account(
            key=f"story:{seed}:trader:{number}",
            holder=f"story-{seed}-{number}",
            name=name,
            initial_balances=[Money("2000000.00", "USD"), Money("40", "BTC")],
        ).id
        for number, name in enumerate(_TRADERS, start=1)
    ]
    middle = Decimal(50_000)
    sent: list[UUID] = []
    with few_at_a_time(pace) as begun:
        for number in range(1, orders + 1):
            pace.check()
            middle += Decimal(chance.randrange(-40, 41)) * instrument.tick
            facts = _facts(chance, chance.choice(accounts), middle, instrument)
            try:
                requested = operations.request_order(facts, key=f"story:{seed}:order:{number}", actor_name="demo")
            except (NonRetryable, Refused):
                continue  # a trader who has not the funds: nothing was written
            sent.append(requested.order.id)
            begun(requested.run.id)
    _cancel_some(pace, chance, sent)
    _send_batch(pace, accounts, middle, instrument, seed=seed)


def _facts(chance: Random, account_id: UUID, middle: Decimal, instrument: Instrument) -> OrderFacts:
    tick, lot = instrument.tick, instrument.lot
    side = chance.choice((Side.BUY, Side.SELL))
    quantity = lot * chance.choice(_LOTS)
    if chance.random() < 0.15:
        cap = Money(f"{chance.randrange(500, 5000)}.00", "USD") if side is Side.BUY else None
        return OrderFacts(
            account_id=account_id, symbol=instrument.symbol, side=side, type=OrderType.MARKET,
            quantity=None if side is Side.BUY else quantity, spend_cap=cap, time_in_force=TimeInForce.IOC,
        )  # fmt: skip
    away = Decimal(chance.randrange(-30, 60)) * tick
    price = middle - away if side is Side.BUY else middle + away
    return OrderFacts(
        account_id=account_id, symbol=instrument.symbol, side=side, type=OrderType.LIMIT, quantity=quantity,
        price=(price // tick) * tick,
        time_in_force=chance.choices((TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK), weights=(8, 1, 1))[0],
    )  # fmt: skip


def _cancel_some(pace: Pace, chance: Random, order_ids: list[UUID]) -> None:
    for order_id in order_ids:
        cancels = chance.random() < 0.2
        if cancels and queries.get_order(order_id).status in (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED):
            pace.check()
            operations.cancel_order(order_id, actor="demo", detail="the trader changed their mind")


def _send_batch(pace: Pace, accounts: list[UUID], middle: Decimal, instrument: Instrument, *, seed: int) -> None:
    """A batch of small orders, one of them off the grid: it is reported alone."""
    prices = [str(middle + step * instrument.tick) for step in (-3, -1, 2)] + [str(middle + instrument.tick / 2)]
    orders = tuple(
        BatchOrder(
            account_id=str(account), symbol=instrument.symbol, side="buy", type="limit", quantity=str(instrument.lot),
            price=price,
        )
        for account, price in zip(accounts, prices, strict=False)
    )  # fmt: skip
    run = engine.start_run(
        "exchange.OrderBatch", orders, key=f"story:{seed}:batch", actor="operator", reason="demo data"
    )
    pace.settle([run.id])

"""The funds of fills: out of the orders' holds, blocked until the trades are settled.

Each order that was filled has its hold captured, in one amount, to its account's own settling account; what stays open
of it is held anew, at its own price, and what it no longer needs (a better price, a lower fee) is available again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from exchange.contracts import RESTING_STATUSES, Grid, Side
from exchange.models import Instrument, Order, Trade
from exchange.operations.rows import give_back, hold_for, settling_account_id, trading_account_id
from exchange.rules import keys
from exchange.rules.fees import with_highest_fee
from finaegis.shared.money import Money
from ledger import operations as ledger


@dataclass(frozen=True, slots=True)
class _Part:
    """One order of a match: what its fills take, between which of its accounts."""

    row: Order
    taken: Money
    trading_id: UUID
    settling_id: UUID


def move_funds(book: Instrument, rows: Sequence[Order], trades: Sequence[Trade], grid: Grid) -> None:
    """Bring the holds of these orders in line with their fills, and store the orders.

    The rows say already how each order stands; the trades are those that were just made of them. Raises the ledger's
    refusals.
    """
    taken: dict[UUID, int] = defaultdict(int)
    for trade in trades:
        buyer, seller = (
            (trade.taker_order_id, trade.maker_order_id)
            if trade.taker_side == Side.BUY
            else (trade.maker_order_id, trade.taker_order_id)
        )
        taken[buyer] += trade.notional_minor + trade.buyer_fee_minor
        taken[seller] += trade.quantity_minor
    parts = [_part(book, row, taken[row.id]) for row in rows]
    # Another book may be matching orders of the same accounts: without one order of locks they would wait for each
    # other.
    ledger.lock_accounts({account_id for part in parts for account_id in (part.trading_id, part.settling_id)})
    for part in parts:
        _move(book, part, grid)


def _part(book: Instrument, row: Order, taken: int) -> _Part:
    currency = book.quote if row.side == Side.BUY else book.base
    return _Part(
        row=row,
        taken=Money.from_minor(taken, currency),
        trading_id=trading_account_id(row.account_id, currency),
        settling_id=settling_account_id(row.account_id, currency),
    )


def _move(book: Instrument, part: _Part, grid: Grid) -> None:
    row = part.row
    rests = row.status in RESTING_STATUSES
    if part.taken:
        assert row.hold_number is not None
        ledger.capture_hold(
            key=keys.capture_key(row.id, row.hold_number),
            hold_key=keys.hold_key(row.id, row.hold_number),
            amount=part.taken,
            to_account_id=part.settling_id,
            run_id=row.run_id,
        )
        row.hold_number = None
        if rests:
            hold_for(row, _needed(book, row, grid), account_id=part.trading_id)
    elif not rests:
        give_back(row)
    row.save()


def _needed(book: Instrument, row: Order, grid: Grid) -> Money:
    """What is held for the open part of a limit order."""
    assert row.open_minor is not None and row.price_units is not None
    if row.side == Side.SELL:
        return Money.from_minor(row.open_minor, book.base)
    notional = (row.price_units // grid.tick_units) * (row.open_minor // grid.lot_minor) * grid.worth
    highest = max(row.maker_fee_ppm, row.taker_fee_ppm)
    return Money.from_minor(with_highest_fee(notional, highest), book.quote)

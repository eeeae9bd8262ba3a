"""An order comes to its book: one transaction under the book's lock writes its sequence, fills and remainder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from exchange import queries
from exchange.contracts import (
    CLOSED_STATUSES,
    RESTING_STATUSES,
    CancelReason,
    EventKind,
    Grid,
    InstrumentStatus,
    Matched,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from exchange.errors import OrderClosed
from exchange.models import Instrument, Order, Trade
from exchange.operations.filling import move_funds
from exchange.operations.rows import end, give_back, locked_order_with_book, record
from exchange.rules.fees import fee
from exchange.rules.grid import grid_of
from exchange.rules.matching import Fill, Incoming, Outcome, Resting, match
from workflows import clock

#: Resting orders that are read at a time.
_CHUNK = 50


def match_order(order_id: UUID) -> Matched:
    """Bring an accepted order to its book.

    It gets the book's next sequence, its fills at the makers' prices in price-time order, and what is left of it rests
    or is cancelled. While the instrument is halted it is cancelled whole. A repeated call gives the stored answer, and
    so does one for an order that was cancelled meanwhile. Raises UnknownOrder, OrderClosed for a rejected one.
    """
    with transaction.atomic():
        book, row = locked_order_with_book(order_id)
        if row.status in (OrderStatus.REJECTED, OrderStatus.RECEIVED):
            raise OrderClosed(row.id, row.status)
        if row.status == OrderStatus.ACCEPTED:
            if (refusal := _refusal(book, row)) is None:
                _match(book, row)
            else:
                give_back(row)
                end(row, OrderStatus.CANCELLED, reason=refusal)
            if row.status == OrderStatus.CANCELLED:
                record(EventKind.CANCELLED, instrument_id=book.pk, order=row, detail=row.reason.replace("_", " "))
    return queries.get_matched(order_id)


def _refusal(book: Instrument, row: Order) -> CancelReason | None:
    """Why the book no longer takes the order: since it was accepted, the instrument was halted or got another grid."""
    if book.status != InstrumentStatus.OPEN:
        return CancelReason.HALTED
    if (row.price_units or 0) % book.tick_units or (row.quantity_minor or 0) % book.lot_minor:
        return CancelReason.OFF_GRID
    return None


def _match(book: Instrument, row: Order) -> None:
    grid = grid_of(book.as_contract())
    makers: dict[UUID, Order] = {}
    outcome = match(_incoming(row, grid), _other_side(book, row, grid, makers), worth=grid.worth)
    trades = [
        _trade(book, row, makers[item.resting.order_id], item, grid, number=book.last_trade + place)
        for place, item in enumerate(outcome.fills, start=1)
    ]
    book.last_sequence += 1
    book.last_trade += len(trades)
    book.save(update_fields=["last_sequence", "last_trade"])
    row.sequence = book.last_sequence
    filled = _filled_makers(outcome, makers, grid)
    _take_outcome(row, outcome, grid)
    move_funds(book, [row, *filled], trades, grid)
    Trade.objects.bulk_create(trades)


def _incoming(row: Order, grid: Grid) -> Incoming:
    return Incoming(
        account_id=row.account_id,
        side=Side(row.side),
        type=OrderType(row.type),
        time_in_force=TimeInForce(row.time_in_force),
        lots=None if row.quantity_minor is None else row.quantity_minor // grid.lot_minor,
        price=None if row.price_units is None else row.price_units // grid.tick_units,
        cap=row.cap_minor,
        taker_fee_ppm=row.taker_fee_ppm,
    )


def _other_side(book: Instrument, row: Order, grid: Grid, makers: dict[UUID, Order]) -> Iterator[Resting]:
    """The resting orders of the other side, best first, a chunk at a time; `makers` gets the row of each.

    They are read without a lock of their own: whoever matches or cancels holds the book's.
    """
    buys = row.side == Side.BUY
    rows = Order.objects.filter(
        instrument=book, side=Side.SELL if buys else Side.BUY, status__in=list(RESTING_STATUSES)
    ).order_by("price_units" if buys else "-price_units", "sequence")
    if row.price_units is not None:
        rows = rows.filter(**{"price_units__lte" if buys else "price_units__gte": row.price_units})
    after = Q()
    while True:
        chunk = list(rows.filter(after)[:_CHUNK])
        for maker in chunk:
            makers[maker.id] = maker
            yield _resting(maker, grid)
        if len(chunk) < _CHUNK:
            return
        price, sequence = chunk[-1].price_units, chunk[-1].sequence
        further = Q(price_units__gt=price) if buys else Q(price_units__lt=price)
        after = further | Q(price_units=price, sequence__gt=sequence)


def _resting(maker: Order, grid: Grid) -> Resting:
    assert maker.price_units is not None and maker.open_minor is not None
    return Resting(
        order_id=maker.id,
        account_id=maker.account_id,
        price=maker.price_units // grid.tick_units,
        lots=maker.open_minor // grid.lot_minor,
    )


def _trade(book: Instrument, taker: Order, maker: Order, item: Fill, grid: Grid, *, number: int) -> Trade:
    notional = item.resting.price * item.lots * grid.worth
    taker_fee, maker_fee = fee(notional, taker.taker_fee_ppm), fee(notional, maker.maker_fee_ppm)
    buys = taker.side == Side.BUY
    assert maker.price_units is not None
    return Trade(
        instrument=book,
        number=number,
        maker_order=maker,
        taker_order=taker,
        buyer_id=taker.account_id if buys else maker.account_id,
        seller_id=maker.account_id if buys else taker.account_id,
        taker_side=taker.side,
        price_units=maker.price_units,
        quantity_minor=item.lots * grid.lot_minor,
        currency=book.quote,
        notional_minor=notional,
        buyer_fee_minor=taker_fee if buys else maker_fee,
        seller_fee_minor=maker_fee if buys else taker_fee,
        matched_at=clock.now(),
    )


def _filled_makers(outcome: Outcome, makers: Mapping[UUID, Order], grid: Grid) -> list[Order]:
    """The makers that were met, with what was filled of each."""
    met = []
    for item in outcome.fills:
        maker = makers[item.resting.order_id]
        maker.filled_minor += item.lots * grid.lot_minor
        is_whole = maker.open_minor == 0
        maker.status = OrderStatus.FILLED if is_whole else OrderStatus.PARTIALLY_FILLED
        maker.closed_at = clock.now() if is_whole else None
        met.append(maker)
    return met


def _take_outcome(row: Order, outcome: Outcome, grid: Grid) -> None:
    row.filled_minor = outcome.lots * grid.lot_minor
    row.status = outcome.status
    row.reason = outcome.reason or ""
    row.closed_at = clock.now() if outcome.status in CLOSED_STATUSES else None

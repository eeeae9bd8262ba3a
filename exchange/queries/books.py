"""Instruments, and what rests in their books."""

from __future__ import annotations

from django.db.models import Count, F, Sum

from exchange import contracts
from exchange.contracts import RESTING_STATUSES, Level, Side
from exchange.errors import InvalidOrder, InvalidReason, UnknownInstrument
from exchange.models import Instrument, Order
from exchange.rules.grid import at_scale
from finaegis.shared.money import scale_of


def get_instrument(symbol: str) -> contracts.Instrument:
    """The instrument; raises UnknownInstrument."""
    return _row(symbol).as_contract()


def find_instrument(symbol: str) -> contracts.Instrument:
    """The instrument that an order names; raises InvalidOrder where there is none."""
    row = Instrument.objects.filter(symbol=symbol).first()
    if row is None:
        raise InvalidOrder(InvalidReason.UNKNOWN_INSTRUMENT, f"there is no instrument {symbol!r}")
    return row.as_contract()


def list_instruments() -> list[contracts.Instrument]:
    """All instruments, by symbol."""
    return [row.as_contract() for row in Instrument.objects.order_by("symbol")]


def get_book(symbol: str, *, depth: int = 50) -> contracts.Book:
    """What rests in the book by price, at most `depth` levels of each side, the best first; or UnknownInstrument."""
    row = _row(symbol)
    return contracts.Book(
        symbol=row.symbol,
        status=contracts.InstrumentStatus(row.status),
        sequence=row.last_sequence,
        bids=_levels(row, Side.BUY, depth),
        asks=_levels(row, Side.SELL, depth),
    )


def _levels(row: Instrument, side: Side, depth: int) -> tuple[Level, ...]:
    found = (
        Order.objects.filter(instrument=row, side=side, status__in=list(RESTING_STATUSES))
        .values("price_units")
        .annotate(resting=Sum(F("quantity_minor") - F("filled_minor")), orders=Count("id"))
        .order_by("-price_units" if side is Side.BUY else "price_units")[:depth]
    )
    scale = scale_of(row.base)
    return tuple(
        Level(
            price=at_scale(int(item["price_units"] or 0), row.price_scale),
            quantity=at_scale(int(item["resting"]), scale),
            orders=item["orders"],
        )
        for item in found
    )


def _row(symbol: str) -> Instrument:
    row = Instrument.objects.filter(symbol=symbol).first()
    if row is None:
        raise UnknownInstrument(symbol)
    return row

"""Listing instruments, changing their terms, halting and opening them. Each takes the book's lock and is recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from exchange import contracts
from exchange.contracts import CLOSED_STATUSES, EventKind, InstrumentStatus, InstrumentTerms
from exchange.errors import InstrumentInUse, InvalidInstrument, ReasonMissing
from exchange.models import Instrument, Order
from exchange.operations.rows import SYSTEM, locked_book, record
from exchange.rules.grid import grid_of
from finaegis.shared.money import Money

#: What the demo data trades; not part of a production's data.
DEMO_INSTRUMENT = InstrumentTerms(
    symbol="BTC-USD",
    base="BTC",
    quote="USD",
    price_scale=2,
    tick=Decimal("1.00"),
    lot=Decimal("0.01"),
    minimum_notional=Money("10.00", "USD"),
    maker_fee_ppm=1000,
    taker_fee_ppm=2000,
)


def list_instrument(terms: InstrumentTerms, *, actor: str = SYSTEM) -> contracts.Instrument:
    """Take an instrument up for trade. One of that symbol with the same terms is given as it is.

    Raises InvalidInstrument, also where the symbol is listed with other terms.
    """
    columns = _columns(terms)
    try:
        with transaction.atomic():
            row = Instrument(symbol=terms.symbol, **columns)
            row.save(force_insert=True)
            record(EventKind.LISTED, instrument_id=row.pk, actor=actor)
            return row.as_contract()
    except IntegrityError:
        known = Instrument.objects.filter(symbol=terms.symbol).first()
        if known is None or {name: getattr(known, name) for name in columns} != columns:
            raise InvalidInstrument(f"{terms.symbol} is listed already, with other terms") from None
        return known.as_contract()


def list_demo_instrument() -> contracts.Instrument:
    """`BTC-USD` for demo data and tests; one that is there stays as it is."""
    known = Instrument.objects.filter(symbol=DEMO_INSTRUMENT.symbol).first()
    return list_instrument(DEMO_INSTRUMENT) if known is None else known.as_contract()


def change_instrument(terms: InstrumentTerms, *, actor: str = SYSTEM) -> contracts.Instrument:
    """Change the terms of the instrument of that symbol. Orders that were accepted keep their fees.

    Raises UnknownInstrument, InvalidInstrument, and InstrumentInUse: for another scale of prices, which stored prices
    are told by, and for another tick or lot while an order is open, whose price and quantity would be off the grid.
    """
    columns = _columns(terms)
    with transaction.atomic():
        row = locked_book(terms.symbol)
        changed = {name: value for name, value in columns.items() if getattr(row, name) != value}
        if not changed:
            return row.as_contract()
        _check_unused(row, changed)
        for name, value in changed.items():
            setattr(row, name, value)
        row.save(update_fields=list(changed))
        told = ", ".join(f"{name}: {value}" for name, value in changed.items())
        record(EventKind.CHANGED, instrument_id=row.pk, actor=actor, detail=told)
        return row.as_contract()


def halt_instrument(symbol: str, *, actor: str, reason: str) -> contracts.Instrument:
    """Take no orders of the instrument any more; cancels are served. A repeated act changes nothing.

    Raises UnknownInstrument, ReasonMissing.
    """
    return _set_status(symbol, InstrumentStatus.HALTED, EventKind.HALTED, actor=actor, reason=reason)


def open_instrument(symbol: str, *, actor: str, reason: str) -> contracts.Instrument:
    """Take orders of the instrument again. A repeated act changes nothing. Raises UnknownInstrument, ReasonMissing."""
    return _set_status(symbol, InstrumentStatus.OPEN, EventKind.OPENED, actor=actor, reason=reason)


def _set_status(
    symbol: str, status: InstrumentStatus, kind: EventKind, *, actor: str, reason: str
) -> contracts.Instrument:
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        row = locked_book(symbol)
        if row.status != status:
            row.status = status
            row.save(update_fields=["status"])
            record(kind, instrument_id=row.pk, actor=actor, detail=reason.strip())
        return row.as_contract()


def _columns(terms: InstrumentTerms) -> dict[str, Any]:
    grid = grid_of(terms)
    return {
        "base": terms.base,
        "quote": terms.quote,
        "price_scale": grid.price_scale,
        "tick_units": grid.tick_units,
        "lot_minor": grid.lot_minor,
        "minimum_notional_minor": terms.minimum_notional.to_minor(),
        "maker_fee_ppm": terms.maker_fee_ppm,
        "taker_fee_ppm": terms.taker_fee_ppm,
    }


def _check_unused(row: Instrument, changed: dict[str, Any]) -> None:
    if changed.keys() & {"base", "quote", "price_scale"}:
        raise InstrumentInUse("currencies and the scale of prices stay as they were listed")
    open_orders = Order.objects.filter(instrument=row).exclude(status__in=list(CLOSED_STATUSES))
    if changed.keys() & {"tick_units", "lot_minor"} and open_orders.exists():
        raise InstrumentInUse("tick and lot stay while an order is open: halt the instrument and cancel its orders")

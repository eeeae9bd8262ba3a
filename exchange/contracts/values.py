"""What crosses the exchange's floors: instruments, accounts, orders, trades, books and batches as values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from exchange.contracts.statuses import (
    EventKind,
    InstrumentStatus,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    TradeStatus,
)
from finaegis.shared.money import Money
from ledger.contracts import Account as LedgerAccount

#: A plain decimal number, of no more places than any price or quantity has. What is below zero is judged later.
PLAIN_DECIMAL = r"-?[0-9]{1,20}(\.[0-9]{1,18})?"


def _plain(value: object) -> object:
    """Never a float, which holds no price exactly, and no exponent."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not re.fullmatch(PLAIN_DECIMAL, value):
        raise ValueError("must be a plain decimal text such as 0.50")
    return Decimal(value)


def _canonical(number: Decimal) -> Decimal:
    """Without zeros at its end, so that a repeated request is the same by value: 0.5 and 0.50."""
    text = format(number, "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def _schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{PLAIN_DECIMAL}$", "examples": [example]})


_AS_TEXT = BeforeValidator(_plain)
#: Small numbers too are written out: `str` would give 1E-8.
_WRITTEN_OUT = PlainSerializer(lambda number: format(number, "f"), return_type=str, when_used="json")
#: What one unit of the base currency costs, in the quote currency, as it is given.
Price = Annotated[Decimal, _AS_TEXT, AfterValidator(_canonical), _WRITTEN_OUT, _schema("30000.00")]
#: How much of the base currency, as it is given.
Quantity = Annotated[Decimal, _AS_TEXT, AfterValidator(_canonical), _WRITTEN_OUT, _schema("0.50")]
#: A price or quantity as it is told: at the scale of its instrument.
Told = Annotated[Decimal, _AS_TEXT, _WRITTEN_OUT, _schema("0.50000000")]
Symbol = Annotated[str, Field(min_length=3, max_length=25, examples=["BTC-USD"])]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentTerms:
    """What an instrument is traded by. Fees are parts per million of what a fill is worth: 1000 is 0.1 %.

    `price_scale` is the number of decimal places that prices are told with; quantities have those of `base`.
    """

    symbol: str
    base: str
    quote: str
    price_scale: int
    tick: Decimal
    lot: Decimal
    minimum_notional: Money
    maker_fee_ppm: int
    taker_fee_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The terms in whole numbers: a tick in units of the price scale, a lot in minor units of the base currency.

    `worth` is what one lot costs at a price of one tick, in minor units of the quote currency.
    """

    price_scale: int
    tick_units: int
    lot_minor: int
    worth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument(InstrumentTerms):
    """An instrument as it stands; `quantity_scale` is the number of decimal places of quantities."""

    status: InstrumentStatus
    quantity_scale: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingAccount:
    """Who trades; the money is in the ledger under `ledger_owner`. `holder` is the login it belongs to."""

    id: UUID
    holder: str
    name: str
    ledger_owner: str
    opened_at: datetime
    #: Whether this call opened it (opening operations only).
    created: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverview(TradingAccount):
    """A trading account with what stands in the ledger for it."""

    ledger_accounts: tuple[LedgerAccount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """An order as it is given: the input of `exchange.OrderMatching`, and an item of a batch.

    A market buy names its `spend_cap`, fees included, and may name a quantity that it does not go beyond.
    """

    account_id: UUID
    symbol: Symbol
    side: Side
    type: OrderType
    quantity: Quantity | None = None
    price: Price | None = None
    spend_cap: Money | None = None
    time_in_force: TimeInForce | None = None


class BatchOrder(BaseModel):
    """One order of a batch as it was sent: judged alone, so a malformed one is reported and stops no other."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account_id: str
    symbol: str
    side: str
    type: str
    quantity: str | None = None
    price: str | None = None
    spend_cap: str | None = Field(default=None, description="In the instrument's quote currency.")
    time_in_force: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it stands. `quantity` is None for a market buy that takes whatever its cap pays."""

    id: UUID
    run_id: UUID | None
    account_id: UUID
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None
    price: Decimal | None
    spend_cap: Money | None
    filled: Decimal
    status: OrderStatus
    #: Why it was rejected or cancelled: a stable word.
    reason: str | None
    #: Its place in the order in which its book took orders; None before that.
    sequence: int | None
    received_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """Two orders that met: at the maker's price, with the fees that each side pays in the quote currency."""

    id: UUID
    symbol: str
    number: int
    maker_order_id: UUID
    taker_order_id: UUID
    buyer_id: UUID
    seller_id: UUID
    taker_side: Side
    price: Decimal
    quantity: Decimal
    notional: Money
    buyer_fee: Money
    seller_fee: Money
    status: TradeStatus
    #: Why it is held: a stable code.
    hold_reason: str | None
    run_id: UUID | None
    matched_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """All that rests at one price of one side."""

    price: Decimal
    quantity: Decimal
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The resting orders of an instrument by price, the best first. `sequence` is the newest that was assigned."""

    symbol: str
    status: InstrumentStatus
    sequence: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact about an order, a trade or an instrument."""

    kind: EventKind
    actor: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order that was validated, with its money or quantity set aside."""

    order_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One fill of an order: against whom, at the maker's price, and the trade that settles it."""

    trade_id: UUID
    maker_order_id: UUID
    price: Told
    quantity: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What the book gave an order."""

    order_id: UUID
    matches: tuple[Match, ...]
    status: OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A settled trade."""

    trade_id: UUID
    status: TradeStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """What became of one order of a batch; `error` is the code of its refusal, and then there is no order."""

    position: int
    order_id: UUID | None
    status: str
    error: str | None = None
    detail: str | None = None


class OrderResult(BaseModel):
    """How the run of an order ended: its matches, and how the order stood then."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    order_id: UUID
    matches: tuple[Match, ...]
    status: OrderStatus


class BatchResult(BaseModel):
    """How a batch ended: how many orders were processed, and what became of each, in the order given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    processed: int
    results: tuple[BatchItem, ...]

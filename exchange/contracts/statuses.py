"""Words of the exchange: sides, kinds and statuses of orders, of trades and of instruments, and its ledger kinds."""

from __future__ import annotations

from enum import StrEnum

#: Ledger kinds of a trading account in each currency: what it may trade with, and what is matched but not settled.
TRADING = "trading"
SETTLING = "settling"
LEDGER_KINDS = (TRADING, SETTLING)
#: Owner and kind of the ledger account that stands for the world outside; it may go negative.
EXTERNAL = "external"
#: Owner and kind of the ledger account that the exchange's fees go to.
FEES_OWNER, FEES = "exchange", "fees"


class InstrumentStatus(StrEnum):
    """A halted instrument takes no orders; cancels are served."""

    OPEN = "open"
    HALTED = "halted"


class Side(StrEnum):
    """Which way the base currency goes."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """A limit order names its worst price; a market order takes what the book offers."""

    LIMIT = "limit"
    MARKET = "market"


class TimeInForce(StrEnum):
    """What becomes of the remainder: it rests (GTC), it is cancelled (IOC); all at once or nothing (FOK)."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(StrEnum):
    """Where an order stands, in the order it moves; the last three are its ends."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


#: These stand in the book.
RESTING_STATUSES = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED})
#: Money or quantity is set aside for these.
HOLDING_STATUSES = RESTING_STATUSES | {OrderStatus.ACCEPTED}
#: Nothing happens to these any more.
CLOSED_STATUSES = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED})


class CancelReason(StrEnum):
    """Why an order, or what was left of it, was cancelled."""

    REQUESTED = "requested"
    SELF_TRADE = "self_trade"
    NOT_FILLED_WHOLE = "not_filled_whole"
    NOT_FILLED_AT_ONCE = "not_filled_at_once"
    HALTED = "halted"
    OFF_GRID = "off_grid"
    UNDONE = "undone"


class TradeStatus(StrEnum):
    """A matched trade is on its way to settlement; a held one waits for an operator; a settled one is final."""

    MATCHED = "matched"
    HELD = "held"
    SETTLED = "settled"


class EventKind(StrEnum):
    """What may happen to an order, a trade or an instrument beside being matched."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    TRADE_HELD = "trade_held"
    TRADE_SETTLED = "trade_settled"
    LISTED = "listed"
    CHANGED = "changed"
    HALTED = "halted"
    OPENED = "opened"

"""Refusals of the exchange, each with a stable `code`. Trying again cannot change any of them; nothing was written."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from workflows import NonRetryable


class ExchangeError(NonRetryable):
    """A request to the exchange that cannot be done as asked."""

    code = "exchange_refused"


class InvalidReason(StrEnum):
    """Why an order is invalid."""

    UNKNOWN_INSTRUMENT = "unknown_instrument"
    HALTED = "halted"
    PRICE_MISSING = "price_missing"
    PRICE_NOT_TAKEN = "price_not_taken"
    PRICE_NOT_POSITIVE = "price_not_positive"
    OFF_TICK = "off_tick"
    QUANTITY_MISSING = "quantity_missing"
    QUANTITY_NOT_POSITIVE = "quantity_not_positive"
    OFF_LOT = "off_lot"
    CAP_MISSING = "spend_cap_missing"
    CAP_NOT_TAKEN = "spend_cap_not_taken"
    CAP_CURRENCY = "spend_cap_currency"
    CAP_NOT_POSITIVE = "spend_cap_not_positive"
    TIME_IN_FORCE = "time_in_force"
    BELOW_MINIMUM = "below_minimum_notional"
    TOO_LARGE = "too_large"


class InvalidOrder(ExchangeError):
    """The order is not one that its instrument takes; `reason` says why, as a stable word."""

    code = "invalid_order"

    def __init__(self, reason: InvalidReason, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = str(reason)


class InvalidInstrument(ExchangeError):
    """The facts given do not make an instrument."""

    code = "invalid_instrument"


class InstrumentInUse(ExchangeError):
    """An instrument's tick and lot cannot change while an order is open; its currencies and price scale never do."""

    code = "instrument_in_use"


class InvalidTradingAccount(ExchangeError):
    """The facts given do not make a trading account."""

    code = "invalid_trading_account"


class InvalidKey(ExchangeError):
    """A key is a text of 1 to 240 printable characters."""

    code = "invalid_key"


class IdempotencyConflict(ExchangeError):
    """The key was used before with another payload."""

    code = "idempotency_conflict"

    def __init__(self, key: str, text: str = "") -> None:
        super().__init__(text or f"key {key!r} was used before with another payload")
        self.key = key


class ReasonMissing(ExchangeError):
    """An act on an existing record needs a reason."""

    code = "reason_required"

    def __init__(self) -> None:
        super().__init__("a reason is required")


class AmountNotPositive(ExchangeError):
    """The amount must be more than zero."""

    code = "amount_not_positive"


class InsufficientFunds(ExchangeError):
    """The trading account does not have available what the order needs."""

    code = "insufficient_funds"


class UndoneKeyMissing(ExchangeError):
    """An undo runs only as the undo of a step: without that step's key it cannot know what to undo."""

    code = "undone_key_missing"


class NotByRun(ExchangeError):
    """This is done by a run only, which the call has none of."""

    code = "not_by_run"


class NoTradingAccount(ExchangeError):
    """The caller has no trading account, and named no other."""

    code = "no_trading_account"

    def __init__(self, holder: str) -> None:
        super().__init__(f"{holder} has no trading account: open one, or name the account")
        self.holder = holder


class UnknownAccount(ExchangeError):
    """There is no such trading account."""

    code = "unknown_account"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"there is no trading account {account_id}")
        self.account_id = account_id


class UnknownInstrument(ExchangeError):
    """There is no such instrument."""

    code = "unknown_instrument"

    def __init__(self, symbol: str) -> None:
        super().__init__(f"there is no instrument {symbol!r}")
        self.symbol = symbol


class UnknownOrder(ExchangeError):
    """There is no such order."""

    code = "unknown_order"

    def __init__(self, order_id: UUID) -> None:
        super().__init__(f"there is no order {order_id}")
        self.order_id = order_id


class UnknownTrade(ExchangeError):
    """There is no such trade."""

    code = "unknown_trade"

    def __init__(self, trade_id: UUID) -> None:
        super().__init__(f"there is no trade {trade_id}")
        self.trade_id = trade_id


class OrderClosed(ExchangeError):
    """The order is filled or rejected: nothing of it is left to cancel."""

    code = "order_closed"

    def __init__(self, order_id: UUID, status: str) -> None:
        super().__init__(f"order {order_id} is {status}")
        self.order_id = order_id
        self.status = status


class SettlementFailed(ExchangeError):
    """The trade could not be settled now; its funds stay blocked."""

    code = "settlement_failed"

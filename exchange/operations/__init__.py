"""The only writers of the exchange. Each is one transaction; whoever matches, cancels or edits holds the book's lock.

Locks are taken in one order: the books by symbol, the order or the trade, then the ledger's.
"""

from exchange.operations.accounts import deposit, open_trading_account
from exchange.operations.batches import BATCH_SIZE, process_order_batch
from exchange.operations.cancelling import cancel_order, withdraw_order
from exchange.operations.instruments import (
    change_instrument,
    halt_instrument,
    list_demo_instrument,
    list_instrument,
    open_instrument,
)
from exchange.operations.matching import match_order
from exchange.operations.placing import place_order, reject_order, request_order
from exchange.operations.settling import hold_trade, settle_held_trade, settle_trade

__all__ = [
    "BATCH_SIZE",
    "cancel_order",
    "change_instrument",
    "deposit",
    "halt_instrument",
    "hold_trade",
    "list_demo_instrument",
    "list_instrument",
    "match_order",
    "open_instrument",
    "open_trading_account",
    "place_order",
    "process_order_batch",
    "reject_order",
    "request_order",
    "settle_held_trade",
    "settle_trade",
    "withdraw_order",
]

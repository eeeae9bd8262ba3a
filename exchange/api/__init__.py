"""The exchange over REST: accounts, instruments and their books, orders, and the trades they make."""

from exchange.api.accounts import Deposits, OneTradingAccount, TradingAccounts
from exchange.api.instruments import HaltInstrument, Instruments, OneBook, OneInstrument, OpenInstrument
from exchange.api.orders import CancelOrder, OneOrder, Orders
from exchange.api.trades import OneTrade, SettleTrade, Trades

__all__ = [
    "CancelOrder",
    "Deposits",
    "HaltInstrument",
    "Instruments",
    "OneBook",
    "OneInstrument",
    "OneOrder",
    "OneTrade",
    "OneTradingAccount",
    "OpenInstrument",
    "Orders",
    "SettleTrade",
    "Trades",
    "TradingAccounts",
]

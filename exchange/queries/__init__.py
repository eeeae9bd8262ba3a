"""Reads of the exchange. Each gives values, never rows; none locks or writes."""

from exchange.queries.accounts import account_of, get_account, get_account_overview, page_accounts
from exchange.queries.books import find_instrument, get_book, get_instrument, list_instruments
from exchange.queries.daily import list_daily_trades
from exchange.queries.orders import (
    check_order,
    find_by_run,
    get_held,
    get_matched,
    get_order,
    list_order_events,
    list_trades_of,
    page_orders,
)
from exchange.queries.trades import get_trade, list_trade_events, list_unsettled, page_trades

__all__ = [
    "account_of",
    "check_order",
    "find_by_run",
    "find_instrument",
    "get_account",
    "get_account_overview",
    "get_book",
    "get_held",
    "get_instrument",
    "get_matched",
    "get_order",
    "get_trade",
    "list_daily_trades",
    "list_instruments",
    "list_order_events",
    "list_trade_events",
    "list_trades_of",
    "list_unsettled",
    "page_accounts",
    "page_orders",
    "page_trades",
]

"""The exchange in the console: instruments are edited in a form, everything else is looked at; acts are dialogs."""

from exchange.admin.accounts import BatchEntryAdmin, TradingAccountAdmin
from exchange.admin.instruments import InstrumentAdmin
from exchange.admin.orders import OrderAdmin
from exchange.admin.trades import TradeAdmin

__all__ = ["BatchEntryAdmin", "InstrumentAdmin", "OrderAdmin", "TradeAdmin", "TradingAccountAdmin"]

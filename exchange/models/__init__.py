"""Facts of the exchange. Only `exchange.operations` writes them."""

from exchange.models.account import TradingAccount
from exchange.models.batch import BatchEntry
from exchange.models.event import Event
from exchange.models.instrument import Instrument
from exchange.models.order import Order
from exchange.models.trade import Trade

__all__ = ["BatchEntry", "Event", "Instrument", "Order", "Trade", "TradingAccount"]

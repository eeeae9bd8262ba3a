"""Rows of the wallet. Only `wallet.operations` writes them; limits are edited in the console."""

from wallet.models.account import Customer, Destination, WalletAccount
from wallet.models.case import Case
from wallet.models.event import Event
from wallet.models.limits import LimitSet
from wallet.models.withdrawal import ConfirmationToken, Withdrawal

__all__ = ["Case", "ConfirmationToken", "Customer", "Destination", "Event", "LimitSet", "WalletAccount", "Withdrawal"]

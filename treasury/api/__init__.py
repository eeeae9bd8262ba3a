"""The treasury over REST: accounts opened and looked into, cash put to work, instruments listed."""

from treasury.api.accounts import ACCOUNT_STATUSES, ALLOCATION_STATUSES, OneTreasuryAccount, TreasuryAccounts
from treasury.api.cash_management import CashManagement
from treasury.api.instruments import ASSET_CLASSES, Instruments

__all__ = [
    "ACCOUNT_STATUSES",
    "ALLOCATION_STATUSES",
    "ASSET_CLASSES",
    "CashManagement",
    "Instruments",
    "OneTreasuryAccount",
    "TreasuryAccounts",
]

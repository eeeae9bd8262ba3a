"""The wallet over REST: accounts, allow-lists, withdrawals and the cases that officers decide."""

from wallet.api.accounts import (
    Destinations,
    FreezeAccount,
    OneDestination,
    OneWalletAccount,
    RemoveDestination,
    UnfreezeAccount,
    WalletAccounts,
)
from wallet.api.cases import Cases, OneCase, ResolveCase, ReturnWithdrawal
from wallet.api.serializers import (
    CASE_KINDS,
    CASE_STATUSES,
    DESTINATION_STATUSES,
    EVENT_KINDS,
    RESOLUTIONS,
    WITHDRAWAL_STATUSES,
)
from wallet.api.withdrawals import (
    CancelWithdrawal,
    ConfirmWithdrawal,
    OneWithdrawal,
    ResendConfirmation,
    Withdrawals,
)

__all__ = [
    "CASE_KINDS",
    "CASE_STATUSES",
    "DESTINATION_STATUSES",
    "EVENT_KINDS",
    "RESOLUTIONS",
    "WITHDRAWAL_STATUSES",
    "CancelWithdrawal",
    "Cases",
    "ConfirmWithdrawal",
    "Destinations",
    "FreezeAccount",
    "OneCase",
    "OneDestination",
    "OneWalletAccount",
    "OneWithdrawal",
    "RemoveDestination",
    "ResendConfirmation",
    "ResolveCase",
    "ReturnWithdrawal",
    "UnfreezeAccount",
    "WalletAccounts",
    "Withdrawals",
]

"""The wallet in the console: limits are edited in a form; everything else is looked at, and acted on by dialogs."""

from wallet.admin.accounts import DestinationAdmin, LimitSetAdmin, WalletAccountAdmin
from wallet.admin.withdrawals import CaseAdmin, WithdrawalAdmin

__all__ = ["CaseAdmin", "DestinationAdmin", "LimitSetAdmin", "WalletAccountAdmin", "WithdrawalAdmin"]

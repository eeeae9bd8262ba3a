"""The only writers of the wallet. Each is one transaction; whoever decides about a withdrawal holds its row's lock.

Locks are taken in one order: the account, the withdrawal, the destination, the case, then the ledger's.
"""

from wallet.operations.accounts import (
    add_destination,
    freeze_account,
    open_wallet_account,
    remove_destination,
    unfreeze_account,
)
from wallet.operations.cases import record_return, resolve_case
from wallet.operations.confirmations import (
    cancel_withdrawal,
    close_confirmation,
    confirm_withdrawal,
    open_confirmation,
    resend_confirmation,
)
from wallet.operations.mails import send_confirmation, send_notice
from wallet.operations.placing import place_withdrawal, refuse_withdrawal, release_withdrawal, request_withdrawal
from wallet.operations.processing import (
    capture_withdrawal,
    check_acceptance,
    inquire_payment,
    recall_payment,
    record_submission,
    reverse_capture,
    screen_beneficiary,
    settle_withdrawal,
    submit_payment,
)

__all__ = [
    "add_destination",
    "cancel_withdrawal",
    "capture_withdrawal",
    "check_acceptance",
    "close_confirmation",
    "confirm_withdrawal",
    "freeze_account",
    "inquire_payment",
    "open_confirmation",
    "open_wallet_account",
    "place_withdrawal",
    "recall_payment",
    "record_return",
    "record_submission",
    "refuse_withdrawal",
    "release_withdrawal",
    "remove_destination",
    "request_withdrawal",
    "resend_confirmation",
    "resolve_case",
    "reverse_capture",
    "screen_beneficiary",
    "send_confirmation",
    "send_notice",
    "settle_withdrawal",
    "submit_payment",
    "unfreeze_account",
]

"""The only writers of the ledger. Each is one transaction, takes an idempotency key where it moves money or sets it
aside, and gives back a value; a repeated key gives the stored result.

Locks are taken in one order: the keys, the hold, the open business day, then the accounts by id. A transaction that
calls several of them for several accounts begins with `lock_accounts`.
"""

from ledger.operations.accounts import lock_accounts, open_account
from ledger.operations.business_day import open_business_day
from ledger.operations.holds import capture_hold, expire_hold, place_hold, release_hold
from ledger.operations.transfers import reverse_transfer, transfer

__all__ = [
    "capture_hold",
    "expire_hold",
    "lock_accounts",
    "open_account",
    "open_business_day",
    "place_hold",
    "release_hold",
    "reverse_transfer",
    "transfer",
]

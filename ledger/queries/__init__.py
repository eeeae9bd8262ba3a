"""Reads of the ledger. Each gives values, never rows; none locks or writes."""

from ledger.queries.as_of import list_day, read_held, read_position, read_standing, read_trial_balance, snapshot
from ledger.queries.pages import page_accounts, page_transfers
from ledger.queries.reading import (
    find_account,
    find_hold,
    get_account,
    get_business_date,
    get_hold,
    get_transfer,
    list_accounts,
    list_holds,
    list_transfers,
)
from ledger.queries.verification import verify

__all__ = [
    "find_account",
    "find_hold",
    "get_account",
    "get_business_date",
    "get_hold",
    "get_transfer",
    "list_accounts",
    "list_day",
    "list_holds",
    "list_transfers",
    "page_accounts",
    "page_transfers",
    "read_held",
    "read_position",
    "read_standing",
    "read_trial_balance",
    "snapshot",
    "verify",
]

"""Everything the wallet can be asked. Nothing here writes."""

from wallet.queries.accounts import (
    get_account,
    get_available,
    get_destination,
    get_overview,
    page_accounts,
    page_destinations,
)
from wallet.queries.cases import get_case, page_cases
from wallet.queries.daily import list_daily_withdrawals
from wallet.queries.limits import get_limits, get_usage
from wallet.queries.withdrawals import (
    check_withdrawal,
    derive_token,
    find_by_run,
    find_by_token,
    get_withdrawal,
    list_events,
    page_withdrawals,
    read_token,
    recheck,
)

__all__ = [
    "check_withdrawal",
    "derive_token",
    "find_by_run",
    "find_by_token",
    "get_account",
    "get_available",
    "get_case",
    "get_destination",
    "get_limits",
    "get_overview",
    "get_usage",
    "get_withdrawal",
    "list_daily_withdrawals",
    "list_events",
    "page_accounts",
    "page_cases",
    "page_destinations",
    "page_withdrawals",
    "read_token",
    "recheck",
]

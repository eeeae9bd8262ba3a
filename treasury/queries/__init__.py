"""Everything the treasury can be asked. Nothing here writes."""

from treasury.queries.accounts import (
    check_prerequisites,
    get_account,
    get_available,
    get_overview,
    list_accounts,
    list_allocations,
    list_events,
    page_accounts,
)
from treasury.queries.instruments import list_instruments

__all__ = [
    "check_prerequisites",
    "get_account",
    "get_available",
    "get_overview",
    "list_accounts",
    "list_allocations",
    "list_events",
    "list_instruments",
    "page_accounts",
]

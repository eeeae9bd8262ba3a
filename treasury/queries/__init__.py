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
from treasury.queries.risk import (
    get_risk_inputs,
    get_risk_overview,
    get_risk_state,
    list_hedges,
    page_assessments,
    plan_mitigation,
)

__all__ = [
    "check_prerequisites",
    "get_account",
    "get_available",
    "get_overview",
    "get_risk_inputs",
    "get_risk_overview",
    "get_risk_state",
    "list_accounts",
    "list_allocations",
    "list_events",
    "list_hedges",
    "list_instruments",
    "page_accounts",
    "page_assessments",
    "plan_mitigation",
]

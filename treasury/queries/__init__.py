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
from treasury.queries.compliance import (
    get_case,
    get_holder,
    get_movement,
    is_rejected,
    judge_movement,
    page_cases,
    page_movements,
)
from treasury.queries.instruments import (
    list_instruments,
)
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
    "get_case",
    "get_holder",
    "get_movement",
    "get_overview",
    "get_risk_inputs",
    "get_risk_overview",
    "get_risk_state",
    "is_rejected",
    "judge_movement",
    "list_accounts",
    "list_allocations",
    "list_events",
    "list_hedges",
    "list_instruments",
    "page_accounts",
    "page_assessments",
    "page_cases",
    "page_movements",
    "plan_mitigation",
]

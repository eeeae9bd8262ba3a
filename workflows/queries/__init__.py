"""The engine's only readers for doors and domains: frozen values, sensitive fields masked."""

from workflows.queries.runs import (
    RunPage,
    count_by_type_and_state,
    failed_undos,
    get_run,
    get_status,
    list_audit,
    list_runs,
    list_workflows,
    page_runs,
)
from workflows.queries.steps import get_compensation_plan, get_history, list_steps
from workflows.queries.verification import verify_all, verify_run

__all__ = [
    "RunPage",
    "count_by_type_and_state",
    "failed_undos",
    "get_compensation_plan",
    "get_history",
    "get_run",
    "get_status",
    "list_audit",
    "list_runs",
    "list_steps",
    "list_workflows",
    "page_runs",
    "verify_all",
    "verify_run",
]

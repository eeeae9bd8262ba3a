"""The engine's only readers for doors and domains: frozen values, sensitive fields masked."""

from workflows.queries.deliveries import (
    DeliveryPage,
    count_parked,
    get_delivery,
    list_deliveries,
    page_deliveries,
)
from workflows.queries.doubts import get_doubt, list_doubts
from workflows.queries.histories import check_replay, export_history, parse_history, read_history
from workflows.queries.messages import BoundMessage, bind_message, get_update, list_messages
from workflows.queries.runs import (
    RunPage,
    count_by_type_and_state,
    current_run_id,
    failed_undos,
    get_run,
    get_status,
    list_audit,
    list_runs,
    page_runs,
)
from workflows.queries.steps import get_compensation_plan, get_history, list_steps
from workflows.queries.timers import TimerPage, get_timer, list_timers, page_timers
from workflows.queries.types import get_workflow, list_workflows
from workflows.queries.verification import verify_all, verify_run

__all__ = [
    "BoundMessage",
    "DeliveryPage",
    "RunPage",
    "TimerPage",
    "bind_message",
    "check_replay",
    "count_by_type_and_state",
    "count_parked",
    "current_run_id",
    "export_history",
    "failed_undos",
    "get_compensation_plan",
    "get_delivery",
    "get_doubt",
    "get_history",
    "get_run",
    "get_status",
    "get_timer",
    "get_update",
    "get_workflow",
    "list_audit",
    "list_deliveries",
    "list_doubts",
    "list_messages",
    "list_runs",
    "list_steps",
    "list_timers",
    "list_workflows",
    "page_deliveries",
    "page_runs",
    "page_timers",
    "parse_history",
    "read_history",
    "verify_all",
    "verify_run",
]

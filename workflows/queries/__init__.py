"""The engine's only readers for doors and domains: frozen values, sensitive fields masked."""

from workflows.queries.deliveries import (
    DeliveryPage,
    count_parked,
    get_delivery,
    list_deliveries,
    list_delivery_acts,
    page_deliveries,
)
from workflows.queries.doubts import get_doubt, list_doubts
from workflows.queries.figures import Gauges, MetricsView, TypeMetrics, read_gauges, read_metrics
from workflows.queries.histories import check_replay, export_history, parse_history, read_history
from workflows.queries.messages import BoundMessage, bind_message, get_update, list_messages
from workflows.queries.money import MoneyPanel, money_of
from workflows.queries.related import (
    RelatedRecords,
    RunsOfRecord,
    family_of,
    get_record,
    kind_of,
    list_related,
    list_related_to,
    list_runs_of,
    owners_of,
    search_records,
)
from workflows.queries.runs import (
    RunPage,
    count_by_type_and_state,
    current_run_id,
    failed_undos,
    get_run,
    get_status,
    list_audit,
    list_children,
    list_runs,
    page_runs,
)
from workflows.queries.steps import get_compensation_plan, get_history, list_steps
from workflows.queries.timers import TimerPage, get_timer, list_timers, page_timers
from workflows.queries.types import get_workflow, list_workflows
from workflows.queries.verification import verify_all, verify_run
from workflows.queries.work_queues import QueueView, list_work_queues

__all__ = [
    "BoundMessage",
    "DeliveryPage",
    "Gauges",
    "MetricsView",
    "MoneyPanel",
    "QueueView",
    "RelatedRecords",
    "RunPage",
    "RunsOfRecord",
    "TimerPage",
    "TypeMetrics",
    "bind_message",
    "check_replay",
    "count_by_type_and_state",
    "count_parked",
    "current_run_id",
    "export_history",
    "failed_undos",
    "family_of",
    "get_compensation_plan",
    "get_delivery",
    "get_doubt",
    "get_history",
    "get_record",
    "get_run",
    "get_status",
    "get_timer",
    "get_update",
    "get_workflow",
    "kind_of",
    "list_audit",
    "list_children",
    "list_deliveries",
    "list_delivery_acts",
    "list_doubts",
    "list_messages",
    "list_related",
    "list_related_to",
    "list_runs",
    "list_runs_of",
    "list_steps",
    "list_timers",
    "list_work_queues",
    "list_workflows",
    "money_of",
    "owners_of",
    "page_deliveries",
    "page_runs",
    "page_timers",
    "parse_history",
    "read_gauges",
    "read_history",
    "read_metrics",
    "search_records",
    "verify_all",
    "verify_run",
]

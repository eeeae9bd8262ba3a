"""The author's door: everything a person needs to write workflows and activities. Loads no Django."""

from workflows.core.business_events import on_event
from workflows.core.definitions import activity, activity_info
from workflows.core.errors import (
    ActivityFailed,
    Cancelled,
    ChildFailed,
    NonDeterminismError,
    NonRetryable,
    WorkflowFailed,
)
from workflows.core.messages import query, signal, update
from workflows.core.payloads import Sensitive
from workflows.core.reconciling import Outcome
from workflows.core.retry import Retry
from workflows.core.workflow import Workflow

__all__ = [
    "ActivityFailed",
    "Cancelled",
    "ChildFailed",
    "NonDeterminismError",
    "NonRetryable",
    "Outcome",
    "Retry",
    "Sensitive",
    "Workflow",
    "WorkflowFailed",
    "activity",
    "activity_info",
    "on_event",
    "query",
    "signal",
    "update",
]

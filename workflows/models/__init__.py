"""Rows of the engine: facts, constraints and short predicates. Writes happen in `store`, `runtime` and `operations`."""

from workflows.models.audit import AuditEntry
from workflows.models.calendar import Calendar, Holiday
from workflows.models.history import HistoryEvent
from workflows.models.inbox import InboxItem
from workflows.models.liveness import Process
from workflows.models.run import Run
from workflows.models.step import Attempt, CompletionToken, Step

__all__ = [
    "Attempt",
    "AuditEntry",
    "Calendar",
    "CompletionToken",
    "HistoryEvent",
    "Holiday",
    "InboxItem",
    "Process",
    "Run",
    "Step",
]

"""Rows of the engine: facts, constraints and short predicates. Writes happen in `store`, `runtime` and `operations`."""

from workflows.models.audit import AuditEntry
from workflows.models.calendar import Calendar, Holiday
from workflows.models.figure import Figure
from workflows.models.history import HistoryEvent
from workflows.models.inbox import InboxItem
from workflows.models.liveness import Process
from workflows.models.outbox import BLOCKING, BusinessEvent, DeliveryStatus, EventDelivery
from workflows.models.run import Run, RunAttribute
from workflows.models.step import Attempt, CompletionToken, Step

__all__ = [
    "BLOCKING",
    "Attempt",
    "AuditEntry",
    "BusinessEvent",
    "Calendar",
    "CompletionToken",
    "DeliveryStatus",
    "EventDelivery",
    "Figure",
    "HistoryEvent",
    "Holiday",
    "InboxItem",
    "Process",
    "Run",
    "RunAttribute",
    "Step",
]

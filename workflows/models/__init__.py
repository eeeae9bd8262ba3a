"""Rows of the engine: facts, constraints and short predicates. Writes happen in `store`, `runtime` and `operations`."""

from workflows.models.audit import AuditEntry
from workflows.models.history import HistoryEvent
from workflows.models.inbox import InboxItem
from workflows.models.liveness import Process
from workflows.models.run import Run
from workflows.models.step import Attempt, Step

__all__ = ["Attempt", "AuditEntry", "HistoryEvent", "InboxItem", "Process", "Run", "Step"]

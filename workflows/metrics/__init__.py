"""Figures of what runs did: how many closed and how, how long they took, why they failed, how often work was lost.

They are counted from the rows of runs that have closed, after their commit and by whoever collects, never by the run:
a Redis that is away, slow or flushed costs no run anything, and what was not counted meanwhile is counted later.
Documents of figures stand in Redis where there is one, else in a table; both are filled by the same rules
(`metrics.tally`).
"""

from workflows.metrics.collector import WorkflowMetricsCollector
from workflows.metrics.documents import FiguresAway
from workflows.metrics.tally import BUCKETS, Figures, RunError, TypeFigures

__all__ = ["BUCKETS", "Figures", "FiguresAway", "RunError", "TypeFigures", "WorkflowMetricsCollector"]

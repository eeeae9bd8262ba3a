"""Histories to take away, and whether the code as it is now still replays one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from workflows.core import histories, payloads
from workflows.core.asking import WorkflowInfo
from workflows.core.errors import NotFound
from workflows.core.histories import RecordedHistory
from workflows.models import Run
from workflows.runtime import guard
from workflows.store.reading import load_history


def read_history(run_id: uuid.UUID) -> RecordedHistory:
    """A run's history as a file keeps it; raises NotFound."""
    row = Run.objects.filter(pk=run_id).first()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    info = WorkflowInfo(row.id, row.workflow, row.version, row.key, row.attempt, row.seed)
    return RecordedHistory(info, payloads.loads(row.input), load_history(row.id))


def export_history(run_id: uuid.UUID) -> Iterator[str]:
    """A run's history as JSON lines, without line ends: sensitive fields stay encrypted. Raises NotFound."""
    return histories.lines_of(read_history(run_id))


def parse_history(lines: Iterable[str]) -> RecordedHistory:
    """An exported history from its lines; raises InvalidInput naming the line that cannot be read."""
    return histories.read_lines(lines)


def check_replay(history: RecordedHistory) -> None:
    """Replay a history with the code as it is now; nothing is executed and nothing written.

    Raises NonDeterminismError, naming the expected and the found command, when they no longer agree, and
    UnknownWorkflow where this process does not have the code.
    """
    with guard.watched():
        histories.replay_history(history).dispose()

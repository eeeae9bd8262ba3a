"""The attempt in hand: a step that runs in place stands on its run's own row until it settles.

The run's row is written at each checkpoint anyway, so a step costs one row of its own, written once with its outcome,
instead of an insert and an update. Kept as the columns its row will have.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime

from workflows.core import payloads
from workflows.models import Step
from workflows.store.checkpoint import Columns

_TIMES = ("scheduled_at", "started_at", "due_at")


def written(columns: Columns) -> str:
    """The columns as text for the run's row."""
    return payloads.dumps(columns)


def read(text: str) -> Columns:
    """The columns from the run's row."""
    columns: Columns = json.loads(text)
    return columns | {name: datetime.fromisoformat(columns[name]) for name in _TIMES if columns.get(name) is not None}


def row_of(run_id: uuid.UUID, columns: Columns) -> Step:
    """The step's row as it would stand; not saved."""
    return Step(run_id=run_id, **columns)

"""What must hold of every run, whatever its test is about."""

from __future__ import annotations

import json
import uuid

from tests.core.memory import standing
from tests.workflows.views import sound
from workflows import queries
from workflows.core.histories import replay_history
from workflows.core.status import CLOSED, RunStatus
from workflows.models import InboxItem, Run, Step
from workflows.runtime import suspended


def prove(run_id: uuid.UUID) -> None:
    """Fail unless the run verifies, its history replays, and it stands where memory and its rows say.

    The history that is replayed is the exported one, read back from its lines.
    """
    sound(run_id)
    row = Run.objects.get(pk=run_id)
    if row.hold_reason in ("nondeterminism", "code_missing"):
        return
    lines = list(queries.export_history(run_id))
    for line in lines:
        json.loads(line)
    machine = replay_history(queries.parse_history(lines))
    kept = suspended._kept.get(run_id)
    if kept is not None and kept.head == bytes(row.head_hash):
        assert standing(machine) == standing(kept.machine), "what is kept in memory is not what the history tells"
    if row.status in (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.WAITING):
        unread = Step.objects.filter(run_id=run_id, delivered=False).exclude(kind="compensation")
        assert set(unread.values_list("seq", flat=True)) == set(machine.steps), "its open steps are not those it awaits"
    machine.dispose()


def prove_all() -> None:
    """The same of every run there is; of closed ones also that no step and no message was forgotten."""
    for run_id, status in Run.objects.values_list("id", "status"):
        prove(run_id)
        if status in CLOSED and status != RunStatus.TERMINATED:
            left = Step.objects.filter(run_id=run_id, status__in=["scheduled", "running"])
            assert list(left.values_list("seq", "name")) == [], "a closed run has open steps"
            unread = InboxItem.objects.filter(run_id=run_id, taken_at=None)
            assert status == RunStatus.CANCELLED or not unread.exists(), "a closed run left a message unread"

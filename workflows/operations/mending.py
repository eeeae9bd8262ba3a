"""Runs held because code and history disagreed go on by themselves once a fitting build is there (SEMANTICS E23)."""

from __future__ import annotations

import uuid

from workflows import store
from workflows.core import payloads
from workflows.core.asking import WorkflowInfo
from workflows.core.definitions import registry
from workflows.core.errors import NonDeterminismError
from workflows.core.events import EventKind
from workflows.core.replay import replay
from workflows.core.status import DRIVABLE, HoldReason, RunStatus
from workflows.models import Run
from workflows.operations.acts import release
from workflows.operations.authority import record
from workflows.runtime import guard, recovery
from workflows.runtime.locking import locked_run

REASON = "the code fits the history again"


def release_mended() -> list[uuid.UUID]:
    """Release every run held as `nondeterminism` or `code_missing` whose history this build replays."""
    released = []
    for run_id in recovery.find_mendable():
        with locked_run(run_id) as run:
            held = (HoldReason.NONDETERMINISM, HoldReason.CODE_MISSING)
            if run.status == RunStatus.HELD and run.row.hold_reason in held and _fits(run.row):
                release(run, "system", REASON)
                record("resume", principal="system", reason=REASON, run_id=run_id, workflow=run.row.workflow)
                released.append(run_id)
    return released


def hold_without_code() -> list[uuid.UUID]:
    """Hold every run as `code_missing` that has been due for a while and that no living process can drive."""
    held = []
    for run_id in recovery.find_without_code():
        with locked_run(run_id) as run:
            if run.status not in DRIVABLE or run.row.driver is not None or run.row.unclaimed_since is None:
                continue
            name = f"{run.row.workflow} version {run.row.version}"
            error = {"type": "CodeMissing", "code": "code_missing", "message": f"no worker has {name}", "cause": None}
            checkpoint = run.amend()
            checkpoint.append(EventKind.RUN_HELD, {"reason": HoldReason.CODE_MISSING.value, "error": error})
            run.commit(
                checkpoint,
                status=RunStatus.HELD,
                hold_reason=HoldReason.CODE_MISSING.value,
                error=payloads.dumps(error),
            )
            held.append(run_id)
    return held


def _fits(row: Run) -> bool:
    definition = registry.workflows[row.workflow][row.version].definition
    info = WorkflowInfo(row.id, row.workflow, row.version, row.key, row.attempt, row.seed)
    try:
        with guard.watched():
            machine, _ = replay(definition, info, payloads.loads(row.input), store.load_history(row.id))
    except NonDeterminismError:
        return False
    machine.dispose()
    return True

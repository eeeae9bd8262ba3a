"""Waiting for a run to close, from a request or a script. Polls rows; never inside a transaction."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from workflows import queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import WaitTimeout, WorkflowFailed
from workflows.core.failures import remote_error
from workflows.core.status import CLOSED, RunStatus

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.25


class _Waiting:
    #: Called instead of sleeping; the test kit runs what is due here.
    pause: Callable[[float], None] = staticmethod(time.sleep)


@contextmanager
def paused_by(pause: Callable[[float], None]) -> Iterator[None]:
    """Call `pause` instead of sleeping, for the length of the block (test kit)."""
    before = _Waiting.pause
    _Waiting.pause = staticmethod(pause)
    try:
        yield
    finally:
        _Waiting.pause = staticmethod(before)


def pause(seconds: float) -> None:
    """Let time pass while somebody waits; the test kit runs what is due instead."""
    _Waiting.pause(seconds)


def wait_until_closed(run_id: uuid.UUID, timeout: timedelta) -> WorkflowRun:
    """The run once it has closed, or as it stands when the time is over. Raises NotFound."""
    deadline = time.monotonic() + timeout.total_seconds()
    pause = _FIRST_PAUSE
    while True:
        status = queries.get_status(run_id)
        left = deadline - time.monotonic()
        if status in CLOSED or left <= 0:
            return queries.get_run(run_id)
        _Waiting.pause(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def wait_for_result(run_id: uuid.UUID, timeout: timedelta) -> Any:
    """The run's result once it has completed.

    Raises WorkflowFailed (with the cause) when it ended otherwise, WaitTimeout when it is still open, NotFound.
    """
    run = wait_until_closed(run_id, timeout)
    if run.status == RunStatus.COMPLETED:
        return run.result
    if RunStatus(run.status) not in CLOSED:
        raise WaitTimeout(f"run {run_id} is still {run.status} after {timeout.total_seconds():g} s")
    raise failure_of(run)


def failure_of(run: WorkflowRun) -> WorkflowFailed:
    """A run that ended without a result, as an error with its cause."""
    error = run.error
    failed = WorkflowFailed(
        f"{run.workflow} {run.id} ended {run.status}" + (f": {error['message']}" if error else ""),
        run_id=run.id,
        status=run.status,
        code=error["code"] if error else None,
    )
    if error:
        failed.__cause__ = remote_error(error)
    return failed

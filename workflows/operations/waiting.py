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
    #: Seconds that only grow, by which deadlines are told.
    clock: Callable[[], float] = staticmethod(time.monotonic)


@contextmanager
def paused_by(pause: Callable[[float], None], *, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Call `pause` instead of sleeping, for the length of the block (test kit).

    With another `clock` time is virtual: `pause` is given all that is left, and may come back sooner.
    """
    before = _Waiting.pause, _Waiting.clock
    _Waiting.pause, _Waiting.clock = staticmethod(pause), staticmethod(clock)
    try:
        yield
    finally:
        _Waiting.pause, _Waiting.clock = staticmethod(before[0]), staticmethod(before[1])


def pause(seconds: float, *, left: float | None = None) -> None:
    """Let time pass while somebody waits, at most what is `left`; the test kit runs what is due instead."""
    if left is None:
        _Waiting.pause(seconds)
    else:
        _Waiting.pause(min(seconds, left) if _Waiting.clock is time.monotonic else left)


def monotonic() -> float:
    """Seconds that only grow: those of the test kit's time while it is open."""
    return _Waiting.clock()


def wait_until_closed(run_id: uuid.UUID, timeout: timedelta) -> WorkflowRun:
    """The run once it has closed, or as it stands when the time is over; a chain's last link. Raises NotFound."""
    deadline = monotonic() + timeout.total_seconds()
    seconds = _FIRST_PAUSE
    while True:
        status = queries.get_status(run_id)
        if status == RunStatus.CONTINUED:
            run_id = queries.current_run_id(run_id)
            continue
        left = deadline - monotonic()
        if status in CLOSED or left <= 0:
            return queries.get_run(run_id)
        pause(seconds, left=left)
        seconds = min(seconds * 1.5, _LONGEST_PAUSE)


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

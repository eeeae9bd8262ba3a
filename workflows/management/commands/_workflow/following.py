"""Waiting for a run: quietly (`--wait`) or in sight (`watch`). A run that continued as new is followed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import timedelta

from rich.live import Live
from rich.text import Text

from workflows import queries
from workflows.contracts import StepView, WorkflowRun
from workflows.core.status import CLOSED, RunStatus
from workflows.management.commands._workflow import rendering, shapes
from workflows.management.commands._workflow.door import Door
from workflows.operations.waiting import wait_until_closed

#: How often a run is looked at.
_GLANCE = timedelta(seconds=0.5)


def has_come_to_rest(run: WorkflowRun) -> bool:
    """Whether nothing more happens by itself: the run is closed, or held for a person."""
    return run.status == RunStatus.HELD or has_ended(run)


def has_ended(run: WorkflowRun) -> bool:
    """Whether the run is closed and no other link of its chain goes on."""
    return RunStatus(run.status) in CLOSED and run.status != RunStatus.CONTINUED


def _newest(run_id: uuid.UUID) -> WorkflowRun:
    return queries.get_run(queries.current_run_id(run_id))


def wait(run_id: uuid.UUID, seconds: float | None) -> tuple[WorkflowRun, bool]:
    """The run once it has come to rest, or as it stands when `seconds` are over (None: no limit).

    Whoever waits may give up (Ctrl-C, the second value): the run goes on, and they still learn which one it is.
    """
    run = _newest(run_id)
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        while not has_come_to_rest(run):
            left = _GLANCE if deadline is None else timedelta(seconds=deadline - time.monotonic())
            if left <= timedelta():
                break
            run = wait_until_closed(run.id, min(left, _GLANCE))
    except KeyboardInterrupt:
        return run, True
    return run, False


def watch(door: Door, run_id: uuid.UUID, seconds: float | None) -> WorkflowRun:
    """Show the run until it is closed or `seconds` are over: a live page at a terminal, else a line per change."""
    if door.out.is_terminal and not door.as_json:
        return _watch_live(door, run_id, seconds)
    shown = None
    run = queries.get_run(run_id)
    for run, steps in _glances(run_id, seconds):
        news = (
            run.id,
            run.status,
            run.hold_reason,
            run.requested,
            [(step.seq, step.status, step.attempts) for step in steps],
        )
        if news != shown:
            shown = news
            door.show(shapes.of_run(run, steps=shapes.of_steps(steps)), _change(run, steps))
    return run


def _watch_live(door: Door, run_id: uuid.UUID, seconds: float | None) -> WorkflowRun:
    run = queries.get_run(run_id)
    with Live(console=door.out, auto_refresh=False) as live:
        for run, steps in _glances(run_id, seconds):
            live.update(rendering.whole(run, steps, queries.get_compensation_plan(run.id)), refresh=True)
    return run


def _glances(run_id: uuid.UUID, seconds: float | None) -> Iterator[tuple[WorkflowRun, list[StepView]]]:
    """The run again and again; the last glance sees it closed, or is the last one in time."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        run = _newest(run_id)
        yield run, queries.list_steps(run.id)
        left = _GLANCE if deadline is None else timedelta(seconds=deadline - time.monotonic())
        if has_ended(run) or left <= timedelta():
            return
        wait_until_closed(run.id, min(left, _GLANCE))


def _change(run: WorkflowRun, steps: list[StepView]) -> Text:
    text = Text(f"{run.id}  ")
    text.append_text(rendering.state(run))
    if steps:
        last = steps[-1]
        text.append_text(rendering.safe(f"  step {last.seq} {last.name} {last.status}"))
    return text

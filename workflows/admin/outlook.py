"""How a run stands, what it waits for and what comes next, in sentences for whoever looks at it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from workflows.admin import waiting
from workflows.admin.narrative import sentence
from workflows.admin.presentation import moment, pair, span
from workflows.contracts import DoubtView, HistoryEntry, PlanItemView, StepView, WorkflowRun, WorkflowType
from workflows.core import compensation
from workflows.core.events import EventKind
from workflows.core.status import HoldReason, RunStatus

HELD: dict[str, str] = {
    HoldReason.FAILURE: "A step failed and somebody has to decide: retry it, compensate what was done, or cancel.",
    HoldReason.COMPENSATION_FAILED: "Compensate goes on at the failed undo with fresh attempts.",
    HoldReason.IN_DOUBT: "Nobody knows whether a step took effect, so it is not repeated: state its outcome.",
    HoldReason.NONDETERMINISM: "The code no longer matches this run's history. It goes on once a fitting build "
    "registers; resume tries now.",
    HoldReason.CODE_MISSING: "No worker has the code of this workflow and version. It goes on once a fitting build "
    "registers; resume tries now.",
    HoldReason.WORKER_LOST: "Its worker died again and again without progress. Resume tries anew, cancel ends it.",
    HoldReason.PAUSED: "Paused by an operator. Resume lets it go on where it stands.",
}
_CLOSED: dict[str, str] = {
    RunStatus.COMPLETED: "Completed after {length}.",
    RunStatus.FAILED: "Ended by an error after {length}.",
    RunStatus.COMPENSATED: "Ended and undone after {length}; this is final, and a rerun starts anew.",
    RunStatus.CANCELLED: "Cancelled after {length}.",
    RunStatus.TERMINATED: "Terminated after {length}; nothing was undone by that.",
    RunStatus.TIMED_OUT: "Timed out after {length}.",
    RunStatus.CONTINUED: "Goes on in the next run of its chain.",
}


def outlook(
    run: WorkflowRun,
    steps: Sequence[StepView],
    plan: Sequence[PlanItemView],
    history: Sequence[HistoryEntry],
    *,
    now: datetime,
    doubts: Sequence[DoubtView] = (),
    takes: WorkflowType | None = None,
    children: Mapping[int, str] | None = None,
) -> list[str]:
    """Sentences on how the run stands, what it waits for and what comes next.

    `doubts` are its steps in doubt; `takes` is its workflow's type, whose messages may end a wait.
    `children` tells, by step, of the child that it waits for.
    """
    if run.closed_at is not None:
        return [*_closed(run, plan)]
    sentences = [*_requested(run), *_standing(run, plan, history, now), *waiting.doubts(doubts)]
    return (
        sentences
        if run.status == RunStatus.HELD
        else [*sentences, *waiting.waits(steps, takes, now=now, children=children)]
    )


def _closed(run: WorkflowRun, plan: Sequence[PlanItemView]) -> Iterator[str]:
    assert run.closed_at is not None
    yield _CLOSED[run.status].format(length=span(run.closed_at - run.created_at))
    left = sum(item.status != compensation.COMPLETED for item in plan)
    if run.status == RunStatus.COMPENSATED:
        yield f"{len(plan) - left} of {pair(len(plan), 'undo')} ran."
    elif run.status != RunStatus.CONTINUED:
        yield f"Compensate would run {pair(left, 'undo')}." if left else "Nothing is left to undo."


def _requested(run: WorkflowRun) -> Iterator[str]:
    if run.requested:
        yield f"{run.requested.capitalize()} is requested; its driver delivers it with the next commit."


def _standing(
    run: WorkflowRun, plan: Sequence[PlanItemView], history: Sequence[HistoryEntry], now: datetime
) -> Iterator[str]:
    if run.status == RunStatus.HELD:
        yield from _held(run, history, now)
    elif run.status == RunStatus.COMPENSATING:
        done = sum(item.status == compensation.COMPLETED for item in plan)
        following = next((item.activity for item in plan if item.status != compensation.COMPLETED), "the end")
        yield f"{done} of {pair(len(plan), 'undo')} ran; next: {following}."
    elif run.status == RunStatus.PENDING and run.wake_at is not None and run.wake_at > now:
        yield f"Due {waiting.due(run.wake_at, now)}."
    elif run.status == RunStatus.PENDING:
        yield "Waits for a worker to take it."


def _held(run: WorkflowRun, history: Sequence[HistoryEntry], now: datetime) -> Iterator[str]:
    held = next((event for event in reversed(history) if event.kind == EventKind.RUN_HELD), None)
    if held is None:
        yield HELD[run.hold_reason or ""]
        return
    since = f"since {moment(held.at)} UTC ({span(now - held.at)})"
    if run.hold_reason == HoldReason.PAUSED:
        yield f"Paused by {held.data.get('actor')} {since}: “{held.data.get('note')}”"
        yield "Resume lets it go on where it stands."
        return
    undo = next((event for event in reversed(history) if event.kind == EventKind.COMPENSATION_FAILED), None)
    if undo is not None and run.hold_reason == HoldReason.COMPENSATION_FAILED:
        yield f"{sentence(undo.kind, undo.data)}."
    yield f"Held {since}. {HELD[run.hold_reason or '']}"

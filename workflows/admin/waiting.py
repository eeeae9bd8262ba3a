"""What a run waits for at this moment, step by step, in sentences for whoever looks at it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from workflows.admin.presentation import brief, error_text, moment, pair, span
from workflows.contracts import DoubtView, StepView, WorkerView, WorkflowType
from workflows.core.status import StepKind, StepStatus

#: More open steps than this are left to the table below.
MOST_STEPS = 5
_OPEN = (StepStatus.SCHEDULED, StepStatus.RUNNING)


def waits(
    steps: Sequence[StepView],
    takes: WorkflowType | None,
    *,
    now: datetime,
    children: Mapping[int, str] | None = None,
) -> Iterator[str]:
    """Sentences on the open steps: gathers first, then each step, those that wait for a child before others.

    `takes` tells which messages may end a wait; `children` holds the sentences on children by step, in their order.
    """
    yield from _gathers(steps)
    told = 0
    by_child = children or {}
    ordered = [*by_child.values(), *(_open_step(step, takes, now) for step in steps if step.seq not in by_child)]
    for sentence in ordered:
        if sentence is None:
            continue
        told += 1
        if told > MOST_STEPS:
            yield "More steps are open; see below."
            return
        yield sentence


def doubts(found: Sequence[DoubtView]) -> Iterator[str]:
    """What is known of each step in doubt, and who has been asked."""
    for doubt in found:
        step = doubt.step
        error = f": {error_text(step.error)}" if step.error else ""
        yield f"Step {step.seq}, {step.name}, is in doubt after attempt {step.attempts}{error}."
        if doubt.reconcile is not None:
            yield f"{doubt.reconcile} was asked and does not know; it is asked again each half minute."
        if step.evidence is not None:
            told = step.evidence
            what = f"it failed: {error_text(told.error)}" if told.error else f"it gave {brief(told.result)}"
            yield f"An outcome came too late, at {moment(told.at)} UTC: {what}."


def due(at: datetime, now: datetime) -> str:
    """A due time with how long it is until then, or since."""
    return f"at {moment(at)} UTC (in {span(at - now)})" if at > now else f"now (since {moment(at)} UTC)"


def when(at: datetime, now: datetime) -> str:
    """How long until a due time, or since."""
    return f"in {span(at - now)}" if at > now else f"overdue for {span(now - at)}"


def until(at: datetime, now: datetime) -> str:
    """The end of a time that runs, with how long it is until then, or since."""
    return f"until {moment(at)} UTC ({span(at - now)} left)" if at > now else f"until {moment(at)} UTC, which is over"


def worker_text(worker: WorkerView) -> str:
    """A process as people find it."""
    return f"{worker.host}, pid {worker.pid}" + ("" if worker.is_alive else " (silent)")


def _gathers(steps: Sequence[StepView]) -> Iterator[str]:
    for batch in dict.fromkeys(step.batch for step in steps if step.batch is not None and step.status in _OPEN):
        members = [step for step in steps if step.batch == batch]
        if len(members) < 2:
            continue
        by_status = {status: sum(step.status == status for step in members) for status in StepStatus}
        parts = [f"{by_status[StepStatus.COMPLETED]} of {pair(len(members), 'step')} side by side done"]
        for status, word in (
            (StepStatus.RUNNING, "running"), (StepStatus.SCHEDULED, "to come"), (StepStatus.FAILED, "failed"),
            (StepStatus.TIMED_OUT, "timed out"), (StepStatus.CANCELLED, "given up"),
        ):  # fmt: skip
            if by_status[status]:
                parts.append(f"{by_status[status]} {word}")
        yield f"{', '.join(parts)}."


def _open_step(step: StepView, takes: WorkflowType | None, now: datetime) -> str | None:
    name = f"Step {step.seq}, {step.name},"
    if step.status == StepStatus.RUNNING:
        return _running(step, name, now)
    if step.status != StepStatus.SCHEDULED:
        return None
    if step.kind == StepKind.TIMER and step.due_at is not None:
        return f"Step {step.seq} sleeps {until(step.due_at, now)}."
    if step.kind == StepKind.WAIT:
        return _wait(step, takes, now)
    if step.attempts and step.due_at is not None:
        return f"{name} failed its attempt {step.attempts}; the next one is due {due(step.due_at, now)}."
    if step.queue is not None:
        whose = f" of the queue {step.queue}" if step.queue else ""
        limit = f", at most {until(step.start_by, now)}" if step.start_by is not None else ""
        return f"{name} waits for a worker{whose}{limit}."
    return f"{name} is next."


def _wait(step: StepView, takes: WorkflowType | None, now: datetime) -> str:
    limit = f", at most {until(step.due_at, now)}" if step.due_at is not None else ", without a limit"
    names = [f"{message.kind} {message.name}" for message in takes.messages if message.kind != "query"] if takes else []
    brought = f" What may bring it about: {', '.join(names)}, or another branch." if names else ""
    return f"Step {step.seq} waits for its condition{limit}.{brought}"


def _running(step: StepView, name: str, now: datetime) -> str:
    limit = f", at most {until(step.deadline_at, now)}" if step.deadline_at is not None else ""
    if step.awaits_token:
        said = f"{name} waits for somebody outside to end it{limit}."
    else:
        where = f" on {worker_text(step.worker)}" if step.worker is not None else ""
        since = f" since {moment(step.started_at)} UTC" if step.started_at is not None else ""
        said = f"{name} runs its attempt {step.attempts}{where}{since}{limit}."
    if step.heartbeat is not None:
        said += f" Its last heartbeat told {brief(step.heartbeat)}."
    if step.beat_by is not None:
        said += f" The next heartbeat is due {due(step.beat_by, now)}."
    return said

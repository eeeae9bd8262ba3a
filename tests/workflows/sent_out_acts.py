"""What workers, beat and sweep do to attempts that are sent out, one act at a time; and how a worker dies of one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.workflows.faulting import Dead, armed, expire
from workflows import clock, queries
from workflows.core.events import EventKind
from workflows.core.status import RunStatus
from workflows.models import Run, Step
from workflows.runtime import advance, members, process, recovery
from workflows.runtime.locking import locked_run
from workflows.testing import WorkflowEnvironment


def row(run_id: uuid.UUID, seq: int = 1) -> Step:
    """A step's row."""
    return Step.objects.get(run_id=run_id, seq=seq)


def ask(env: WorkflowEnvironment, workflow: Any, *args: Any) -> uuid.UUID:
    """Start a run and drive it until it waits; no worker has looked at what it sent out."""
    run_id: uuid.UUID = env.start(workflow, *args).id
    advance.advance(run_id)
    return run_id


def work(run_id: uuid.UUID, *seqs: int) -> None:
    """A worker gets the message of these steps."""
    members.attempt(run_id, list(seqs) or [1])


def drive(run_id: uuid.UUID) -> None:
    """A worker gets the run's hint."""
    advance.advance(run_id)


def sweep() -> int:
    """Give up what nobody runs any more; gives how many attempts."""
    return recovery.give_up_attempts()


def begin(run_id: uuid.UUID, seq: int = 1, *, where: str = "member.begun") -> uuid.UUID:
    """A worker stops dead in an attempt, without a word; it counts as alive until it expires."""
    identity = process.current().id
    with armed(where, Dead), pytest.raises(Dead):
        members.attempt(run_id, [seq])
    return identity


def die(env: WorkflowEnvironment, run_id: uuid.UUID, seq: int = 1, *, where: str = "member.begun") -> None:
    """A worker dies in an attempt; the next one is another process."""
    expire(begin(run_id, seq, where=where))
    env.restart()


def codes(run_id: uuid.UUID, seq: int = 1) -> list[str | None]:
    """How each try of a step failed; None for one that did not, or runs."""
    step = next(step for step in queries.list_steps(run_id) if step.seq == seq)
    return [attempt.error["code"] if attempt.error else None for attempt in step.tries]


def state(run_id: uuid.UUID) -> tuple[str, str | None]:
    """The run's status and why it is held."""
    run = queries.get_run(run_id)
    return run.status, run.hold_reason


def is_driven(run_id: uuid.UUID) -> bool:
    return Run.objects.filter(pk=run_id, driver__isnull=False).exists()


def close(run_id: uuid.UUID, *, steps_too: bool = True) -> None:
    """End a run as a terminate does: the fence is taken, nothing runs, what was out is given up."""
    with locked_run(run_id) as run:
        checkpoint = run.amend()
        out = Step.objects.filter(run_id=run_id, status__in=["scheduled", "running"])
        for step in out if steps_too else ():
            checkpoint.change_step(step.seq, step.ticket, status="cancelled", settled_at=clock.now(), delivered=True)
            checkpoint.append(EventKind.STEP_CANCELLED, {"seq": step.seq, "name": step.name})
        checkpoint.append(EventKind.RUN_TERMINATED, {"actor": "system", "reason": "over its head"})
        run.commit(checkpoint, status=RunStatus.TERMINATED, closed_at=checkpoint.at)

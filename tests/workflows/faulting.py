"""A process that dies while it drives a run, and another that takes over. No process is really killed here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from workflows.models import Process, Run
from workflows.runtime import advance, faults, recovery
from workflows.testing import WorkflowEnvironment


class Dead(BaseException):
    """The process is gone: no handler of the engine catches this, as none would run after a kill."""


@contextmanager
def armed(where: str, fault: type[BaseException] = faults.InjectedFault) -> Iterator[None]:
    """Raise `fault` when a named fault point is passed first within the block; never again after that."""

    class Once(fault):  # type: ignore[misc, valid-type]
        def __init__(self, *args: object) -> None:
            super().__init__(*args)
            faults.local.pop(where, None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults, "local", {**faults.local, where: "raise"})
        patch.setattr(faults, "InjectedFault", Once)
        yield


def break_off(run_id: uuid.UUID, where: str) -> uuid.UUID:
    """Drive until a fault point and stop dead there: nothing is given up, the lease stays. Gives the dead driver."""
    claimed = advance.claim_run(run_id)
    assert claimed is not None, "there was nothing to claim"
    with armed(where, Dead), pytest.raises(Dead):
        advance.drive(*claimed)
    return claimed[0].driver


def expire(driver: uuid.UUID) -> None:
    """The process has been silent for a lease."""
    Process.objects.filter(pk=driver).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))


def die(env: WorkflowEnvironment, run_id: uuid.UUID, where: str) -> None:
    """Die at a fault point; the next driver is another process."""
    expire(break_off(run_id, where))
    env.restart()


def take_over(env: WorkflowEnvironment) -> list[uuid.UUID]:
    """What the sweep does: whatever nobody living drives is driven here."""
    lost = recovery.find_lost()
    for run_id in lost:
        advance.advance(run_id)
    return lost


def is_leased(run_id: uuid.UUID) -> bool:
    """Whether some process, dead or alive, holds the run."""
    return Run.objects.filter(pk=run_id, driver__isnull=False).exists()

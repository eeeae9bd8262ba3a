"""How the runs of a story come to where its next part finds them: watched while workers drive, or driven here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from workflows import clock, events
from workflows.core.status import DRIVABLE, RunStatus, StepKind, StepStatus
from workflows.models import Run, Step
from workflows.operations import waiting
from workflows.runtime import advance, dispatch, members, telling
from workflows.store import child_id

#: Seconds after which runs that do not come to rest are left to themselves.
PATIENCE = 120.0
#: So many runs of a story are under way at once: what a user starts meanwhile waits behind few.
FEW = 10
_GLANCE = 0.2
_WORK = (StepKind.ACTIVITY, StepKind.CHILD, StepKind.COMPENSATION)


class Stopped(Exception):
    """Whoever tells the story shall end."""


class Pace(Protocol):
    """Brings runs to rest: closed, held, or waiting for a person or for time alone."""

    def check(self) -> None:
        """Raises Stopped when the story shall end."""
        ...

    def settle(self, run_ids: Sequence[UUID]) -> None: ...

    def settle_sagas(self) -> None:
        """Bring what business events started to rest too."""
        ...


@contextmanager
def few_at_a_time(pace: Pace) -> Iterator[Callable[[UUID], None]]:
    """Gives what takes each run that was begun, brings every `FEW` of them to rest, and at the end those left."""
    begun: list[UUID] = []

    def take(run_id: UUID) -> None:
        begun.append(run_id)
        if len(begun) == FEW:
            pace.settle(begun)
            begun.clear()

    yield take
    pace.settle(begun)


def _moving(run_ids: Sequence[UUID]) -> list[UUID]:
    """Those that a worker would still move: themselves, or a child they wait for."""
    going = [RunStatus.PENDING, RunStatus.RUNNING, RunStatus.COMPENSATING]
    moving = set(Run.objects.filter(id__in=list(run_ids), status__in=going).values_list("id", flat=True))
    waiting_ = Run.objects.filter(id__in=list(run_ids), status=RunStatus.WAITING).values("id")
    moving |= set(waiting_.filter(wake_at__lte=clock.now()).values_list("id", flat=True))  # a message came, say
    open_ = Step.objects.filter(run_id__in=waiting_, status__in=[StepStatus.SCHEDULED, StepStatus.RUNNING])
    children: dict[UUID, UUID] = {}
    for step in open_.filter(kind__in=_WORK):
        if step.kind == StepKind.CHILD and step.attempt:
            children[child_id(step.run_id, step.seq, step.attempt)] = step.run_id
        else:
            moving.add(step.run_id)
    settled = Step.objects.filter(run_id__in=waiting_, settled_at__isnull=False, delivered=False)
    moving |= set(settled.values_list("run_id", flat=True))  # its outcome has still to reach the code
    if children:
        moving |= {children[run_id] for run_id in _moving(list(children))}
    return [run_id for run_id in run_ids if run_id in moving]


def _open_runs() -> list[UUID]:
    return list(Run.objects.filter(status__in=DRIVABLE, wake_at__lte=clock.now()).values_list("id", flat=True))


class Watching:
    """Workers drive; this looks at rows until nothing moves. `stopping` tells that the server goes down."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping

    def check(self) -> None:
        if self._stopping():
            raise Stopped

    def settle(self, run_ids: Sequence[UUID]) -> None:
        left, moved_at = list(run_ids), time.monotonic()
        while left and time.monotonic() - moved_at < PATIENCE:
            self.check()
            now = _moving(left)
            if len(now) < len(left):
                moved_at = time.monotonic()
            left = now
            if left:
                time.sleep(_GLANCE)

    def settle_sagas(self) -> None:
        self.settle(_open_runs())


class Driving:
    """Drives in this process, so that no worker is needed; others may drive too, a lease tells them apart."""

    def check(self) -> None:
        """Nothing stops it but its process."""

    def settle(self, run_ids: Sequence[UUID]) -> None:
        began = time.monotonic()
        with dispatch.silenced():  # what is due is found here by its rows
            self._settle(run_ids, began)

    def settle_sagas(self) -> None:
        with dispatch.silenced():
            events.deliver_due()
        self.settle(_open_runs())

    def _settle(self, run_ids: Sequence[UUID], began: float) -> None:
        while (left := _moving(run_ids)) and time.monotonic() - began < PATIENCE:
            if not self._step(left):
                waiting.pause(_GLANCE)

    def _step(self, run_ids: Sequence[UUID]) -> bool:
        """Move what is due now: these runs, their children, and what was sent out for them."""
        family = [*run_ids, *Run.objects.filter(parent__in=list(run_ids)).values_list("id", flat=True)]
        moved = events.deliver_due() > 0
        due = Run.objects.filter(id__in=family, wake_at__lte=clock.now()).order_by("wake_at", "created_at", "id")
        for run_id in list(due.values_list("id", flat=True)):
            moved = advance.advance(run_id) or moved
        for run_id, seq in _attempts(family):
            members.attempt(run_id, [seq])
            moved = True
        return telling.tell_untold() > 0 or moved

    @contextmanager
    def answering(self, run_id: UUID) -> Iterator[None]:
        """While somebody waits for an answer of a run here, it is driven."""

        def pause(seconds: float) -> None:
            if not self._step([run_id]):
                time.sleep(min(seconds, _GLANCE))

        with dispatch.silenced(), waiting.paused_by(pause):
            yield


def _attempts(run_ids: Sequence[UUID]) -> list[tuple[UUID, int]]:
    due = Step.objects.filter(run_id__in=list(run_ids), queue__isnull=False, status=StepStatus.SCHEDULED)
    return [
        (step.run_id, step.seq)
        for step in due.order_by("scheduled_at", "run_id", "seq")
        if step.due_at is None or step.due_at <= clock.now()
    ]

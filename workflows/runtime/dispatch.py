"""Sends hints by task name through the configured Celery app.

A hint carries an id and may be lost, doubled or late: rows are the truth.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from celery import chord
from django.db import transaction
from django.utils.module_loading import import_string

from workflows import conf
from workflows.core.definitions import registry
from workflows.runtime import policies
from workflows.store import StoredStep

log = logging.getLogger("workflows.dispatch")

ADVANCE = "workflows.advance"
ATTEMPT = "workflows.attempt"
DELIVER = "workflows.deliver"

#: Members of a gather are sent in chunks above so many, and a chunk has at most so many.
_SENT_SINGLY = 8
_LARGEST_CHUNK = 50
#: Retries that are due within this many seconds also get a message that comes on time.
_NEAR = 60.0
#: Seconds until a message that was passed on comes: whoever passed it on should not get it again at once.
_PASSED_ON = 1.0


@cache
def _app(path: str) -> Any:
    return import_string(path)


class _Silence:
    on = False


@contextmanager
def silenced() -> Iterator[None]:
    """Send no hints for the length of the block: the test kit finds runs by their due times."""
    before, _Silence.on = _Silence.on, True
    try:
        yield
    finally:
        _Silence.on = before


def is_silenced() -> bool:
    """Whether no hints go out: the test kit drives."""
    return _Silence.on


def advance_after_commit(run_id: uuid.UUID) -> None:
    """Hint that a run can go on, once the present transaction has committed."""
    transaction.on_commit(lambda: send_advance(run_id), robust=True)


def send_advance(run_id: uuid.UUID, *, countdown: float | None = None) -> None:
    """Hint now, or in `countdown` seconds. A broker that is down is logged, never raised: the wake finds the run."""
    path = conf.engine().celery_app
    if not path or _Silence.on:
        return
    try:
        _app(path).send_task(ADVANCE, args=[str(run_id)], countdown=countdown, ignore_result=True)
    except Exception as error:  # whatever the broker's library raises
        log.warning("hint for run %s was not sent (the wake will find it): %s", run_id, error)


def send_deliver(event: int) -> None:
    """Hint that an event waits to be delivered; the wake finds it too."""
    path = conf.engine().celery_app
    if not path or _Silence.on:
        return
    try:
        _app(path).send_task(DELIVER, args=[event], ignore_result=True)
    except Exception as error:  # whatever the broker's library raises
        log.warning("hint for event %s was not sent (the wake will find it): %s", event, error)


def pass_on(run_id: uuid.UUID) -> None:
    """Hint others, from a process that cannot drive the run."""
    send_advance(run_id, countdown=_PASSED_ON)


def pass_attempt_on(run_id: uuid.UUID, seq: int, queue: str | None) -> None:
    """Send others an attempt, from a process that cannot run it."""
    _send_attempt(run_id, [seq], queue, countdown=_PASSED_ON)


def send_many(run_ids: Iterable[uuid.UUID]) -> None:
    """Hint for each of the runs."""
    for run_id in run_ids:
        send_advance(run_id)


def send_step(run_id: uuid.UUID, step: StoredStep, *, countdown: float = 0.0) -> None:
    """Send one attempt out after the present transaction; one that is far off is found when it is due."""
    if countdown <= _NEAR:
        transaction.on_commit(
            lambda: _send_attempt(run_id, [step.seq], step.queue, countdown=countdown or None), robust=True
        )


def send_steps(run_id: uuid.UUID, steps: Sequence[StoredStep], *, processes: int) -> None:
    """Send attempts out: members of one flat gather as a chord whose body wakes the run, all others one by one."""
    batches: dict[int | None, list[StoredStep]] = {}
    for step in steps:
        batches.setdefault(step.batch, []).append(step)
    for batch, members in batches.items():
        if batch is None or len(members) < 2 or not _send_chord(run_id, members, processes):
            for step in members:
                _send_attempt(run_id, [step.seq], step.queue)


def send_again(steps: Iterable[tuple[uuid.UUID, int, str]]) -> None:
    """Send attempts that are due, or that nobody began: run, number, queue."""
    for run_id, seq, queue in steps:
        _send_attempt(run_id, [seq], queue)


def queue_name(app: Any, queue: str | None) -> str | None:
    """The broker's name of a queue that activities name: systems that share a broker keep apart. None = the default."""
    return f"{app.conf.task_default_queue}.{queue}" if queue else None


def subscribe(app: Any) -> None:
    """Let a worker take from the queue of every registered activity, unless it was told its queues (`-Q`)."""
    queues = app.amqp.queues
    if queues._consume_from is not None:
        return
    for activity in registry.activities.values():
        name = queue_name(app, activity.options_.queue)
        if name is not None:
            queues.select_add(name)


def _send_attempt(run_id: uuid.UUID, seqs: Sequence[int], queue: str | None, *, countdown: float | None = None) -> None:
    path = conf.engine().celery_app
    if not path or _Silence.on:
        return
    try:
        app, args = _app(path), [str(run_id), list(seqs)]
        app.send_task(ATTEMPT, args=args, queue=queue_name(app, queue), countdown=countdown, ignore_result=True)
    except Exception as error:  # whatever the broker's library raises
        log.warning("step %s of run %s was not sent (the wake will find it): %s", seqs, run_id, error)


def _send_chord(run_id: uuid.UUID, members: Sequence[StoredStep], processes: int) -> bool:
    """One chord; False when there is no place for results that every process shares, or the broker is down."""
    path = conf.engine().celery_app
    if not path or _Silence.on:
        return True
    app = _app(path)
    try:
        if not conf.engine().chords:
            return False
        header = []
        for chunk in chunks(members, processes=processes):
            args, to = [str(run_id), [step.seq for step in chunk]], queue_name(app, chunk[0].queue)
            header.append(app.signature(ATTEMPT, args=args, options=_to(to)))
        body = app.signature(ADVANCE, args=[str(run_id)], immutable=True, options={"ignore_result": True})
        chord(header, app=app)(body)
    except Exception as error:  # whatever the broker's library raises
        log.warning("a gather of run %s was not sent (the wake will find it): %s", run_id, error)
    return True


def _to(queue: str | None) -> dict[str, Any]:
    return {"queue": queue, "ignore_result": False} if queue else {"ignore_result": False}


def chunks(members: Sequence[StoredStep], *, processes: int) -> list[Sequence[StoredStep]]:
    """Members as they travel together: only above eight, at least two chunks for each process (SEMANTICS C15)."""
    alone = any(step.queue for step in members) or any(_has_time_bounds(step) for step in members)
    if alone or len(members) <= _SENT_SINGLY:
        return [[step] for step in members]
    size = max(1, min(_LARGEST_CHUNK, math.floor(len(members) / (2 * max(processes, 1)))))
    return [members[start : start + size] for start in range(0, len(members), size)]


def _has_time_bounds(step: StoredStep) -> bool:
    return step.policy is not None and any(f'"{bound}"' in step.policy for bound in policies.BOUNDS)

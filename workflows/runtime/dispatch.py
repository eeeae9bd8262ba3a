"""Sends hints by task name through the configured Celery app.

A hint carries an id and may be lost, doubled or late: rows are the truth.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.db import transaction
from django.utils.module_loading import import_string

from workflows import conf

log = logging.getLogger("workflows.dispatch")

ADVANCE = "workflows.advance"


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


def send_many(run_ids: Iterable[uuid.UUID]) -> None:
    """Hint for each of the runs."""
    for run_id in run_ids:
        send_advance(run_id)

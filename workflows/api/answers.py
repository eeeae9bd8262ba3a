"""Runs as answers: what a door says of a run it started or acted on, and how long it waits before it says it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from workflows.api.headers import preferred_wait
from workflows.api.serializers import DomainRunSerializer, RunSerializer, address_of
from workflows.contracts import WorkflowRun
from workflows.core.status import CLOSED, RunStatus
from workflows.operations.waiting import wait_until_closed

#: Requests of one process that may wait at the same time: a server of eight threads keeps two for everybody else.
WAITING = threading.BoundedSemaphore(6)
#: How long a request waits for its turn to wait; runs that end soon make room soon.
PATIENCE = timedelta(seconds=0.5)


def run_answer(request: Request, run: WorkflowRun) -> Response:
    """A run that a start gave: 201 if it is new, 200 if it was there, 202 if it was waited for in vain."""
    return _answer(request, run, RunSerializer, status.HTTP_201_CREATED if run.created else status.HTTP_200_OK)


def domain_answer(request: Request, run: WorkflowRun) -> Response:
    """The same for a domain's own start: `{id, run_id, status, ...}`."""
    return _answer(request, run, DomainRunSerializer, status.HTTP_201_CREATED if run.created else status.HTTP_200_OK)


def act_answer(request: Request, run: WorkflowRun, *, waits: bool = True, is_done: bool = True) -> Response:
    """A run after an act: 200, or 202 while the act waits for the run's driver or the run was waited for in vain."""
    done = status.HTTP_200_OK if is_done and not run.requested else status.HTTP_202_ACCEPTED
    return _answer(request, run, RunSerializer, done, waits=waits)


@contextmanager
def turn_to_wait(wait: timedelta) -> Iterator[timedelta | None]:
    """What is left of `wait` once it is this request's turn; None where too many requests wait already."""
    began = time.monotonic()
    if not WAITING.acquire(timeout=min(wait, PATIENCE).total_seconds()):
        yield None
        return
    try:
        yield max(wait - timedelta(seconds=time.monotonic() - began), timedelta())
    finally:
        WAITING.release()


def applied(wait: timedelta) -> dict[str, str]:
    """The header that tells which wait was honoured."""
    return {"Preference-Applied": f"wait={int(wait.total_seconds())}"}


def _answer(
    request: Request, run: WorkflowRun, item: type[serializers.Serializer[Any]], done: int, *, waits: bool = True
) -> Response:
    headers: dict[str, str] = {}
    wait = preferred_wait(request) if waits else None
    if wait is not None:
        with turn_to_wait(wait) as left:
            run = replace(wait_until_closed(run.id, left or timedelta()), created=run.created)
        if left is not None:
            headers |= applied(wait)
        # A run that continued as new is closed, and what was asked for goes on in another one.
        if run.status not in CLOSED or run.status == RunStatus.CONTINUED:
            done = status.HTTP_202_ACCEPTED
        elif done == status.HTTP_202_ACCEPTED:
            done = status.HTTP_200_OK
    headers["Location"] = address_of(request, run.id)
    return Response(item(run, context={"request": request}).data, status=done, headers=headers)

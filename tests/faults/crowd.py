"""The client's side of many mixed runs: starts them, plays whoever talks to them, and tells how they ended."""

from __future__ import annotations

import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection

from tests.faults import effects
from tests.faults.mixed_flows import (
    KINDS,
    CancelledWorkflow,
    OutsideWorkflow,
    SignalsWorkflow,
    UpdateWorkflow,
)
from workflows import operations, queries
from workflows.core.errors import TokenUnknown, UpdatePending, UpdateRejected
from workflows.core.status import CLOSED
from workflows.models import Run

#: One visit after the other; between two of them the others of the crowd get theirs.
Play = Iterator[None]

_THREADS = 4
#: Runs that each thread looks after at once: more than that would only wait for workers.
_AT_ONCE = 30
_PAUSE = 0.1
#: How long a thread waits for an answer before it looks after the others of its crowd again.
_AN_ANSWER = timedelta(seconds=0.5)
_troubles: list[str] = []
_playing: list[threading.Thread] = []


def begin(crowd: str, count: int) -> int:
    """Start so many runs of all kinds, in the background, and talk to them until they need nobody any more."""
    for number in range(_THREADS):
        numbers = range(number, count, _THREADS)
        thread = threading.Thread(target=_visit, args=(crowd, numbers), daemon=True)
        _playing.append(thread)
        thread.start()
    return count


def _visit(crowd: str, numbers: range) -> None:
    try:
        plays: list[Play] = []
        to_come = iter(numbers)
        while True:
            plays += [_play(crowd, number) for number in islice(to_come, _AT_ONCE - len(plays))]
            plays = [play for play in plays if _goes_on(play)]
            if not plays:
                return
            time.sleep(_PAUSE)
    except Exception:
        _troubles.append(traceback.format_exc())
    finally:
        connection.close()


def _goes_on(play: Play) -> bool:
    try:
        next(play)
    except StopIteration:
        return False
    return True


def _play(crowd: str, number: int) -> Play:
    kind = KINDS[number % len(KINDS)]
    label = f"{crowd}-{number}"
    run_id = operations.start_run(kind, label, key=label).id
    yield from _PARTS.get(kind.name, _nothing)(run_id, label)
    while not Run.objects.filter(pk=run_id, status__in=CLOSED).exists():
        yield


def _nothing(run_id: uuid.UUID, label: str) -> Play:
    yield


def _signal(run_id: uuid.UUID, label: str) -> Play:
    """Each signal twice; the first before anybody has driven the run."""
    for part in ("x", "y", "z"):
        for _ in range(2):
            operations.signal_run(run_id, "add", part, key=part)
        yield


def _update(run_id: uuid.UUID, label: str) -> Play:
    """One that is refused, and one that is sent twice under one id."""
    answers = []
    for decision in ("perhaps", "yes", "yes"):
        while True:
            try:
                answers.append(operations.update_run(run_id, "decide", decision, id=decision, timeout=_AN_ANSWER))
            except UpdateRejected as rejected:
                answers.append(rejected.code)
            except UpdatePending:
                yield
                continue
            break
    assert answers == ["no_decision", "decided: yes", "decided: yes"], answers


def _complete(run_id: uuid.UUID, label: str) -> Play:
    while True:
        for told in effects.counts(f"{label}:token:%"):
            try:
                operations.complete_step(told.rsplit(":", 1)[1], result="told")
            except TokenUnknown:  # that of an attempt which was given up
                continue
            return
        yield


def _cancel(run_id: uuid.UUID, label: str) -> Play:
    while effects.count(f"{label}:b%") < 2:
        yield
    operations.cancel_run(run_id, reason="test")


_PARTS: dict[str, Callable[[uuid.UUID, str], Play]] = {
    SignalsWorkflow.name: _signal,
    UpdateWorkflow.name: _update,
    OutsideWorkflow.name: _complete,
    CancelledWorkflow.name: _cancel,
}


def progress(crowd: str) -> dict[str, Any]:
    """How many runs of a crowd are closed, and what went wrong: held runs and errors of those who talk to them."""
    rows = Run.objects.filter(key__startswith=f"{crowd}-").values_list("key", "status", "hold_reason")
    held = [f"{key}: {reason}" for key, status, reason in rows if status == "held"]
    return {"closed": sum(status in CLOSED for _, status, _ in rows), "troubles": _troubles + held}


def outcomes(crowd: str) -> dict[str, dict[str, Any]]:
    """Label -> kind, status, result, code of the error, effects (without the label), and findings of `verify`."""
    told: dict[str, Counter[str]] = {}
    for effect, number in effects.counts(f"{crowd}-%").items():
        label, _, what = effect.partition(":")
        if not what.startswith("token:"):
            told.setdefault(label, Counter())[what] += number
    found = {}
    for row in Run.objects.filter(key__startswith=f"{crowd}-"):
        run = queries.get_run(row.id)
        assert run.key is not None
        found[run.key] = {
            "kind": run.workflow,
            "status": run.status,
            "result": run.result_json,
            "error": run.error["code"] if run.error is not None else None,
            "effects": dict(sorted(told.get(run.key, Counter()).items())),
            "findings": [finding.problem for finding in queries.verify_run(run.id)],
        }
    return found


HANDLERS: dict[str, Callable[..., Any]] = {
    "crowd_begin": begin,
    "crowd_progress": progress,
    "crowd_outcomes": outcomes,
}

"""Counts what has closed since it last looked, and reads the figures. Called by beat and by who reads; no run waits."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet

from workflows.core.events import EventKind
from workflows.metrics import tally
from workflows.metrics.documents import Documents, FiguresAway, Read, chosen
from workflows.metrics.tally import ATTEMPTS, ERRORS, POSITION, Closing, Document, Figures
from workflows.models import Attempt, HistoryEvent, Run, Step

log = logging.getLogger("workflows.metrics")

#: How much longer than another one a commit may take that has an earlier time: so far back is looked again.
OVERLAP = timedelta(seconds=30)
#: The same for failed attempts, in ids.
_OVERLAP_IDS = 500
#: Closed runs that are counted in one change, and how long one call goes on counting.
BATCH = 500
_LONGEST = 5.0

_BEGINS = frozenset({EventKind.STEP_STARTED.value, EventKind.COMPENSATION_STARTED.value})
_CLOSES = frozenset({
    EventKind.RUN_COMPLETED.value, EventKind.RUN_FAILED.value, EventKind.RUN_COMPENSATED.value,
    EventKind.RUN_CANCELLED.value, EventKind.RUN_TERMINATED.value, EventKind.RUN_TIMED_OUT.value,
    EventKind.RUN_CONTINUED.value,
})  # fmt: skip
_HOW = {"worker_lost": "lost", "timed_out": "timed_out", "heartbeat_lost": "timed_out"}


class WorkflowMetricsCollector:
    """What runs did, in figures that several processes count together: each closing once, whoever collects it."""

    def __init__(self, documents: Documents | None = None) -> None:
        self._documents = documents

    @property
    def documents(self) -> Documents:
        return self._documents if self._documents is not None else chosen()

    def collect(self) -> bool:
        """Count what started, closed and failed since the last time; False when it could not be. Never raises."""
        until = time.monotonic() + _LONGEST
        try:
            while self._count_some() >= BATCH and time.monotonic() < until:
                pass
        except FiguresAway:
            log.debug("figures are away; what happens meanwhile is counted later")
            return False
        except DatabaseError:
            log.warning("figures could not be counted", exc_info=True)
            return False
        return True

    def read(self) -> Figures:
        """The figures as they were last collected; raises FiguresAway."""
        return tally.figures_of(self.documents.read_all())

    def taken_over(self, workflow: str) -> None:
        """Count a run that this process took over from one that fell silent. Never raises; uncounted while away."""
        name = tally.type_name(workflow)

        def decide(read: Read) -> dict[str, Document]:
            document = read(name)
            tally.add_take_over(document)
            return {name: document, POSITION: read(POSITION)}

        try:
            if not self.documents.update(decide):
                self.documents.update(decide)
        except FiguresAway:
            log.debug("a take-over of %s was not counted", workflow)
        except DatabaseError:
            log.warning("a take-over of %s could not be counted", workflow, exc_info=True)

    def _count_some(self) -> int:
        documents = self.documents
        position = documents.read(POSITION)
        if not _starts(position) and not _closed(position) and not _failed_since(position):
            return 0  # without a lock: mostly nothing has happened
        counted = 0

        def decide(read: Read) -> dict[str, Document]:
            nonlocal counted
            change = _Change(read)
            counted = max(_count_starts(change), _count_closings(change), _count_attempts(change))
            return change.documents

        return counted if documents.update(decide) else 0


class _Change:
    """Documents that are being changed: each is read once, and written because it was."""

    def __init__(self, read: Read) -> None:
        self._read, self.documents = read, dict[str, Document]()
        self.position = self.of(POSITION)

    def of(self, name: str) -> Document:
        if name not in self.documents:
            self.documents[name] = self._read(name)
        return self.documents[name]


def _since(place: Document, times: QuerySet[Run], column: str) -> QuerySet[Run]:
    rows = times.order_by(column, "id")
    if "at" in place:
        rows = rows.filter(**{f"{column}__gte": datetime.fromisoformat(place["at"]) - OVERLAP})
    return rows


def _starts(position: Document) -> list[tuple[uuid.UUID, str, datetime]]:
    """Runs that are not counted yet, first started first."""
    place = position.get("started", {})
    seen = place.get("seen", {})
    rows = _since(place, Run.objects.all(), "created_at").values_list("id", "workflow", "created_at")
    return [row for row in rows[: BATCH + len(seen)] if row[0].hex not in seen][:BATCH]


def _count_starts(change: _Change) -> int:
    starts = _starts(change.position)
    for _, workflow, _ in starts:
        tally.add_start(change.of(tally.type_name(workflow)))
    place = change.position.setdefault("started", {})
    tally.move_on(place, {run_id.hex: at for run_id, _, at in starts}, overlap=OVERLAP)
    return len(starts)


def _closed(position: Document) -> list[dict[str, Any]]:
    """Rows that closed and are not counted yet, first closed first."""
    place = position.get("closed", {})
    seen = place.get("seen", {})
    rows = _since(place, Run.objects.filter(closed_at__isnull=False), "closed_at")
    found: Any = rows.values("id", "workflow", "status", "created_at", "closed_at", "error")[: BATCH + len(seen)]
    return [row for row in found if tally.mark_of(row["id"], row["closed_at"]) not in seen][:BATCH]


def _count_closings(change: _Change) -> int:
    closings = closings_of(_closed(change.position))
    for closing in closings:
        tally.add_closing(change.of(tally.type_name(closing.workflow)), closing)
        if closing.error is not None:
            tally.add_error(change.of(ERRORS), closing)
    place = change.position.setdefault("closed", {})
    tally.move_on(place, {closing.mark: closing.closed_at for closing in closings}, overlap=OVERLAP)
    return len(closings)


def closings_of(rows: Sequence[dict[str, Any]]) -> list[Closing]:
    """Rows of closed runs as closings, with the attempts that each made."""
    made = _attempts_made([row["id"] for row in rows])
    return [
        Closing(
            run_id=row["id"],
            workflow=row["workflow"],
            status=row["status"],
            created_at=row["created_at"],
            closed_at=row["closed_at"],
            error=None if row["error"] is None else json.loads(row["error"]),
            attempts=made.get(row["id"], 0),
        )
        for row in rows
    ]


def _attempts_made(run_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many attempts began in each run since it was last closed before: a retried run closes again."""
    events = HistoryEvent.objects.filter(run_id__in=run_ids, kind__in=_BEGINS | _CLOSES)
    made: dict[uuid.UUID, int] = {}
    closed: set[uuid.UUID] = set()
    for run_id, kind in events.order_by("run_id", "position").values_list("run_id", "kind").iterator():
        if kind in _CLOSES:
            closed.add(run_id)
        elif run_id in closed:
            closed.discard(run_id)
            made[run_id] = 1
        else:
            made[run_id] = made.get(run_id, 0) + 1
    return made


def _failed_since(position: Document) -> QuerySet[Attempt]:
    known = position.get("attempts", {})
    fresh = Attempt.objects.filter(id__gt=max(known.get("id", 0) - _OVERLAP_IDS, 0))
    return fresh.exclude(id__in=known["seen"]) if known.get("seen") else fresh


def _count_attempts(change: _Change) -> int:
    """Failed attempts by activity and by how they ended."""
    known = change.position.setdefault("attempts", {})
    found = list(_failed_since(change.position).order_by("id").values("id", "run_id", "seq", "error")[:BATCH])
    if not found:
        return 0
    steps = Step.objects.filter(run_id__in={row["run_id"] for row in found}, seq__in={row["seq"] for row in found})
    names = {(run_id, seq): name for run_id, seq, name in steps.values_list("run_id", "seq", "name")}
    failed = change.of(ATTEMPTS).setdefault("failed", {})
    for row in found:
        by_how = failed.setdefault(names.get((row["run_id"], row["seq"]), "unknown"), {})
        how = _HOW.get(json.loads(row["error"]).get("code", ""), "failed")
        by_how[how] = by_how.get(how, 0) + 1
    last = max(known.get("id", 0), found[-1]["id"])
    seen = [*known.get("seen", ()), *(row["id"] for row in found)]
    known |= {"id": last, "seen": [item for item in seen if item > last - _OVERLAP_IDS]}
    return len(found)

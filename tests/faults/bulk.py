"""The client's side of many runs: starts them, counts how they ended, and verifies them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Sum

from tests.faults import effects
from workflows import clock, operations, queries
from workflows.core.status import CLOSED
from workflows.models import HistoryEvent, InboxItem, Run


def start_many(workflow: str, crowd: str, count: int, inputs: dict[str, Any], labelled: bool = False) -> int:
    """Start so many runs; with `labelled` each gets its key as its label."""
    for number in range(count):
        key = f"{crowd}-{number}"
        operations.start_run(workflow, key=key, **inputs, **({"label": key} if labelled else {}))
    return count


def signal_many(crowd: str, name: str) -> int:
    """Send a signal to every run of a crowd."""
    ids = list(_runs(crowd).values_list("id", flat=True))
    for run_id in ids:
        operations.signal_run(run_id, name)
    return len(ids)


def _runs(crowd: str) -> Any:
    return Run.objects.filter(key__startswith=f"{crowd}-")


def statuses(crowd: str) -> dict[str, int]:
    """How many runs of a crowd stand in which state; held ones by their reason."""
    found = Counter(reason or status for status, reason in _runs(crowd).values_list("status", "hold_reason"))
    return dict(found)


def closed(crowd: str) -> int:
    """How many runs of a crowd have ended."""
    return int(_runs(crowd).filter(status__in=CLOSED).count())


def events_so_far(crowd: str) -> int:
    """How many events the histories of a crowd have: it grows while anything goes on."""
    return int(_runs(crowd).aggregate(number=Sum("head_seq"))["number"] or 0)


def left_open(crowd: str) -> list[str]:
    """What the open runs of a crowd look like."""
    runs = _runs(crowd).exclude(status__in=CLOSED)
    unread = Counter(
        InboxItem.objects.filter(run_id__in=runs.values("id"), taken_at=None).values_list("run_id", flat=True)
    )
    return [
        f"{run.key}: {run.status} {run.hold_reason} driver={run.driver} wanted={run.wanted} unread={unread[run.id]}"
        for run in runs
    ]


def results(crowd: str) -> list[Any]:
    """What the runs of a crowd gave, each different result once."""
    return [list(each) for each in _runs(crowd).values_list("status", "result").distinct()]


def findings(crowd: str) -> list[str]:
    """What `verify` says of the runs of a crowd."""
    runs = _runs(crowd).values_list("id", flat=True)
    return [f"{run_id}: {finding.problem}" for run_id in runs for finding in queries.verify_run(run_id)]


def events_of(crowd: str, kind: str) -> dict[str, int]:
    """Run -> how many events of a kind its history has."""
    ids = list(_runs(crowd).values_list("id", flat=True))
    found = Counter(HistoryEvent.objects.filter(run_id__in=ids, kind=kind).values_list("run_id", flat=True))
    return {str(run_id): found[run_id] for run_id in ids}


def first_event(crowd: str, kind: str) -> float:
    """When the first event of a kind stands in any history of a crowd, in seconds since 1970."""
    events = HistoryEvent.objects.filter(run_id__in=_runs(crowd).values("id"), kind=kind)
    return float(events.order_by("at").values_list("at", flat=True)[0].timestamp())


def overdue() -> int:
    """Timers and runs that were due two seconds ago and still are."""
    since = clock.now() - timedelta(seconds=2)
    return len(queries.list_timers(due_before=since, limit=10_000)) + Run.objects.filter(wake_at__lt=since).count()


def effect_counts(label: str) -> dict[str, int]:
    return effects.counts(label)


HANDLERS: dict[str, Callable[..., Any]] = {
    "start_many": start_many,
    "signal_many": signal_many,
    "statuses": statuses,
    "closed": closed,
    "events_so_far": events_so_far,
    "left_open": left_open,
    "results": results,
    "findings": findings,
    "events_of": events_of,
    "first_event": first_event,
    "overdue": overdue,
    "effect_counts": effect_counts,
}

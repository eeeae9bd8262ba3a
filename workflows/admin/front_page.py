"""The console's front page: what an operator has to know first. Called by the admin theme for its index."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from workflows import clock, queries
from workflows.admin import acts
from workflows.admin.outlook import HELD
from workflows.admin.panels import queue_rows
from workflows.admin.presentation import RUN_COLOURS, error_text, moment, span, state_text
from workflows.admin.processes import living_processes
from workflows.admin.sending import run_url
from workflows.contracts import WorkflowRun
from workflows.core.status import RunStatus
from workflows.models import Run

_MOST = 25
_NEWEST = 10
#: What needs somebody stands first.
_ORDER = (RunStatus.HELD, RunStatus.FAILED, *(item for item in RunStatus if item not in ("held", "failed")))
#: A due run that nobody took for this long means that no worker does its work.
_OVERDUE = timedelta(minutes=1)
_MOST_OVERDUE = 1000


@dataclass(frozen=True, slots=True)
class Count:
    """How many runs stand in one state."""

    status: str
    text: str
    colour: str
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A run as the front page tells of it: where it stands and why."""

    run: WorkflowRun
    short_id: str
    state: str
    colour: str
    created: str
    since: str
    why: str
    url: str


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The index's context with queues, counts, held and failed runs, and the health of the workers."""
    context["title"] = "Operations"
    context["sees_runs"] = acts.may(request.user, acts.VIEW)
    if not context["sees_runs"]:
        return context
    numbers: dict[str, int] = defaultdict(int)
    for _, status, number in queries.count_by_type_and_state():
        numbers[status] += number
    overdue = _overdue()
    context |= {
        "counts": [_count(status, numbers[status]) for status in _ORDER],
        "held": [_row(run) for run in queries.list_runs(status=RunStatus.HELD, limit=_MOST)],
        "failed": [_row(run) for run in queries.list_runs(status=RunStatus.FAILED, limit=_MOST)],
        "newest": [_row(run) for run in queries.list_runs(limit=_NEWEST)],
        "most": _MOST,
        "numbers": dict(numbers),
        "overdue_text": f"{overdue} run(s) have been due for over a minute and no worker took them." if overdue else "",
        "queues": queue_rows(request.user),
        "processes": living_processes(),
        "may_start": acts.may(request.user, acts.START),
    }
    return context


def _count(status: RunStatus, number: int) -> Count:
    url = reverse("admin:workflows_run_changelist") + "?" + urlencode({"status__exact": status})
    return Count(status, state_text(status, None), RUN_COLOURS[status], number, url)


def _row(run: WorkflowRun) -> Row:
    why = error_text(run.error) if run.error else HELD[run.hold_reason] if run.hold_reason else ""
    return Row(
        run=run,
        short_id=str(run.id)[:8],
        state=state_text(run.status, run.hold_reason),
        colour=RUN_COLOURS[run.status],
        created=moment(run.created_at),
        since=span(clock.now() - run.created_at),
        why=why,
        url=run_url(run.id),
    )


def _overdue() -> int:
    return Run.objects.filter(wake_at__lt=clock.now() - _OVERDUE)[:_MOST_OVERDUE].count()

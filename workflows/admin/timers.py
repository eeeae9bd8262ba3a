"""Timers in the console: a list of what open runs wait for, and the dialog that moves one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from workflows import clock, operations, queries
from workflows.admin import acts, waiting
from workflows.admin.message_forms import MoveForm
from workflows.admin.presentation import RUN_COLOURS, brief, moment, pair, span, state_text
from workflows.admin.read_only import ReadOnlyAdmin
from workflows.admin.sending import METHODS, act_once, context_of, dialog_name, fresh_key, parse_id, run_url, tell
from workflows.contracts import TimerView, WorkflowRun
from workflows.core.errors import NotFound
from workflows.models import Run
from workflows.queries.timers import Place

_PAGE = 50
#: Word in the address -> what it shows, and the filter.
_VIEWS: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("All", {}),
    "overdue": ("Overdue", {"overdue": True}),
    "upcoming": ("Upcoming", {"overdue": False}),
    "timer": ("Sleeps", {"kind": "timer"}),
    "wait": ("Ends of waits", {"kind": "wait"}),
    "retry": ("Next attempts", {"kind": "retry"}),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One timer, as text; `move` is the address of its dialog for whoever may move it."""

    view: TimerView
    about: str
    due: str
    when: str
    short_id: str
    state: str
    colour: str
    run: str
    move: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One way to look at the list."""

    title: str
    url: str
    is_shown: bool


def timer_list(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """What open runs wait for, first due first."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(("GET", "HEAD"))
    if not acts.may(request.user, acts.VIEW):
        raise PermissionDenied
    view = request.GET.get("show", "")
    if view not in _VIEWS:
        raise Http404("there is no such view of the timers")
    filters = dict(_VIEWS[view][1])
    if workflow := request.GET.get("workflow"):
        filters["workflow"] = workflow
    found = queries.page_timers(limit=_PAGE, after=_place(request.GET.get("after")), **filters)
    kept = {"workflow": workflow} if workflow else {}
    context = context_of(admin, request, "Timers") | {
        # The header's path would lead to runs: this list is a page of its own.
        "opts": None,
        "content_title": "Timers",
        "rows": _rows(found.timers, request),
        "tabs": [Tab(title, _address({"show": word, **kept}), word == view) for word, (title, _) in _VIEWS.items()],
        "workflow": workflow,
        "without_workflow": _address({"show": view}),
        "next": _address({"show": view, **kept, "after": _written(found.after)}) if found.after else "",
        "is_first": "after" not in request.GET,
        "first": _address({"show": view, **kept}),
    }
    return TemplateResponse(request, "workflows/timers.html", context)


def _rows(timers: Sequence[TimerView], request: HttpRequest) -> list[Row]:
    now, may_move = clock.now(), acts.may(request.user, acts.RESCHEDULE)
    return [
        Row(
            view=timer,
            about=_about(timer),
            due=moment(timer.due_at),
            when=waiting.when(timer.due_at, now),
            short_id=str(timer.run_id)[:8],
            state=state_text(timer.run_status, timer.hold_reason),
            colour=RUN_COLOURS[timer.run_status],
            run=run_url(timer.run_id),
            move=acts.move_url(timer.run_id, timer.seq) if may_move and timer.is_movable else "",
        )
        for timer in timers
    ]


def _about(timer: TimerView) -> str:
    """What its time is of."""
    if timer.kind == "retry":
        return f"next attempt, after {pair(timer.attempts, 'attempt')}"
    seconds = timer.arguments.get("seconds", timer.arguments.get("timeout"))
    length = f" of {span(timedelta(seconds=seconds))}" if isinstance(seconds, int | float) else ""
    if timer.kind == "wait":
        return f"end of a wait{length}"
    return f"sleep{length}" if length or not timer.arguments else f"sleep, {brief(timer.arguments, 80)}"


def _address(query: dict[str, str]) -> str:
    given = {name: value for name, value in query.items() if value}
    address = reverse("admin:workflows_run_timers")
    return f"{address}?{urlencode(given)}" if given else address


def _written(place: Place) -> str:
    return ",".join((place[0].isoformat(), str(place[1]), str(place[2])))


def _place(text: str | None) -> Place | None:
    """Where a page begins; the first page for what is no place."""
    try:
        at, run_id, seq = (text or "").split(",")
        due_at = datetime.fromisoformat(at)
        return (due_at, uuid.UUID(run_id), int(seq)) if due_at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


# --- Moving one ------------------------------------------------------------------------------------------------------


def move_dialog(admin: ReadOnlyAdmin, request: HttpRequest, object_id: str, seq: int) -> HttpResponse:
    """Another due time for a timer, or for the end of a wait."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    if not acts.may(request.user, acts.RESCHEDULE):
        raise PermissionDenied
    try:
        run = queries.get_run(parse_id(object_id))
    except NotFound as error:
        raise Http404(str(error)) from error
    timer = _timer(run.id, seq)
    dialog = dialog_name("reschedule", run.id, seq)
    if request.method != "POST":
        initial = {"once": fresh_key(request, dialog), "due_at": MoveForm.written(timer.due_at) if timer else ""}
        return _show(admin, request, run, timer, MoveForm(initial=initial))
    form = MoveForm(request.POST)
    if form.is_valid():
        done = act_once(request, form, dialog, lambda: _move(request, run, seq, form))
        if done is not None:
            tell(request, "Move", done)
            return HttpResponseRedirect(run_url(done.run_id))
    return _show(admin, request, queries.get_run(run.id), timer, form)


def _timer(run_id: uuid.UUID, seq: int) -> TimerView | None:
    try:
        timer = queries.get_timer(run_id, seq)
    except NotFound:
        return None
    return timer if timer.is_movable else None


def _move(request: HttpRequest, run: WorkflowRun, seq: int, form: MoveForm) -> WorkflowRun:
    given = form.cleaned_data
    return operations.move_timer(run.id, seq, due_at=given["due_at"], actor=request.user, reason=given["reason"])


def _show(
    admin: ReadOnlyAdmin, request: HttpRequest, run: WorkflowRun, timer: TimerView | None, form: MoveForm
) -> HttpResponse:
    now = clock.now()
    context = context_of(admin, request, f"Move a timer of {str(run.id)[:8]}") | {
        "original": Run(id=run.id, workflow=run.workflow),
        "run": run,
        "state": state_text(run.status, run.hold_reason),
        "state_variant": RUN_COLOURS[run.status],
        "timer": timer,
        "stands": f"Step {timer.seq}, {_about(timer)}: due {waiting.due(timer.due_at, now)}." if timer else "",
        "misfit": "This timer is over, or it is none that can be moved.",
        "form": form,
        "back": run_url(run.id),
    }
    return TemplateResponse(request, "workflows/move.html", context)

"""Dialogs that talk to a run: send a signal, send an update, ask a query."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse

from workflows import operations, queries
from workflows.admin import acts, one_time
from workflows.admin.message_forms import QueryForm, SignalForm, UpdateForm
from workflows.admin.places import places_of
from workflows.admin.presentation import RUN_COLOURS, pretty, state_text, text_of
from workflows.admin.read_only import ReadOnlyAdmin
from workflows.admin.sending import (
    METHODS,
    act_once,
    context_of,
    dialog_name,
    fresh_key,
    parse_id,
    refuse,
    refuse_key,
    run_url,
    tell,
)
from workflows.admin.values import outline
from workflows.contracts import MessageType, WorkflowRun, WorkflowType
from workflows.core.errors import EngineError, UpdateFailed, UpdatePending, UpdateRejected
from workflows.core.messages import MessageKind
from workflows.models import Run

#: How long a dialog waits for the answer of an update.
UPDATE_WAIT = timedelta(seconds=5)
_EXPLAINS = {
    "signal": "It is stored and delivered in its order, and never answered.",
    "update": "The run answers it. Its own check may reject it; then nothing has changed.",
    "query": "It is answered from the run's state as recorded. Nothing is written.",
}
_TITLES = {"signal": "Send the signal", "update": "Send the update", "query": "Ask"}


def signal_dialog(admin: ReadOnlyAdmin, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """Send a signal, once."""
    run, message = _addressed(request, object_id, "signal", name)
    places = places_of(message.input_schema)
    dialog = dialog_name("signal", run.id, name)
    if request.method != "POST":
        form = SignalForm(places=places, initial={"once": fresh_key(request, dialog)})
        return _show(admin, request, run, message, form)
    form = SignalForm(request.POST, places=places)
    if form.is_valid():
        done = act_once(request, form, dialog, lambda: _send_signal(request, run, name, form))
        if done is not None:
            tell(request, f"Signal {name}", done)
            return HttpResponseRedirect(run_url(done.run_id))
    return _show(admin, request, run, message, form)


def _send_signal(request: HttpRequest, run: WorkflowRun, name: str, form: SignalForm) -> WorkflowRun:
    signal = queries.bind_message(run, MessageKind.SIGNAL, name, form.input)
    given = form.cleaned_data
    return operations.signal_run(
        run.id, name, *signal.arguments, actor=request.user, reason=given["reason"], key=given["key"] or None
    )


def update_dialog(admin: ReadOnlyAdmin, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """Send an update and wait a little for its answer; the dialog's key is the update's id, so it is sent once."""
    run, message = _addressed(request, object_id, "update", name)
    places = places_of(message.input_schema)
    dialog = dialog_name("update", run.id, name)
    if request.method != "POST":
        form = UpdateForm(places=places, initial={"once": fresh_key(request, dialog)})
        return _show(admin, request, run, message, form)
    form = UpdateForm(request.POST, places=places)
    if form.is_valid() and _send_update(request, run, name, form, dialog):
        return HttpResponseRedirect(run_url(run.id))
    return _show(admin, request, run, message, form)


def _send_update(request: HttpRequest, run: WorkflowRun, name: str, form: UpdateForm, dialog: str) -> bool:
    """Whether it was taken; what came of it is said, and why not stands on the form."""
    try:
        known_as = one_time.identity(form.cleaned_data["once"], user_id=request.user.pk, dialog=dialog)
        update = queries.bind_message(run, MessageKind.UPDATE, name, form.input)
        answer = operations.update_run(
            run.id,
            name,
            *update.arguments,
            id=known_as,
            actor=request.user,
            reason=form.cleaned_data["reason"],
            timeout=UPDATE_WAIT,
        )
        messages.info(request, f"Update {name} is answered: {text_of(update.shown(answer))}")
    except UpdatePending:
        messages.info(request, f"Update {name} is stored and not answered yet; its answer will stand below.")
    except UpdateFailed as error:
        messages.error(request, f"Update {name} was taken and failed: {error} ({error.code})")
    except one_time.KeyRefused:
        refuse_key(request, form, dialog)
        return False
    except EngineError as error:
        refuse(form, error)
        return False
    return True


def start_with_update(
    request: HttpRequest, workflow: WorkflowType, name: str, arguments: Any, start: dict[str, Any]
) -> WorkflowRun:
    """Start or find the run and send it an update; what became of the update is said above the run's page.

    Raises what `start_run` raises; a refused update refuses no run that stands.
    """
    known_as = str(uuid.uuid4())
    answered = False
    try:
        operations.update_with_start(
            workflow.name, update=name, update_args=arguments, id=known_as, timeout=UPDATE_WAIT, **start
        )
        answered = True
    except UpdatePending:
        messages.info(request, f"Update {name} is stored and not answered yet; its answer will stand below.")
    except (UpdateRejected, UpdateFailed) as error:
        messages.error(request, f"The run stands; its update {name} was refused: {error} ({error.code})")
    (run,) = queries.list_runs(workflow=workflow.name, key=start["key"], limit=1)
    if answered:
        answer = queries.get_update(run.id, name, known_as).result
        messages.info(request, f"Update {name} is answered: {text_of(answer)}")
    return run


def query_dialog(admin: ReadOnlyAdmin, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
    """Ask a run and show its answer; one without arguments is asked at once."""
    run, message = _addressed(request, object_id, "query", name)
    places = places_of(message.input_schema)
    form = QueryForm(request.POST if request.method == "POST" else None, places=places)
    shown: dict[str, Any] = {}
    if (form.is_bound and form.is_valid()) or (not form.is_bound and not places):
        shown = _answer(request, run, name, form)
    return _show(admin, request, run, message, form, asks=bool(places), **shown)


def _answer(request: HttpRequest, run: WorkflowRun, name: str, form: QueryForm) -> dict[str, Any]:
    try:
        query = queries.bind_message(run, MessageKind.QUERY, name, form.input if form.is_bound else {})
        answer = query.shown(operations.query_run(run.id, name, *query.arguments, actor=request.user))
    except EngineError as error:
        if form.is_bound:
            refuse(form, error)
            return {}
        return {"refusal": f"{error} ({error.code})"}
    return {"is_answered": True, "answer": outline(answer), "answer_json": pretty(answer)}


def _addressed(request: HttpRequest, object_id: str, kind: str, name: str) -> tuple[WorkflowRun, MessageType]:
    """The run and the message of an address; 404 when there is none, 403 for whoever may not."""
    if not acts.may(request.user, f"workflows.{kind}_run"):
        raise PermissionDenied
    try:
        run = queries.get_run(parse_id(object_id))
        known = queries.get_workflow(run.workflow, run.version).of_kind(kind)
    except EngineError as error:
        raise Http404(str(error)) from error
    found = next((message for message in known if message.name == name), None)
    if found is None:
        raise Http404(f"the workflow has no {kind} of that name")
    return run, found


def _show(
    admin: ReadOnlyAdmin, request: HttpRequest, run: WorkflowRun, message: MessageType, form: QueryForm, **more: Any
) -> HttpResponse:
    context = context_of(admin, request, f"{message.name} {str(run.id)[:8]}") | {
        "original": Run(id=run.id, workflow=run.workflow),
        "run": run,
        # Not "message": the theme's own templates read that name.
        "addressed": message,
        "state": state_text(run.status, run.hold_reason),
        "state_variant": RUN_COLOURS[run.status],
        "explains": _EXPLAINS[message.kind],
        "submit": _TITLES[message.kind],
        "form": form,
        "asks": True,
        "back": run_url(run.id),
        **more,
    }
    return TemplateResponse(request, "workflows/message.html", context)


def _refuse_others(
    view: Callable[[ReadOnlyAdmin, HttpRequest, str, str], HttpResponse],
) -> Callable[..., HttpResponse]:
    """The view for the methods that a dialog answers to."""

    def answer(admin: ReadOnlyAdmin, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return view(admin, request, object_id, name)

    return answer


#: Kind of message -> its dialog; `workflows_run_<kind>` is the address.
DIALOGS: dict[str, Callable[..., HttpResponse]] = {
    "signal": _refuse_others(signal_dialog),
    "update": _refuse_others(update_dialog),
    "query": _refuse_others(query_dialog),
}

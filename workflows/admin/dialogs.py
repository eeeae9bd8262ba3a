"""Dialogs: pages whose GET only shows and whose POST calls one operation, once.

A refusal comes back as an error of the form with everything that was typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from workflows import operations, queries
from workflows.admin import acts
from workflows.admin.acts import ACTS, Act
from workflows.admin.forms import DialogForm, ReasonForm, RetryForm, StartForm
from workflows.admin.message_dialogs import start_with_update
from workflows.admin.places import places_of
from workflows.admin.presentation import RUN_COLOURS, state_text
from workflows.admin.read_only import ReadOnlyAdmin
from workflows.admin.run_page import plan_rows
from workflows.admin.sending import METHODS, act_once, context_of, dialog_name, fresh_key, parse_id, run_url, tell
from workflows.contracts import PlanItemView, StepView, WorkflowRun, WorkflowType
from workflows.core.definitions import registry
from workflows.core.errors import NotFound
from workflows.core.status import StepStatus
from workflows.models import Run

_ON_FAILURE = {
    "compensate": "When a step fails for good, what was done is undone and the run ends as compensated.",
    "hold": "When a step fails for good, the run is held until somebody decides: retry, compensate or cancel.",
    "fail": "When a step fails for good, the run ends as failed and what was done stands.",
}


def act_dialog(admin: ReadOnlyAdmin, request: HttpRequest, object_id: str, act_name: str) -> HttpResponse:
    """The dialog of one act on one run."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    act = ACTS[act_name]
    if not acts.may(request.user, act.permission):
        raise PermissionDenied
    run_id = parse_id(object_id)
    try:
        run = queries.get_run(run_id)
        if request.method == "POST":
            return _send_act(admin, request, act, run)
        form = _act_form(act, run, initial={"once": fresh_key(request, dialog_name(act.name, run_id))})
        return _show_act(admin, request, act, run, form)
    except NotFound as error:
        raise Http404(str(error)) from error


def _send_act(admin: ReadOnlyAdmin, request: HttpRequest, act: Act, run: WorkflowRun) -> HttpResponse:
    form = _act_form(act, run, data=request.POST)
    if form.is_valid():
        done = act_once(request, form, dialog_name(act.name, run.id), lambda: act.perform(run.id, request.user, form))
        if done is not None:
            tell(request, act.title, done)
            return HttpResponseRedirect(run_url(done.run_id))
    return _show_act(admin, request, act, queries.get_run(run.id), form)


def _show_act(admin: ReadOnlyAdmin, request: HttpRequest, act: Act, run: WorkflowRun, form: DialogForm) -> HttpResponse:
    plan = _dry_run(request, run) if act.name == "compensate" else queries.get_compensation_plan(run.id)
    leaves = act.name == "cancel" and _leaves_on_cancel(run)
    context = context_of(admin, request, f"{act.title} {str(run.id)[:8]}") | {
        "original": Run(id=run.id, workflow=run.workflow),
        "act": act,
        "run": run,
        "state": state_text(run.status, run.hold_reason),
        "state_variant": RUN_COLOURS[run.status],
        "form": form,
        "fits": acts.fits(act, run, plan),
        "misfit": f"This does not fit the run as it stands now: {_standing(run, plan)}.",
        "plan": plan_rows(acts.remaining(plan)),
        "is_danger": act.variant == "danger",
        "explains": "The workflow is told to stop; what it did stands." if leaves else act.explains,
        "shows_plan": act.name in ("compensate", "cancel") and not leaves,
        "failed": _failed_step(run) if act.name == "retry" else None,
        "submit": f"{act.title} the run",
        "back": run_url(run.id),
    }
    return TemplateResponse(request, "workflows/act.html", context)


def _standing(run: WorkflowRun, plan: Sequence[PlanItemView]) -> str:
    """The run's state and what fits it, in words."""
    fitting = [act.title.lower() for act in ACTS.values() if acts.fits(act, run, plan)]
    waiting = f", {run.requested} is requested" if run.requested else ""
    return f"it is {state_text(run.status, run.hold_reason)}{waiting}. What fits is {', '.join(fitting)}"


def _act_form(act: Act, run: WorkflowRun, **options: Any) -> ReasonForm:
    """The form of an act; that of a retry has the failed step's input filled in."""
    if act.name != "retry":
        return ReasonForm(**options)
    failed = _failed_step(run)
    activity = registry.activities.get(failed.name) if failed is not None else None
    if failed is None or activity is None:
        return ReasonForm(**options)
    return RetryForm(places=places_of(activity.signature.json_schema()), arguments=failed.arguments, **options)


def _dry_run(request: HttpRequest, run: WorkflowRun) -> list[PlanItemView]:
    return operations.compensate_run(run.id, dry_run=True, actor=request.user)


def _leaves_on_cancel(run: WorkflowRun) -> bool:
    registered = registry.workflows.get(run.workflow, {}).get(run.version)
    return registered is not None and registered.definition.on_cancel == "leave"


def _failed_step(run: WorkflowRun) -> StepView | None:
    ended = (StepStatus.FAILED, StepStatus.TIMED_OUT)
    failed = [step for step in queries.list_steps(run.id) if step.status in ended]
    return failed[-1] if failed else None


def start_dialog(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """Choose a workflow (`?workflow=`), then fill in its input."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    if not acts.may(request.user, acts.START):
        raise PermissionDenied
    newest = {item.name: item for item in queries.list_workflows()}
    name = request.GET.get("workflow")
    if not name:
        context = context_of(admin, request, "Start a run") | {"workflows": list(newest.values())}
        return TemplateResponse(request, "workflows/start_choice.html", context)
    if name not in newest:
        raise Http404("no workflow is registered under this name")
    return _start(admin, request, newest[name])


def _start(admin: ReadOnlyAdmin, request: HttpRequest, workflow: WorkflowType) -> HttpResponse:
    may_go_along = [kind for kind in ("signal", "update") if acts.may(request.user, f"workflows.{kind}_run")]
    offered: dict[str, Any] = {
        "places": places_of(workflow.input_schema),
        "given": request.GET.dict(),
        "messages": [message for kind in may_go_along for message in workflow.of_kind(kind)],
    }
    if request.method != "POST":
        initial = {"once": fresh_key(request, dialog_name("start", workflow.name))}
        return _show_start(admin, request, workflow, StartForm(initial=initial, **offered))
    form = StartForm(request.POST, **offered)
    if form.is_valid():
        done = act_once(request, form, dialog_name("start", workflow.name), lambda: _start_run(request, workflow, form))
        if done is not None:
            tell(request, "Start", done)
            return HttpResponseRedirect(run_url(done.run_id))
    return _show_start(admin, request, workflow, form)


def _start_run(request: HttpRequest, workflow: WorkflowType, form: StartForm) -> WorkflowRun:
    given = form.cleaned_data
    start = {"key": given["key"] or None, "actor": request.user, "reason": given["reason"], **form.input}
    match form.along:
        case None:
            run = operations.start_run(workflow.name, **start)
        case ("signal", name, arguments):
            run = operations.signal_with_start(workflow.name, signal=name, signal_args=arguments, **start)
        case (_, name, arguments):
            return start_with_update(request, workflow, name, arguments, start)
    if not run.created:
        messages.info(request, "This key and input belong to the run below: nothing was started anew.")
    return run


def _show_start(admin: ReadOnlyAdmin, request: HttpRequest, workflow: WorkflowType, form: StartForm) -> HttpResponse:
    context = context_of(admin, request, f"Start {workflow.name}") | {
        "workflow": workflow,
        "on_failure": _ON_FAILURE[workflow.on_failure],
        "form": form,
        "back": reverse("admin:workflows_run_start"),
    }
    return TemplateResponse(request, "workflows/start.html", context)

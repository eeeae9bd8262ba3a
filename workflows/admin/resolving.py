"""The dialog in which an operator says what a step in doubt did."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse

from workflows import operations, queries
from workflows.admin import acts, waiting
from workflows.admin.message_forms import ResolveForm, places_of_result
from workflows.admin.presentation import RUN_COLOURS, error_text, moment, pretty, span, state_text
from workflows.admin.read_only import ReadOnlyAdmin
from workflows.admin.sending import (
    METHODS,
    act_once,
    context_of,
    dialog_name,
    fresh_key,
    parse_id,
    run_url,
    tell,
)
from workflows.admin.values import outline
from workflows.contracts import DoubtView, StepView, WorkflowRun
from workflows.core.errors import NotFound
from workflows.core.status import HoldReason
from workflows.models import Run


def resolve_dialog(admin: ReadOnlyAdmin, request: HttpRequest, object_id: str, seq: int) -> HttpResponse:
    """What is known of the step, and what it did as the operator states it."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    if not acts.may(request.user, acts.RESOLVE):
        raise PermissionDenied
    try:
        run = queries.get_run(parse_id(object_id))
        step = next((step for step in queries.list_steps(run.id) if step.seq == seq), None)
    except NotFound as error:
        raise Http404(str(error)) from error
    if step is None:
        raise Http404("the run has no such step")
    doubt = next((doubt for doubt in queries.list_doubts(run.id) if doubt.step.seq == seq), None)
    dialog = dialog_name("resolve", run.id, seq)
    if request.method != "POST":
        form = _form(doubt, initial={"once": fresh_key(request, dialog)})
        return _show(admin, request, run, step, doubt, form)
    form = _form(doubt, data=request.POST)
    if form.is_valid():
        done = act_once(request, form, dialog, lambda: _resolve(request, run, seq, form))
        if done is not None:
            tell(request, "Resolve", done)
            return HttpResponseRedirect(run_url(done.run_id))
    return _show(admin, request, queries.get_run(run.id), step, doubt, form)


def _form(doubt: DoubtView | None, **options: Any) -> ResolveForm:
    schema = doubt.result_schema if doubt is not None else None
    places = places_of_result(schema) if schema is not None else []
    evidence = doubt.step.evidence if doubt is not None else None
    return ResolveForm(places=places, evidence=evidence.result if evidence is not None else None, **options)


def _resolve(request: HttpRequest, run: WorkflowRun, seq: int, form: ResolveForm) -> WorkflowRun:
    given = form.cleaned_data
    return operations.resolve_step(
        run.id, seq, outcome=given["outcome"], result=form.result, actor=request.user, reason=given["reason"]
    )


def _show(
    admin: ReadOnlyAdmin,
    request: HttpRequest,
    run: WorkflowRun,
    step: StepView,
    doubt: DoubtView | None,
    form: ResolveForm,
) -> HttpResponse:
    fits = doubt is not None and run.hold_reason == HoldReason.IN_DOUBT
    evidence = step.evidence
    context = context_of(admin, request, f"Resolve step {step.seq} of {str(run.id)[:8]}") | {
        "original": Run(id=run.id, workflow=run.workflow),
        "run": run,
        "step": step,
        "state": state_text(run.status, run.hold_reason),
        "state_variant": RUN_COLOURS[run.status],
        "fits": fits,
        "misfit": f"Step {step.seq} is not in doubt: the run is {state_text(run.status, run.hold_reason)}.",
        "known": list(waiting.doubts([doubt])) if doubt is not None else [],
        "attempts": [_attempt(step, number) for number in range(len(step.tries))],
        "arguments": outline(step.arguments),
        "evidence": outline(evidence.result) if evidence is not None and evidence.error is None else None,
        "evidence_json": pretty(evidence.result) if evidence is not None else "",
        "form": form,
        "back": run_url(run.id),
    }
    return TemplateResponse(request, "workflows/resolve.html", context)


def _attempt(step: StepView, number: int) -> dict[str, str]:
    one = step.tries[number]
    took = span(one.ended_at - one.started_at) if one.started_at is not None and one.ended_at is not None else ""
    return {
        "number": str(one.number),
        "started": moment(one.started_at),
        "took": took,
        "error": error_text(one.error) if one.error else "",
    }

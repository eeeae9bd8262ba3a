"""Dialogs of a parked event: deliver it anew, or give it up. Each calls its operation once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse

from workflows import operations
from workflows.admin import acts, events
from workflows.admin.forms import ReasonForm
from workflows.admin.presentation import error_text
from workflows.admin.read_only import ReadOnlyAdmin
from workflows.admin.sending import METHODS, context_of, dialog_name, do_once, fresh_key
from workflows.contracts import DeliveryView
from workflows.models import DeliveryStatus


@dataclass(frozen=True, slots=True)
class EventAct:
    """One act on a parked event; `done` is said afterwards."""

    title: str
    explains: str
    permission: str
    perform: Callable[..., DeliveryView]
    done: str
    is_danger: bool = False


ACTS: dict[str, EventAct] = {
    "replay": EventAct(
        "Replay",
        "The event is delivered anew, with fresh tries, and those behind it follow. Mend what stood in its way first.",
        acts.REPLAY, operations.replay_delivery, "Replay is accepted; the event is delivered next.",
    ),
    "drop": EventAct(
        "Drop",
        "This saga never gets the event, and those behind it go on. That cannot be taken back.",
        acts.DROP, operations.drop_delivery, "The event is dropped; those behind it go on.", is_danger=True,
    ),
}  # fmt: skip


def event_dialog(admin: ReadOnlyAdmin, request: HttpRequest, number: int, act_name: str) -> HttpResponse:
    """The dialog of one act on one delivery."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    act = ACTS[act_name]
    if not acts.may(request.user, act.permission):
        raise PermissionDenied
    delivery = events.delivery_or_404(number)
    dialog = dialog_name(f"event-{act_name}", number)
    if request.method != "POST":
        return _show(admin, request, act, delivery, ReasonForm(initial={"once": fresh_key(request, dialog)}))
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        repeated = do_once(request, form, dialog, lambda: act.perform(number, actor=request.user, reason=reason))
        if repeated is not None:
            said = f"{act.title} was sent twice; it acted once and nothing was repeated." if repeated else act.done
            messages.info(request, said)
            return HttpResponseRedirect(events.event_url(number))
    return _show(admin, request, act, events.delivery_or_404(number), form)


def _show(
    admin: ReadOnlyAdmin, request: HttpRequest, act: EventAct, delivery: DeliveryView, form: ReasonForm
) -> HttpResponse:
    context = context_of(admin, request, f"{act.title} {delivery.event} for {delivery.workflow}") | {
        "opts": None,
        "content_title": f"{act.title} {delivery.event} for {delivery.workflow}",
        "delivery": delivery,
        "colour": events.COLOURS[delivery.status],
        "fault": error_text(delivery.error) if delivery.error else "",
        "standing": events.standing(delivery),
        "fits": delivery.status == DeliveryStatus.PARKED,
        "misfit": f"The event is {delivery.status}, not parked: there is nothing to decide.",
        "explains": act.explains,
        "form": form,
        "submit": f"{act.title} the event",
        "is_danger": act.is_danger,
        "back": events.event_url(delivery.id),
    }
    return TemplateResponse(request, "workflows/event_act.html", context)

"""What every dialog of a run has in common: its one-time key, its refusals, and what is said afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse

from workflows import queries
from workflows.admin import one_time
from workflows.admin.forms import DialogForm
from workflows.admin.presentation import state_text
from workflows.admin.read_only import ReadOnlyAdmin
from workflows.contracts import WorkflowRun
from workflows.core.errors import EngineError
from workflows.core.status import RunStatus

Done = TypeVar("Done")

#: What a dialog answers to.
METHODS = ("GET", "HEAD", "POST")


def parse_id(text: str) -> uuid.UUID:
    """The id in an address; 404 when it is none."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Http404("there is no such run") from error


def run_url(run_id: uuid.UUID) -> str:
    return reverse("admin:workflows_run_change", args=[run_id])


def dialog_name(act: str, *subject: object) -> str:
    """What a one-time key is made for."""
    return ":".join((act, *map(str, subject)))


def fresh_key(request: HttpRequest, dialog: str) -> str:
    """A one-time key for the user and one dialog."""
    return one_time.issue(user_id=request.user.pk, dialog=dialog)


def act_once(
    request: HttpRequest, form: DialogForm, dialog: str, perform: Callable[[], WorkflowRun]
) -> one_time.Outcome | None:
    """The outcome; None when it was refused and the form now says why."""
    key, user_id = form.cleaned_data["once"], request.user.pk
    return _unless_refused(
        request, form, dialog, lambda: one_time.act_once(key, user_id=user_id, dialog=dialog, act=lambda: perform().id)
    )


def do_once(request: HttpRequest, form: DialogForm, dialog: str, perform: Callable[[], object]) -> bool | None:
    """Whether an earlier send had done it already; None when it was refused and the form now says why."""
    key, user_id = form.cleaned_data["once"], request.user.pk
    return _unless_refused(
        request, form, dialog, lambda: one_time.do_once(key, user_id=user_id, dialog=dialog, act=perform)
    )


def _unless_refused(request: HttpRequest, form: DialogForm, dialog: str, act: Callable[[], Done]) -> Done | None:
    try:
        return act()
    except one_time.KeyRefused:
        refuse_key(request, form, dialog)
    except EngineError as error:
        refuse(form, error)
    return None


def refuse(form: DialogForm, error: EngineError) -> None:
    """Let the form say why nothing was done."""
    form.add_error(None, f"{error} ({error.code})")


def refuse_key(request: HttpRequest, form: DialogForm, dialog: str) -> None:
    """The form gets a fresh key and is to be looked at again."""
    form.add_error(None, "This dialog was open for too long or came from another login. Check it and send again.")
    form.data = {**dict(form.data.items()), "once": fresh_key(request, dialog)}


def tell(request: HttpRequest, title: str, done: one_time.Outcome) -> None:
    """Says what was accepted and where the run stands; never success for a run that is open."""
    if done.repeated:
        messages.info(request, f"{title} was sent twice; it acted once and nothing was repeated.")
        return
    run = queries.get_run(done.run_id)
    said = f"{title} is accepted; the run is {state_text(run.status, run.hold_reason)}."
    if run.requested:
        said = f"{title} is requested; the run is {run.status} until its driver delivers it."
    level = messages.SUCCESS if run.status == RunStatus.COMPLETED else messages.INFO
    messages.add_message(request, level, said)


def context_of(admin: ReadOnlyAdmin, request: HttpRequest, title: str) -> dict[str, Any]:
    """What every page of the console needs."""
    return {**admin.admin_site.each_context(request), "opts": admin.opts, "title": title}

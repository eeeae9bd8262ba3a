"""Dialogs of the exchange: pages whose GET only shows and whose POST calls one operation, once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from exchange.errors import ExchangeError
from workflows.admin import one_time
from workflows.admin.acts import Button
from workflows.admin.forms import ReasonForm

_METHODS = ("GET", "HEAD", "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act on one row, with a reason. `fits` judges the row as shown, the operation has the last word."""

    name: str
    title: str
    explains: str
    icon: str
    permissions: tuple[str, ...]
    fits: Callable[[Any], bool]
    #: Gets the row, the user's name and the reason.
    perform: Callable[[Any, str, str], object]
    done: str
    variant: str = "default"


class Acting(ModelAdmin):
    """A page with the dialogs of `acts`; combined with what says how its rows are shown."""

    acts: tuple[Act, ...] = ()
    change_form_outer_before_template = "exchange/_acts.html"

    def get_urls(self) -> list[URLPattern]:
        """The dialogs stand before Django's own addresses, which take every path for an id."""
        wrap = self.admin_site.admin_view
        own = [
            path(
                f"<str:object_id>/{act.name}/", wrap(partial(self.act_view, act=act)), name=f"{self._prefix}_{act.name}"
            )
            for act in self.acts
        ]
        return [*own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With a button for each act that fits the row and that this user may do, and the row's own story."""
        row = self._row(object_id)
        shown = {} if row is None else {"act_buttons": self._buttons(request, row), **self.story(row)}
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})
        return answer

    def story(self, row: Any) -> dict[str, Any]:
        """What stands below the row's facts."""
        return {}

    def act_view(self, request: HttpRequest, object_id: str, act: Act) -> HttpResponse:
        """The dialog of one act on one row."""
        if request.method not in _METHODS:
            return HttpResponseNotAllowed(_METHODS)
        if not self.has_view_permission(request) or not _may(request, act):
            raise PermissionDenied
        row = self._row(object_id)
        if row is None:
            raise Http404("there is no such row")
        dialog = f"{self._prefix}_{act.name}:{row.pk}"
        if request.method != "POST":
            once = one_time.issue(user_id=request.user.pk, dialog=dialog)
            return self._show(request, act, row, ReasonForm(initial={"once": once}))
        form = ReasonForm(request.POST)
        if form.is_valid() and self._act_once(request, form, dialog, act, row):
            return HttpResponseRedirect(self._url(row))
        return self._show(request, act, row, form)

    def _act_once(self, request: HttpRequest, form: ReasonForm, dialog: str, act: Act, row: Any) -> bool:
        def perform() -> uuid.UUID:
            act.perform(row, request.user.get_username(), form.cleaned_data["reason"])
            return uuid.uuid4()  # the mark holds an id; nobody follows this one

        try:
            outcome = one_time.act_once(
                form.cleaned_data["once"], user_id=request.user.pk, dialog=dialog, act=perform
            )  # fmt: skip
        except one_time.KeyRefused:
            form.add_error(None, "This dialog was open for too long or came from another login. Check it, send again.")
            form.data = {
                **dict(form.data.items()),
                "once": one_time.issue(user_id=request.user.pk, dialog=dialog),
            }
        except ExchangeError as refusal:
            form.add_error(None, f"{refusal} ({refusal.code})")
        else:
            said = f"{act.title} was sent twice; it acted once." if outcome.repeated else act.done
            messages.info(request, said)
            return True
        return False

    def _show(self, request: HttpRequest, act: Act, row: Any, form: ReasonForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": f"{act.title}: {row}",
            "explains": act.explains,
            "fits": act.fits(row),
            "form": form,
            "submit": act.title,
            "danger": act.variant == "danger",
            "back": self._url(row),
        }
        return TemplateResponse(request, "exchange/act.html", context)

    def _buttons(self, request: HttpRequest, row: Any) -> Sequence[Button]:
        return [
            Button(act.title, act.icon, act.variant, reverse(f"admin:{self._prefix}_{act.name}", args=[row.pk]))
            for act in self.acts
            if act.fits(row) and _may(request, act)
        ]

    def _row(self, object_id: str | None) -> Any:
        try:
            return self.model._default_manager.filter(pk=self.opts.pk.to_python(object_id)).first()
        except (ValidationError, ValueError, OverflowError):
            return None

    def _url(self, row: Model) -> str:
        return reverse(f"admin:{self._prefix}_change", args=[row.pk])

    @property
    def _prefix(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"


def _may(request: HttpRequest, act: Act) -> bool:
    return request.user.has_perms(act.permissions)

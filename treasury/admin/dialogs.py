"""Dialogs of the treasury: pages whose GET only shows and whose POST calls one operation.

Each of these operations does its work once however often it is called, so a form that is sent twice needs no mark.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminRadioSelectWidget

from treasury.contracts import CaseDecision
from treasury.errors import TreasuryError
from workflows.admin.acts import Button
from workflows.admin.forms import DialogForm, ReasonForm
from workflows.admin.read_only import ReadOnlyAdmin

_METHODS = ("GET", "HEAD", "POST")


class CaseDecisionForm(ReasonForm):
    """What an officer decides, and why."""

    decision = forms.ChoiceField(
        label="Decision",
        choices=[
            (CaseDecision.CLEAR.value, "Clear: nothing stands against the account"),
            (CaseDecision.REJECT.value, "Reject: the account is frozen, and its other cases end"),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    field_order = ("decision", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act on one row. `fits` judges the row as shown, the operation has the last word."""

    name: str
    title: str
    explains: str
    icon: str
    permission: str
    fits: Callable[[Any], bool]
    #: Gets the row, the user and the dialog's valid form; says what came of it.
    perform: Callable[[Any, Any, DialogForm], str]
    form: type[DialogForm] = ReasonForm
    variant: str = "primary"
    #: Whether it is for this user at all, beside the permission: whoever is involved does not decide.
    suits: Callable[[Any, Any], bool] = lambda row, user: True


class ActingAdmin(ReadOnlyAdmin):
    """Rows that only operations write, with the dialogs of `acts`."""

    acts: tuple[Act, ...] = ()
    change_form_outer_before_template = "treasury/_acts.html"

    def get_urls(self) -> list[URLPattern]:
        """The dialogs stand before Django's own addresses, which take every path for an id."""
        wrap = self.admin_site.admin_view
        own = [
            path(f"<str:object_id>/{act.name}/", wrap(partial(self.act_view, act=act)), name=self._name(act.name))
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
        """With a button for each act that fits the row and that this user may do, and what stands below its facts."""
        row = self._row(request, object_id)
        context = dict(extra_context or {})
        if row is not None:
            context |= {"act_buttons": self.buttons(request, row), **self.below(request, row)}
        return super().changeform_view(request, object_id, form_url, context)

    def below(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page shows below the row's facts."""
        return {}

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Links to the dialogs that fit the row and that this user may open."""
        return [
            Button(act.title, act.icon, act.variant, reverse(f"admin:{self._name(act.name)}", args=[row.pk]))
            for act in self.acts
            if act.fits(row) and act.suits(row, request.user) and request.user.has_perm(act.permission)
        ]

    def act_view(self, request: HttpRequest, object_id: str, act: Act) -> HttpResponse:
        """The dialog of one act on one row."""
        if request.method not in _METHODS:
            return HttpResponseNotAllowed(_METHODS)
        if not self.has_view_permission(request) or not request.user.has_perm(act.permission):
            raise PermissionDenied
        row = self._row(request, object_id)
        if row is None:
            raise Http404("there is no such row")
        if request.method != "POST":
            return self._show(request, act, row, act.form())
        form = act.form(request.POST)
        if form.is_valid():
            try:
                messages.info(request, act.perform(row, request.user, form))
                return HttpResponseRedirect(self.place_after(row))
            except TreasuryError as refusal:
                form.add_error(None, f"{refusal} ({refusal.code})")
        return self._show(request, act, row, form)

    def place_after(self, row: Model) -> str:
        """Where an act leads: the row's page."""
        return reverse(f"admin:{self._name('change')}", args=[row.pk])

    def _show(self, request: HttpRequest, act: Act, row: Any, form: DialogForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **self.below(request, row),
            "opts": self.opts,
            "original": row,
            "title": f"{act.title}: {row}",
            "explains": act.explains,
            "fits": act.fits(row) and act.suits(row, request.user),
            "form": form,
            "submit": act.title,
            "danger": act.variant == "danger",
            "back": reverse(f"admin:{self._name('change')}", args=[row.pk]),
        }
        return TemplateResponse(request, "treasury/act.html", context)

    def _row(self, request: HttpRequest, object_id: str | None) -> Any:
        try:
            return self.model._default_manager.filter(pk=uuid.UUID(str(object_id))).first()
        except ValueError:
            return None

    def _name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

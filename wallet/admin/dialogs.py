"""Dialogs of the wallet: pages whose GET only shows and whose POST calls one operation, once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
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
from unfold.widgets import UnfoldAdminSelectWidget

from wallet.contracts import CaseKind, Resolution
from wallet.errors import WalletError
from workflows.admin import one_time
from workflows.admin.acts import Button
from workflows.admin.forms import DialogForm, ReasonForm
from workflows.admin.read_only import ReadOnlyAdmin

_METHODS = ("GET", "HEAD", "POST")
_CHOICES = {
    CaseKind.SANCTIONS: (
        (Resolution.CLEARED.value, "Cleared: another person; the destination is allowed again"),
        (Resolution.CONFIRMED.value, "Confirmed: the destination stays blocked"),
    ),
    CaseKind.RETURN: (
        (Resolution.CREDITED.value, "Credited: the money goes back to the customer's account"),
        (Resolution.RETAINED.value, "Retained: the money is set aside on the suspense account"),
    ),
}


class ResolveForm(ReasonForm):
    """How a case ends, and why."""

    resolution = forms.ChoiceField(label="Resolution", widget=UnfoldAdminSelectWidget)
    field_order = ("resolution", "reason")

    def __init__(self, *args: Any, kind: str, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["resolution"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = _CHOICES[CaseKind(kind)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act on one row. `fits` judges the row as shown, the operation has the last word."""

    name: str
    title: str
    explains: str
    icon: str
    permissions: tuple[str, ...]
    fits: Callable[[Any], bool]
    #: Gets the row, the user's name, the dialog's valid form and the one-time key.
    perform: Callable[[Any, str, DialogForm, str], object]
    done: str
    form: Callable[..., DialogForm] = ReasonForm
    variant: str = "default"


class ActingAdmin(ReadOnlyAdmin):
    """Rows that only operations write, with the dialogs of `acts`."""

    acts: tuple[Act, ...] = ()
    change_form_outer_before_template = "wallet/_acts.html"

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
        """With a button for each act that fits the row and that this user may do."""
        row = self._row(object_id)
        context = {**(extra_context or {}), "act_buttons": [] if row is None else self._buttons(request, row)}
        return super().changeform_view(request, object_id, form_url, context)

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
        options = {"kind": row.kind} if act.form is ResolveForm else {}
        if request.method != "POST":
            once = one_time.issue(user_id=request.user.pk, dialog=dialog)
            return self._show(request, act, row, act.form(initial={"once": once}, **options))
        form = act.form(request.POST, **options)
        if form.is_valid() and self._act_once(request, form, dialog, act, row):
            return HttpResponseRedirect(self._url(row))
        return self._show(request, act, row, form)

    def _act_once(self, request: HttpRequest, form: DialogForm, dialog: str, act: Act, row: Any) -> bool:
        once = form.cleaned_data["once"]

        def perform() -> uuid.UUID:
            act.perform(row, request.user.get_username(), form, once)
            return uuid.UUID(str(row.pk))

        try:
            outcome = one_time.act_once(once, user_id=request.user.pk, dialog=dialog, act=perform)
        except one_time.KeyRefused:
            form.add_error(None, "This dialog was open for too long or came from another login. Check it, send again.")
            form.data = {
                **dict(form.data.items()),
                "once": one_time.issue(user_id=request.user.pk, dialog=dialog),
            }
        except WalletError as refusal:
            form.add_error(None, f"{refusal} ({refusal.code})")
        else:
            said = f"{act.title} was sent twice; it acted once." if outcome.repeated else act.done
            messages.info(request, said)
            return True
        return False

    def _show(self, request: HttpRequest, act: Act, row: Any, form: DialogForm) -> HttpResponse:
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
        return TemplateResponse(request, "wallet/act.html", context)

    def _buttons(self, request: HttpRequest, row: Any) -> Sequence[Button]:
        return [
            Button(act.title, act.icon, act.variant, reverse(f"admin:{self._prefix}_{act.name}", args=[row.pk]))
            for act in self.acts
            if act.fits(row) and _may(request, act)
        ]

    def _row(self, object_id: str | None) -> Any:
        try:
            return self.model._default_manager.filter(pk=uuid.UUID(str(object_id))).first()
        except ValueError:
            return None

    def _url(self, row: Model) -> str:
        return reverse(f"admin:{self._prefix}_change", args=[row.pk])

    @property
    def _prefix(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"


def _may(request: HttpRequest, act: Act) -> bool:
    return request.user.has_perms(act.permissions)

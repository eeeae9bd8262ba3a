"""Acts on rows of domains: buttons on a row's page, and dialogs that show on GET and call one operation on POST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from workflows.admin.acts import Button
from workflows.admin.forms import DialogForm, ReasonForm
from workflows.admin.sending import METHODS, dialog_name, do_once, fresh_key, refuse
from workflows.core.errors import EngineError


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act on one row. `fits` judges the row as shown, the operation has the last word."""

    name: str
    title: str
    explains: str
    icon: str
    permissions: tuple[str, ...]
    fits: Callable[[Any], bool]
    #: Gets the row, the user and the dialog's valid form.
    perform: Callable[[Any, Any, DialogForm], object]
    #: What came of it, where `perform` does not say it.
    done: str = ""
    form: Callable[..., DialogForm] = ReasonForm
    #: What the form has to know of the row.
    form_options: Callable[[Any], dict[str, Any]] = lambda row: {}
    variant: str = "default"
    #: Whether it is for this user at all, beside the permission: whoever is involved does not decide.
    suits: Callable[[Any, Any], bool] = lambda row, user: True


class Acting(ModelAdmin):
    """Pages with the dialogs of `acts`, whose operations do their work once however often they are called.

    Combined with the class that says how the rows are shown.
    """

    acts: tuple[Act, ...] = ()
    #: Shown in the dialog below what the act is about.
    act_below_template: ClassVar[str | None] = None
    change_form_outer_before_template = "workflows/_record_acts.html"

    def get_urls(self) -> list[URLPattern]:
        """The dialogs stand before Django's own addresses, which take every path for an id."""
        wrap = self.admin_site.admin_view
        own = [
            path(f"<str:object_id>/{act.name}/", wrap(partial(self.act_view, act=act)), name=self._page(act.name))
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
        row = self.row_of(object_id)
        context = dict(extra_context or {})
        if row is not None:
            context |= {"act_buttons": self.buttons(request, row), **self.below(request, row)}
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return answer

    def below(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page shows below the row's facts."""
        return {}

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Links to the dialogs that fit the row and that this user may open."""
        return [
            Button(act.title, act.icon, act.variant, reverse(f"admin:{self._page(act.name)}", args=[row.pk]))
            for act in self.acts
            if act.fits(row) and act.suits(row, request.user) and request.user.has_perms(act.permissions)
        ]

    def act_view(self, request: HttpRequest, object_id: str, act: Act) -> HttpResponse:
        """The dialog of one act on one row."""
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if not self.has_view_permission(request) or not request.user.has_perms(act.permissions):
            raise PermissionDenied
        row = self.row_of(object_id)
        if row is None:
            raise Http404("there is no such row")
        options = act.form_options(row)
        if request.method != "POST":
            return self._show(request, act, row, act.form(**self.fresh(request, act, row), **options))
        form = act.form(request.POST, **options)
        if form.is_valid() and self.carry_out(request, act, row, form):
            return HttpResponseRedirect(self.place_after(row))
        return self._show(request, act, row, form)

    def fresh(self, request: HttpRequest, act: Act, row: Any) -> dict[str, Any]:
        """Options of a form that was not sent yet."""
        return {}

    def carry_out(self, request: HttpRequest, act: Act, row: Any, form: DialogForm) -> bool:
        """Call the operation and say what came of it; False when it refused, and the form says why."""
        try:
            outcome = act.perform(row, request.user, form)
        except EngineError as refusal:
            refuse(form, refusal)
            return False
        messages.info(request, act.done or str(outcome))
        return True

    def place_after(self, row: Any) -> str:
        """Where an act leads: the row's page."""
        return self._url(row)

    def row_of(self, object_id: str | None) -> Any:
        """The row of an address; None for one that is not there, or no id at all."""
        try:
            return self.model._default_manager.filter(pk=self.opts.pk.to_python(object_id)).first()
        except (ValidationError, ValueError, OverflowError):
            return None

    def _show(self, request: HttpRequest, act: Act, row: Any, form: DialogForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **self.below(request, row),
            "opts": self.opts,
            "original": row,
            "title": f"{act.title}: {row}",
            "explains": act.explains,
            "below": self.act_below_template,
            "fits": act.fits(row) and act.suits(row, request.user),
            "form": form,
            "submit": act.title,
            "danger": act.variant == "danger",
            "back": self._url(row),
        }
        return TemplateResponse(request, "workflows/record_act.html", context)

    def _url(self, row: Any) -> str:
        return reverse(f"admin:{self._page('change')}", args=[row.pk])

    def _page(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"


class ActingOnce(Acting):
    """The same for operations that would act again: each dialog has a one-time key, and a form sent twice acts once."""

    def fresh(self, request: HttpRequest, act: Act, row: Any) -> dict[str, Any]:
        return {"initial": {"once": fresh_key(request, self._dialog(act, row))}}

    def carry_out(self, request: HttpRequest, act: Act, row: Any, form: DialogForm) -> bool:
        """As `Acting.carry_out`, once for each key."""
        said: list[str] = []
        repeated = do_once(
            request, form, self._dialog(act, row), lambda: said.append(str(act.perform(row, request.user, form)))
        )
        if repeated is None:
            return False
        again = f"{act.title} was sent twice; it acted once."
        messages.info(request, again if repeated else act.done or said[0])
        return True

    def _dialog(self, act: Act, row: Any) -> str:
        return dialog_name(self._page(act.name), row.pk)

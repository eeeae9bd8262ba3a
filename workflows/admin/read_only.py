"""Rows that only operations write: looked at in the console, never changed by a form."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from finaegis.shared.money import Money
from workflows.admin.paging import CappedPaginator
from workflows.admin.panels import RecordPanels, read_record_panels
from workflows.admin.presentation import ABSENT, money_text, state_text
from workflows.models import Run

Shown = TypeVar("Shown", bound=Callable[..., Any])


#: Ids stand in the fixed width in which people compare them.
MONOSPACE = "font-family: ui-monospace, monospace"
LINK = "text-primary-600 dark:text-primary-500"


def column(**options: Any) -> Callable[[Shown], Shown]:
    """The theme's `display` for a column, typed; `label` is True or a colour by value."""
    decorate: Callable[[Shown], Shown] = display(**options)
    return decorate


def unbroken(text: str) -> str:
    """A text that a narrow column does not break."""
    return format_html('<span style="white-space: nowrap">{}</span>', text)


def shown(money: Money) -> str:
    """An amount as one unbroken text with its thousands grouped."""
    return unbroken(money_text(str(money.amount), money.currency))


class CappedChangeList(ChangeList):
    """Without a filter the rows found are all there are: no second count, and no offer to show the others."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class ReadOnlyAdmin(ModelAdmin):
    """A list that never counts its whole table, and rows without forms.

    The search finds rows by the whole value of one of `exact_search`: index look-ups, where Django's own search folds
    the case of every row. Domains derive from it for what only their operations write.
    """

    actions = ()
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    exact_search: tuple[str, ...] = ()
    change_form_after_template = "workflows/_panels.html"

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[CappedChangeList]:
        return CappedChangeList

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.exact_search

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Rows of which one searched field is the term."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named = Q(pk__in=())
        for name in self.exact_search:
            # A text that is no value of the field (an id of letters) is the value of no row.
            with contextlib.suppress(ValidationError, ValueError):
                named |= Q(**{name: self.opts.get_field(name).to_python(term)})
        return queryset.filter(named), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the panels of the record, and without the link to a log of edits, since there are none."""
        shown = {**(extra_context or {}), "show_history": False, "record_panels": self._panels(request, object_id)}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, shown)
        return response

    def _panels(self, request: HttpRequest, object_id: str | None) -> RecordPanels | None:
        """Runs, related records and money, where the domain registered the model's records (`workflows.panels`)."""
        meta = self.opts.concrete_model._meta  # a queue is a proxy of what it lists
        try:
            return read_record_panels(meta.label_lower, uuid.UUID(str(object_id)), request.user)
        except ValueError:
            return None

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """No form edits these rows, so there is no log of edits: the row itself is shown."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[object_id]))


def run_link(run_id: uuid.UUID | None, *, short: bool = False) -> str:
    """A link to a run's page; a dash where there is no run."""
    if run_id is None:
        return ABSENT
    url = reverse("admin:workflows_run_change", args=[run_id])
    text = str(run_id)[:8] if short else str(run_id)
    return format_html('<a style="{}" class="{}" href="{}">{}</a>', MONOSPACE, LINK, url, text)


class OfRunAdmin(ReadOnlyAdmin):
    """Rows that a run wrote: `run` links to it and says how it stands, `run_start` by the beginning of its id."""

    @column(description="run")
    def run(self, row: Any) -> str:
        found = Run.objects.filter(pk=row.run_id).values_list("status", "hold_reason").first()
        if found is None:
            return run_link(row.run_id)
        return format_html("{} ({})", run_link(row.run_id), state_text(*found))

    @column(description="run")
    def run_start(self, row: Any) -> str:
        return run_link(row.run_id, short=True)

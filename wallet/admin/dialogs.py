"""Dialogs of the wallet: how a case ends, and the acts of its rows, each once for a form."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from wallet.contracts import CaseKind, Resolution
from workflows.admin.acting import ActingOnce
from workflows.admin.forms import ReasonForm
from workflows.admin.read_only import ReadOnlyAdmin

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


class ActingAdmin(ActingOnce, ReadOnlyAdmin):
    """Rows that only operations write, with the dialogs of `acts`."""

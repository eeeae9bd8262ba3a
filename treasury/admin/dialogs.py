"""Dialogs of the treasury: its decision form, and the acts of its rows, whose operations do their work once."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from treasury.contracts import CaseDecision
from workflows.admin.acting import Acting
from workflows.admin.forms import ReasonForm
from workflows.admin.read_only import ReadOnlyAdmin


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


class ActingAdmin(Acting, ReadOnlyAdmin):
    """Rows that only operations write, with the dialogs of `acts`."""

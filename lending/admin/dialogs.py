"""Dialogs of lending: its decision form, and the acts of its rows, whose operations do their work once."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from lending.contracts import OfficerDecision
from workflows.admin.acting import Acting
from workflows.admin.forms import ReasonForm
from workflows.admin.read_only import ReadOnlyAdmin


class DecisionForm(ReasonForm):
    """What an officer decides, and why."""

    decision = forms.ChoiceField(
        label="Decision",
        choices=[
            (OfficerDecision.APPROVE.value, "Approve: the applicant gets an offer"),
            (OfficerDecision.DECLINE.value, "Decline: the applicant gets a notice with the reasons of the checks"),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    field_order = ("decision", "reason")


class ActingAdmin(Acting, ReadOnlyAdmin):
    """Rows that only operations write, with the dialogs of `acts`."""

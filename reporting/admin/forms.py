"""The dialog in which a report is ordered."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from reporting.contracts import TITLES, ReportFormat, ReportKind
from workflows.admin.forms import DialogForm

_FORMATS = {
    ReportFormat.XLSX: "Workbook (XLSX)",
    ReportFormat.PDF: "Printed, with charts (PDF)",
    ReportFormat.CSV: "Table alone, for programs (CSV)",
}


class OrderReportForm(DialogForm):
    """Which report, as which file, of which day."""

    kind = forms.ChoiceField(
        label="Report",
        choices=[(kind.value, TITLES[kind]) for kind in ReportKind],
        widget=UnfoldAdminSelectWidget,
    )
    format = forms.ChoiceField(
        label="Format",
        choices=[(item.value, words) for item, words in _FORMATS.items()],
        initial=ReportFormat.XLSX.value,
        widget=UnfoldAdminRadioSelectWidget,
    )
    business_date = forms.DateField(
        label="Business day",
        required=False,
        widget=UnfoldAdminDateWidget,
        help_text="Optional, as 2026-01-05. The open business day unless another is given.",
    )

"""Reports as JSON."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from reporting.contracts import (
    LedgerPosition,
    Metadata,
    RecordedTie,
    RecordedTotal,
    Report,
    ReportFile,
    ReportFormat,
    ReportKind,
    ReportStatus,
)
from workflows.api.fields import MoneyField
from workflows.api.panel_serializers import WithRuns

REPORT_KINDS = [(item.value, item.value) for item in ReportKind]
REPORT_FORMATS = [(item.value, item.value) for item in ReportFormat]
REPORT_STATUSES = [(item.value, item.value) for item in ReportStatus]


class LedgerPositionSerializer(serializers.Serializer[LedgerPosition]):
    """Up to where the ledger was read: how many transfers were posted, and the newest of them."""

    transfers = serializers.IntegerField()
    newest = serializers.UUIDField(allow_null=True)
    posted_at = serializers.DateTimeField(allow_null=True)


class ReportTotalSerializer(serializers.Serializer[RecordedTotal]):
    """A total; `count` rows are in it."""

    label = serializers.CharField()  # type: ignore[assignment]  # the field's name shadows the base's attribute
    amount = MoneyField()
    count = serializers.IntegerField()


class ReportTieSerializer(serializers.Serializer[RecordedTie]):
    """A total beside the ledger's trial balance; `difference` is zero where it ties."""

    label = serializers.CharField()  # type: ignore[assignment]  # the field's name shadows the base's attribute
    reported = MoneyField()
    ledger = MoneyField()
    difference = MoneyField()


class ReportFileSerializer(serializers.Serializer[ReportFile]):
    """The file of a report. `sha256` is over its bytes; `ties` says whether every total ties to the trial balance."""

    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    rows = serializers.IntegerField()
    as_of = LedgerPositionSerializer()
    read_at = serializers.DateTimeField()
    ties = serializers.BooleanField()
    totals = ReportTotalSerializer(many=True)
    reconciliation = ReportTieSerializer(many=True)


class ReportMetadataSerializer(serializers.Serializer[Metadata]):
    """What was recorded about the making of a report."""

    title = serializers.CharField()
    requested_by = serializers.CharField()
    time_zone = serializers.CharField()
    code_version = serializers.CharField()


class ReportSerializer(serializers.Serializer[Report]):
    """A report as it stands: `pending`, `ready` with a file, or `withdrawn` without one for good."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=REPORT_STATUSES)
    report = serializers.ChoiceField(choices=REPORT_KINDS, source="kind")
    format = serializers.ChoiceField(choices=REPORT_FORMATS)
    business_date = serializers.DateField()
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    download_url = serializers.SerializerMethodField(help_text="Where the file is got; null while there is none.")

    def get_download_url(self, report: Report) -> str | None:
        if report.status is not ReportStatus.READY:
            return None
        path = reverse("api-reporting-report-download", kwargs={"report_id": report.id})
        url: str = self.context["request"].build_absolute_uri(path)
        return url


class ReportDetailSerializer(WithRuns, ReportSerializer):
    """A report with what was recorded with its file, and its runs."""

    record_kind = "reporting.report"

    file = ReportFileSerializer(allow_null=True)
    metadata = ReportMetadataSerializer(allow_null=True)


def located(request: Any, report: Report) -> str:
    """Where the report is read."""
    return str(request.build_absolute_uri(reverse("api-reporting-report", kwargs={"report_id": report.id})))

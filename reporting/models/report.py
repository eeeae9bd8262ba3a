"""Reports that were ordered, and the file of each once it is published."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from pydantic import TypeAdapter

from reporting import contracts
from reporting.contracts import TITLES, Metadata, ReportFile, ReportFormat, ReportKind, ReportStatus

ACTOR_LENGTH = 150
NAME_LENGTH = 200

_FILE = TypeAdapter(ReportFile)
_METADATA = TypeAdapter(Metadata)


class Report(models.Model):
    """A report that was ordered; one run makes it. Its file is named once it is whole, and never another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run_id = models.UUIDField(unique=True)
    kind = models.CharField(max_length=32, choices=[(kind.value, TITLES[kind]) for kind in ReportKind])
    format = models.CharField(max_length=8, choices=[(item.value, item.value) for item in ReportFormat])
    business_date = models.DateField()
    status = models.CharField(
        max_length=10, choices=[(item.value, item.value) for item in ReportStatus], default=ReportStatus.PENDING.value
    )
    requested_by = models.CharField(max_length=ACTOR_LENGTH)
    requested_at = models.DateTimeField()
    #: The storage's name of the file; empty while there is none.
    file_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    file_json = models.TextField(blank=True, default="")
    metadata_json = models.TextField(blank=True, default="")
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("add", "view")
        permissions = [("download_report", "Can get the file of a report")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=[item.value for item in ReportKind]), name="reporting_kind"),
            models.CheckConstraint(
                condition=Q(format__in=[item.value for item in ReportFormat]), name="reporting_format"
            ),
            models.CheckConstraint(
                condition=(
                    Q(status="pending", file_name="", published_at__isnull=True, withdrawn_at__isnull=True)
                    | (Q(status="ready", published_at__isnull=False, withdrawn_at__isnull=True) & ~Q(file_name=""))
                    | Q(status="withdrawn", file_name="", withdrawn_at__isnull=False)
                ),
                name="reporting_status",
            ),
            models.UniqueConstraint(fields=["file_name"], condition=~Q(file_name=""), name="reporting_file_once"),
        ]
        indexes = [models.Index(fields=["requested_at", "id"], name="reporting_newest")]

    def __str__(self) -> str:
        return f"{TITLES[ReportKind(self.kind)]} of {self.business_date.isoformat()} as {self.format}"

    def as_contract(self) -> contracts.Report:
        return contracts.Report(
            id=self.id,
            run_id=self.run_id,
            kind=ReportKind(self.kind),
            format=ReportFormat(self.format),
            business_date=self.business_date,
            status=ReportStatus(self.status),
            requested_by=self.requested_by,
            requested_at=self.requested_at,
            file=_FILE.validate_json(self.file_json) if self.file_json else None,
            metadata=_METADATA.validate_json(self.metadata_json) if self.metadata_json else None,
            published_at=self.published_at,
            withdrawn_at=self.withdrawn_at,
        )

    def keep(self, file: ReportFile, metadata: Metadata) -> None:
        """Take over what is recorded with a file; the caller saves."""
        self.file_name = file.name
        self.file_json = _FILE.dump_json(file).decode()
        self.metadata_json = _METADATA.dump_json(metadata).decode()

"""Who got the file of a report, when, and by which door."""

from __future__ import annotations

from django.db import models

from reporting import contracts
from reporting.models.report import ACTOR_LENGTH, Report


class Outcome(models.TextChoices):
    """The file was given out, or kept back because it was not the one that was made."""

    GIVEN = "given"
    ALTERED = "altered"
    MISSING = "missing"


class Download(models.Model):
    """One download; appended, never changed."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="downloads")
    actor = models.CharField(max_length=ACTOR_LENGTH)
    door = models.CharField(max_length=16)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=models.Q(outcome__in=Outcome.values), name="reporting_download_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} at {self.at:%Y-%m-%d %H:%M:%S}"

    def as_contract(self) -> contracts.Download:
        return contracts.Download(actor=self.actor, door=self.door, outcome=self.outcome, at=self.at)

"""Reporting's settings, typed, with their defaults: keys of `settings.REPORTING` in capitals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class ReportingSettings:
    """What reporting can be told."""

    #: Which build made a report, as it stands on it.
    code_version: str = "unknown"
    #: The entry of `STORAGES` that keeps the files.
    storage: str = "reports"


def reporting() -> ReportingSettings:
    """The settings as they stand now."""
    given: dict[str, Any] = dict(getattr(settings, "REPORTING", {}))
    return ReportingSettings(**{name.lower(): value for name, value in given.items()})

"""Lending's settings, typed, with their defaults: keys of `settings.LENDING` in capitals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class LendingSettings:
    """What lending can be told."""

    #: The sender of letters.
    mail_from: str = "FinAegis Lending <lending@finaegis.example>"
    #: The desk that prints and posts letters to applicants without an e-mail address.
    letters_desk: str = "letters@finaegis.example"
    #: Who grants credit, and whom a notice of a decline names to complain to (12 CFR 1002.9(b)(1)).
    creditor: str = "FinAegis Lending, 1 Main Street, Springfield"
    agency: str = "Bureau of Consumer Financial Protection, 1700 G Street NW, Washington, DC 20552"


def lending() -> LendingSettings:
    """The settings as they stand now."""
    given: dict[str, Any] = dict(getattr(settings, "LENDING", {}))
    return LendingSettings(**{name.lower(): value for name, value in given.items()})

"""What compliance expects of its third parties: document verification and the sanctions lists.

Both may be asked again at any time, and raise the errors of `finaegis.shared.third_party`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from treasury.contracts.compliance import Document


class DocumentStatus(StrEnum):
    """What became of the documents: `incomplete` when there are none, or one is missing."""

    VERIFIED = "verified"
    FAILED = "failed"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFinding:
    """What is wrong with one document, as a stable word."""

    reference: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentCheck:
    """What document verification says; `reference` is its own number of the check."""

    status: DocumentStatus
    reference: str = ""
    findings: tuple[DocumentFinding, ...] = ()


class DocumentVerification(Protocol):
    """The service that checks documents."""

    def verify(self, *, key: str, holder: str, documents: tuple[Document, ...]) -> DocumentCheck:
        """Whether every document is genuine and the holder's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningSubject:
    """Whom to look for on the sanctions lists; `country` by ISO 3166 alpha-2 where known."""

    name: str
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What the lists say: no match, or the names that matched; `list_version` for the record."""

    clear: bool
    matches: tuple[str, ...]
    list_version: str


class SanctionsScreening(Protocol):
    """The sanctions lists."""

    def screen(self, *, key: str, subject: ScreeningSubject) -> Screening:
        """Look a person or company up."""
        ...

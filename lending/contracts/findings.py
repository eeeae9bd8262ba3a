"""What third parties find about an application."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class BureauReport:
    """A credit file: attributes 1, 3, 6, 14 and 16 of the credit data, as codes and a number.

    Without a file (`file_found` false) they are all None; `reference` is the bureau's own number of the pull.
    """

    file_found: bool
    reference: str
    checking_account: str | None = None
    credit_history: str | None = None
    savings: str | None = None
    other_instalment_plans: str | None = None
    existing_credits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudCheck:
    """What fraud scoring says; `signals` are its stable words for what it saw."""

    hit: bool
    reference: str
    signals: tuple[str, ...] = ()


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
    """What document verification says."""

    status: DocumentStatus
    reference: str = ""
    findings: tuple[DocumentFinding, ...] = ()

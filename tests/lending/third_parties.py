"""Whom and what lending asks third parties about."""

from __future__ import annotations

from lending.contracts import Document, Subject
from workflows import Sensitive


def subject(ending: str) -> Subject:
    """Somebody whose SSN ends so; the simulators look at these four digits alone."""
    return Subject(name="Ada Muster", ssn=Sensitive(f"52412{ending}"))


def documents(*references: str) -> tuple[Document, ...]:
    return tuple(Document(kind="payslip", reference=reference) for reference in references)

"""Compliance's third parties, simulated by the rules of `finaegis.simulators.documents` and `.screening`.

Beside those a call may meet what `finaegis.simulators.conditions` holds for its party. Both parties serve other domains
too, under the same names and over the same wire.
"""

from __future__ import annotations

from finaegis.simulators import documents as reading
from finaegis.simulators import screening
from finaegis.simulators.conditions import under_conditions
from treasury.contracts import (
    Document,
    DocumentCheck,
    DocumentFinding,
    DocumentStatus,
    Screening,
    ScreeningSubject,
)

DOCUMENTS_PARTY = "document_verification"
SCREENING_PARTY = "sanctions_screening"


class SimulatedDocumentVerification:
    """A `DocumentVerification` that reads references."""

    def verify(self, *, key: str, holder: str, documents: tuple[Document, ...]) -> DocumentCheck:
        """See `DocumentVerification`."""
        return under_conditions(party=DOCUMENTS_PARTY, call="verify", act=lambda: _verified(key, documents))


class SimulatedScreening:
    """A `SanctionsScreening` against the synthetic list."""

    def screen(self, *, key: str, subject: ScreeningSubject) -> Screening:
        """See `SanctionsScreening`."""
        return under_conditions(party=SCREENING_PARTY, call="screen", act=lambda: _screened(subject))


def _verified(key: str, documents: tuple[Document, ...]) -> DocumentCheck:
    read = reading.verify(party=DOCUMENTS_PARTY, key=key, references=[item.reference for item in documents])
    return DocumentCheck(
        status=DocumentStatus(read.standing.value),
        reference=read.reference,
        findings=tuple(DocumentFinding(reference=reference, code=code) for reference, code in read.findings),
    )


def _screened(subject: ScreeningSubject) -> Screening:
    listed = screening.published()
    found = screening.matches(name=subject.name, account="", country=subject.country, within=listed)
    return Screening(clear=not found, matches=found, list_version=listed.version)

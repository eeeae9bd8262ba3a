"""Compliance's third parties over HTTP. They raise the errors of `finaegis.shared.third_party`; nothing is retried.

| party | call | request |
|---|---|---|
| document verification | `verify` | POST `verifications`, body `{applicant, documents [{kind, reference}]}` |
| sanctions screening | `screen` | POST `screenings`, body `{name, address, country}`; the address is empty |

Each POST carries the key as `Idempotency-Key`. Answers are the contracts as JSON.
"""

from __future__ import annotations

from finaegis.shared.third_party import Client, Endpoint
from treasury.contracts import Document, DocumentCheck, Screening, ScreeningSubject


class HttpDocumentVerification:
    """A `DocumentVerification` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def verify(self, *, key: str, holder: str, documents: tuple[Document, ...]) -> DocumentCheck:
        """See `DocumentVerification`."""
        told = [{"kind": document.kind, "reference": document.reference} for document in documents]
        body = {"applicant": holder, "documents": told}
        return self._client.post("verify", path="verifications", key=key, body=body, answer=DocumentCheck)


class HttpScreening:
    """A `SanctionsScreening` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def screen(self, *, key: str, subject: ScreeningSubject) -> Screening:
        """See `SanctionsScreening`."""
        body = {"name": subject.name, "address": "", "country": subject.country}
        return self._client.post("screen", path="screenings", key=key, body=body, answer=Screening)

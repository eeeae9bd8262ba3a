"""The ports as the settings choose them: a third party with an address is called over HTTP, any other is simulated."""

from __future__ import annotations

import functools

from finaegis.shared.third_party import Endpoint, endpoint_of
from treasury.contracts import DocumentVerification, SanctionsScreening
from treasury.ports import http, simulator


def document_verification() -> DocumentVerification:
    """The service that checks documents."""
    return _documents(endpoint_of(simulator.DOCUMENTS_PARTY))


def sanctions_screening() -> SanctionsScreening:
    """The sanctions lists."""
    return _screening(endpoint_of(simulator.SCREENING_PARTY))


@functools.cache
def _documents(endpoint: Endpoint | None) -> DocumentVerification:
    if endpoint is None:
        return simulator.SimulatedDocumentVerification()
    return http.HttpDocumentVerification(endpoint)


@functools.cache
def _screening(endpoint: Endpoint | None) -> SanctionsScreening:
    return simulator.SimulatedScreening() if endpoint is None else http.HttpScreening(endpoint)

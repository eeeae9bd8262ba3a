"""The ports as the settings choose them: a third party with an address is called over HTTP, any other is simulated."""

from __future__ import annotations

import functools

from finaegis.shared.third_party import Endpoint, endpoint_of
from lending.contracts import CreditBureau, DocumentVerification, FraudScoring, PaymentRail
from lending.ports import http, simulator


def credit_bureau() -> CreditBureau:
    """The credit bureau."""
    return _bureau(endpoint_of(simulator.BUREAU_PARTY))


def fraud_scoring() -> FraudScoring:
    """The service that looks for signs of fraud."""
    return _fraud(endpoint_of(simulator.FRAUD_PARTY))


def document_verification() -> DocumentVerification:
    """The service that checks documents."""
    return _documents(endpoint_of(simulator.DOCUMENTS_PARTY))


def payment_rail() -> PaymentRail:
    """The rail that carries disbursements."""
    return _rail(endpoint_of(simulator.RAIL_PARTY))


@functools.cache
def _bureau(endpoint: Endpoint | None) -> CreditBureau:
    return simulator.SimulatedBureau() if endpoint is None else http.HttpBureau(endpoint)


@functools.cache
def _fraud(endpoint: Endpoint | None) -> FraudScoring:
    return simulator.SimulatedFraudScoring() if endpoint is None else http.HttpFraudScoring(endpoint)


@functools.cache
def _documents(endpoint: Endpoint | None) -> DocumentVerification:
    if endpoint is None:
        return simulator.SimulatedDocumentVerification()
    return http.HttpDocumentVerification(endpoint)


@functools.cache
def _rail(endpoint: Endpoint | None) -> PaymentRail:
    return simulator.SimulatedRail() if endpoint is None else http.HttpRail(endpoint)

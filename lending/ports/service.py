"""Lending's simulators as routes of the service for third parties (`manage.py third_parties serve`)."""

from __future__ import annotations

from dataclasses import dataclass

from finaegis.shared.money import Money
from finaegis.simulators.server import Call, Route
from lending.contracts import (
    BureauReport,
    Document,
    DocumentCheck,
    FraudCheck,
    Payment,
    PaymentOrder,
    Subject,
)
from lending.ports.simulator import (
    BUREAU_PARTY,
    DOCUMENTS_PARTY,
    FRAUD_PARTY,
    RAIL_PARTY,
    SimulatedBureau,
    SimulatedDocumentVerification,
    SimulatedFraudScoring,
    SimulatedRail,
)
from workflows import Sensitive

_BUREAU = SimulatedBureau()
_FRAUD = SimulatedFraudScoring()
_DOCUMENTS = SimulatedDocumentVerification()
_RAIL = SimulatedRail()


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToScreen:
    """The body of a fraud screening."""

    name: str
    ssn: Sensitive[str]
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToVerify:
    """The body of a verification."""

    applicant: str
    documents: tuple[Document, ...]


def _pull(call: Call) -> BureauReport:
    return _BUREAU.pull(key=call.key, subject=call.body(Subject))


def _screen(call: Call) -> FraudCheck:
    body = call.body(_ToScreen)
    return _FRAUD.screen(key=call.key, subject=Subject(name=body.name, ssn=body.ssn), amount=body.amount)


def _verify(call: Call) -> DocumentCheck:
    body = call.body(_ToVerify)
    return _DOCUMENTS.verify(key=call.key, applicant=body.applicant, documents=body.documents)


def _pay(call: Call) -> Payment:
    return _RAIL.pay(key=call.key, order=call.body(PaymentOrder))


def _inquire(call: Call) -> Payment:
    return _RAIL.inquire(key=call.key)


def _recall(call: Call) -> Payment:
    return _RAIL.recall(key=call.key)


ROUTES = (
    Route("POST", BUREAU_PARTY, "pulls", _pull),
    Route("POST", FRAUD_PARTY, "screenings", _screen),
    Route("POST", DOCUMENTS_PARTY, "verifications", _verify),
    Route("POST", RAIL_PARTY, "payments", _pay),
    Route("GET", RAIL_PARTY, "payments/{key}", _inquire),
    Route("POST", RAIL_PARTY, "payments/{key}/recall", _recall),
)

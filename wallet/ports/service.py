"""The wallet's simulators as routes of the service for third parties (`manage.py third_parties serve`)."""

from __future__ import annotations

from finaegis.simulators.server import Call, Route
from wallet.contracts import Payment, PaymentOrder, Screening, ScreeningSubject
from wallet.ports.simulator import RAIL_PARTY, SCREENING_PARTY, SimulatedRail, SimulatedScreening

_RAIL = SimulatedRail()
_SCREENING = SimulatedScreening()


def _submit(call: Call) -> Payment:
    return _RAIL.submit(key=call.key, order=call.body(PaymentOrder))


def _inquire(call: Call) -> Payment:
    return _RAIL.inquire(key=call.key)


def _recall(call: Call) -> Payment:
    return _RAIL.recall(key=call.key)


def _screen(call: Call) -> Screening:
    return _SCREENING.screen(key=call.key, subject=call.body(ScreeningSubject))


ROUTES = (
    Route("POST", RAIL_PARTY, "payments", _submit),
    Route("GET", RAIL_PARTY, "payments/{key}", _inquire),
    Route("POST", RAIL_PARTY, "payments/{key}/recall", _recall),
    Route("POST", SCREENING_PARTY, "screenings", _screen),
)

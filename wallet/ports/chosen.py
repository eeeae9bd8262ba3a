"""The ports as the settings choose them: a third party with an address is called over HTTP, any other is simulated."""

from __future__ import annotations

import functools

from finaegis.shared.third_party import Endpoint, endpoint_of
from wallet.contracts import PaymentRail, SanctionsScreening
from wallet.ports import http, simulator
from wallet.ports.failures import TranslatedRail, TranslatedScreening


def payment_rail() -> PaymentRail:
    """The rail that carries withdrawals; raises the wallet's errors."""
    return _rail(endpoint_of(simulator.RAIL_PARTY))


def sanctions_screening() -> SanctionsScreening:
    """The sanctions lists; raises the wallet's errors."""
    return _screening(endpoint_of(simulator.SCREENING_PARTY))


@functools.cache
def _rail(endpoint: Endpoint | None) -> PaymentRail:
    return TranslatedRail(simulator.SimulatedRail() if endpoint is None else http.HttpRail(endpoint))


@functools.cache
def _screening(endpoint: Endpoint | None) -> SanctionsScreening:
    return TranslatedScreening(simulator.SimulatedScreening() if endpoint is None else http.HttpScreening(endpoint))

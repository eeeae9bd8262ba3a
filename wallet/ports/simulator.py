"""The wallet's third parties, simulated: what they answer is a function of what they are asked, and of time.

The rail's table of outcomes stands in `finaegis.simulators.rail`, decided by the end of the destination's address; an
ordinary payment is pending for an hour and accepted then. The screening's rule stands in
`finaegis.simulators.screening`. Both raise the errors of `finaegis.shared.third_party`.
"""

from __future__ import annotations

from datetime import timedelta

from finaegis.simulators import screening
from finaegis.simulators.conditions import under_conditions
from finaegis.simulators.rail import Entry, Order, Rail
from wallet.contracts import Payment, PaymentOrder, PaymentStatus, Screening, ScreeningSubject
from workflows import clock

RAIL_PARTY = "withdrawal_rail"
SCREENING_PARTY = "sanctions_screening"
#: How long a withdrawal can be recalled.
CLEARING = timedelta(hours=1)


class SimulatedRail:
    """A `PaymentRail` that remembers in the database."""

    _rail = Rail(name=RAIL_PARTY, clearing=CLEARING)

    def inquire(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        return _payment(self._rail.inquire(key=key, now=clock.now()))

    def submit(self, *, key: str, order: PaymentOrder) -> Payment:
        """See `PaymentRail`. Refuses to be called inside a transaction."""
        told = Order(amount=order.amount, beneficiary=order.beneficiary, account=order.address, text=order.reference)
        return _payment(self._rail.submit(key=key, order=told, now=clock.now()))

    def recall(self, *, key: str) -> Payment:
        """See `PaymentRail`. Refuses to be called inside a transaction."""
        return _payment(self._rail.recall(key=key, now=clock.now()))


class SimulatedScreening:
    """A `SanctionsScreening` against the synthetic list."""

    def screen(self, *, key: str, subject: ScreeningSubject) -> Screening:
        """See `SanctionsScreening`."""
        return under_conditions(party=SCREENING_PARTY, call="screen", act=lambda: _screened(subject))


def _payment(entry: Entry) -> Payment:
    status = PaymentStatus(entry.standing.value)
    return Payment(key=entry.key, status=status, reference=entry.reference, reason=entry.reason)


def _screened(subject: ScreeningSubject) -> Screening:
    listed = screening.published()
    found = screening.matches(name=subject.name, account=subject.address, country=subject.country, within=listed)
    return Screening(clear=not found, matches=found, list_version=listed.version)

"""The wallet's third parties over HTTP. They raise the errors of `finaegis.shared.third_party`; nothing is retried.

| call | request |
|---|---|
| `submit` | POST `payments`, body `{amount {amount, currency}, beneficiary, address, reference}` |
| `inquire` | GET `payments/{key}` |
| `recall` | POST `payments/{key}/recall`, body `{}` |
| `screen` | POST `screenings`, body `{name, address, country}` |

Each POST carries the key as `Idempotency-Key`. A payment is answered as `{key, status, reference, reason}`, a screening
as `{clear, matches, list_version}`. A payment with another key than the one asked about is no answer.
"""

from __future__ import annotations

from finaegis.shared.third_party import Client, Endpoint, OutcomeUnknown, segment
from wallet.contracts import Payment, PaymentOrder, Screening, ScreeningSubject


class HttpRail:
    """A `PaymentRail` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def inquire(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        return self._about(key, "inquire", self._client.get("inquire", path=f"payments/{segment(key)}", answer=Payment))

    def submit(self, *, key: str, order: PaymentOrder) -> Payment:
        """See `PaymentRail`."""
        body = {
            "amount": {"amount": order.amount.to_text(), "currency": order.amount.currency},
            "beneficiary": order.beneficiary,
            "address": order.address,
            "reference": order.reference,
        }
        answer = self._client.post("submit", path="payments", key=key, body=body, answer=Payment)
        return self._about(key, "submit", answer)

    def recall(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        path = f"payments/{segment(key)}/recall"
        return self._about(key, "recall", self._client.post("recall", path=path, key=key, body={}, answer=Payment))

    def _about(self, key: str, call: str, payment: Payment) -> Payment:
        if payment.key != key:
            raise OutcomeUnknown(party=self._client.endpoint.party, call=call, reason="it answered for another key")
        return payment


class HttpScreening:
    """A `SanctionsScreening` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def screen(self, *, key: str, subject: ScreeningSubject) -> Screening:
        """See `SanctionsScreening`."""
        body = {"name": subject.name, "address": subject.address, "country": subject.country}
        return self._client.post("screen", path="screenings", key=key, body=body, answer=Screening)

"""Lending's third parties over HTTP. They raise the errors of `finaegis.shared.third_party`; nothing is retried.

| party | call | request |
|---|---|---|
| credit bureau | `pull` | POST `pulls`, body `{name, ssn}` |
| fraud scoring | `screen` | POST `screenings`, body `{name, ssn, amount {amount, currency}}` |
| document verification | `verify` | POST `verifications`, body `{applicant, documents [{kind, reference}]}` |
| payment rail | `pay` | POST `payments`, body `{amount {amount, currency}, beneficiary, account, text}` |
| | `inquire` | GET `payments/{key}` |
| | `recall` | POST `payments/{key}/recall`, body `{}` |

Each POST carries the key as `Idempotency-Key`. Answers are the contracts as JSON. A credit file with a code that the
credit data does not know, or a payment with another key than the one asked about, is no answer.
"""

from __future__ import annotations

from finaegis.shared.money import Money
from finaegis.shared.third_party import Client, Endpoint, OutcomeUnknown, segment
from lending.contracts import (
    CODES,
    BureauReport,
    Document,
    DocumentCheck,
    FraudCheck,
    Payment,
    PaymentOrder,
    Subject,
)

_CODED = ("checking_account", "credit_history", "savings", "other_instalment_plans")


class HttpBureau:
    """A `CreditBureau` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def pull(self, *, key: str, subject: Subject) -> BureauReport:
        """See `CreditBureau`."""
        body = {"name": subject.name, "ssn": subject.ssn.reveal()}
        report = self._client.post("pull", path="pulls", key=key, body=body, answer=BureauReport)
        if not _is_legible(report):
            raise OutcomeUnknown(party=self._client.endpoint.party, call="pull", reason="its answer cannot be read")
        return report


class HttpFraudScoring:
    """A `FraudScoring` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def screen(self, *, key: str, subject: Subject, amount: Money) -> FraudCheck:
        """See `FraudScoring`."""
        body = {"name": subject.name, "ssn": subject.ssn.reveal(), "amount": _amount(amount)}
        return self._client.post("screen", path="screenings", key=key, body=body, answer=FraudCheck)


class HttpDocumentVerification:
    """A `DocumentVerification` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def verify(self, *, key: str, applicant: str, documents: tuple[Document, ...]) -> DocumentCheck:
        """See `DocumentVerification`."""
        told = [{"kind": document.kind, "reference": document.reference} for document in documents]
        body = {"applicant": applicant, "documents": told}
        return self._client.post("verify", path="verifications", key=key, body=body, answer=DocumentCheck)


class HttpRail:
    """A `PaymentRail` behind an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._client = Client(endpoint)

    def pay(self, *, key: str, order: PaymentOrder) -> Payment:
        """See `PaymentRail`."""
        body = {
            "amount": _amount(order.amount),
            "beneficiary": order.beneficiary,
            "account": order.account,
            "text": order.text,
        }
        return self._about(key, "pay", self._client.post("pay", path="payments", key=key, body=body, answer=Payment))

    def inquire(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        return self._about(key, "inquire", self._client.get("inquire", path=f"payments/{segment(key)}", answer=Payment))

    def recall(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        path = f"payments/{segment(key)}/recall"
        return self._about(key, "recall", self._client.post("recall", path=path, key=key, body={}, answer=Payment))

    def _about(self, key: str, call: str, payment: Payment) -> Payment:
        if payment.key != key:
            raise OutcomeUnknown(party=self._client.endpoint.party, call=call, reason="it answered for another key")
        return payment


def _amount(amount: Money) -> dict[str, str]:
    return {"amount": amount.to_text(), "currency": amount.currency}


def _is_legible(report: BureauReport) -> bool:
    """Whether a file holds only what the scorecard knows, and no file holds nothing."""
    values = {name: getattr(report, name) for name in _CODED}
    if not report.file_found:
        return report.existing_credits is None and not any(values.values())
    known = all(value is None or value in CODES[name] for name, value in values.items())
    return known and (report.existing_credits is None or report.existing_credits >= 0)

"""The ports of lending: what a third party promises, whether it is simulated or called over HTTP.

Every call takes the idempotency key of its effect: the same key again gives the same answer and has no second
effect. Every call raises the errors of `finaegis.shared.third_party`: `NotTaken`, `Unavailable`, `OutcomeUnknown`,
`Refused`. No error, log line or simulator row holds an SSN.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from finaegis.shared.money import Money
from lending.contracts.facts import Document
from lending.contracts.findings import BureauReport, DocumentCheck, FraudCheck
from workflows import Sensitive


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom to look up. Only an adapter reveals the SSN (nine digits), at the moment it sends it."""

    name: str
    ssn: Sensitive[str]


class CreditBureau(Protocol):
    """The credit bureau. A person without a file is an answer (`file_found` false), not an error."""

    def pull(self, *, key: str, subject: Subject) -> BureauReport:
        """The credit file of a person; one pull per key."""
        ...


class FraudScoring(Protocol):
    """The service that looks for signs of fraud."""

    def screen(self, *, key: str, subject: Subject, amount: Money) -> FraudCheck:
        """What is known against this person's application."""
        ...


class DocumentVerification(Protocol):
    """The service that checks documents. It is never asked about none at all."""

    def verify(self, *, key: str, applicant: str, documents: tuple[Document, ...]) -> DocumentCheck:
        """Whether every document is genuine and the applicant's."""
        ...


class PaymentStatus(StrEnum):
    """What the rail knows of a payment. `unknown`: it never saw that key, so nothing was paid."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RETURNED = "returned"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """What the rail is told to pay. `account` is the borrower's; `text` shows on the statement."""

    amount: Money
    beneficiary: str
    account: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment as the rail sees it: its own `reference` once it took it, `reason` where it refused or returned it."""

    key: str
    status: PaymentStatus
    reference: str = ""
    reason: str | None = None


class PaymentRail(Protocol):
    """The network that carries a loan's money to the borrower's account."""

    def pay(self, *, key: str, order: PaymentOrder) -> Payment:
        """Hand a payment over, once per key: `pending` or `accepted`, in both of which the rail has taken it.

        Raises `Refused` when it will not take it, also for a key that was recalled before (`key_voided`) or used for
        another order (`idempotency_conflict`).
        """
        ...

    def inquire(self, *, key: str) -> Payment:
        """What the rail knows of this key; never changes anything. `unknown` is an answer, not an error."""
        ...

    def recall(self, *, key: str) -> Payment:
        """Take a payment back: it is `recalled`, or was `refused` or `returned` before.

        A key the rail never saw becomes `recalled` too, so that a late payment under it is refused. Raises `Refused`
        with code `too_late` when the rail has accepted it.
        """
        ...

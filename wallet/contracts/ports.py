"""What the wallet expects of its third parties: the payment rail and the sanctions lists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from finaegis.shared.money import Money


class PaymentStatus(StrEnum):
    """What the rail knows of a payment. `unknown`: it has not seen that key, so nothing was paid so far."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RETURNED = "returned"
    RECALLED = "recalled"


#: The rail will never pay these.
DEAD_STATUSES = frozenset({PaymentStatus.REFUSED, PaymentStatus.RETURNED, PaymentStatus.RECALLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """What the rail is told to pay. `address` is the beneficiary's account; `reference` shows on the statement."""

    amount: Money
    beneficiary: str
    address: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment as the rail sees it: its own `reference` once it took it, `reason` where it refused or returned it."""

    key: str
    status: PaymentStatus
    reference: str | None = None
    reason: str | None = None


class PaymentRail(Protocol):
    """The network that carries money out.

    Every call raises `RailUnavailable` (nothing was done; try again) or `RailOutcomeUnknown` (sent, no answer: ask
    `inquire` by the key).
    """

    def inquire(self, *, key: str) -> Payment:
        """What the rail knows of this key; never changes anything. `unknown` is an answer, not an error."""
        ...

    def submit(self, *, key: str, order: PaymentOrder) -> Payment:
        """Hand a payment over, once per key: the same key again gives the payment as it stands.

        Gives it as `pending` or `accepted`; raises `RailRefused` when the rail will not take it, also for a known key
        with another order.
        """
        ...

    def recall(self, *, key: str) -> Payment:
        """Take a payment back: it is `recalled`, or was `refused` or `returned` before.

        A key the rail never saw becomes `recalled` too, so that a late submission of it is refused. Raises
        `RailRefused` when it is too late: the rail has accepted it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningSubject:
    """Whom to look for on the sanctions lists; `country` by ISO 3166 alpha-2 where known."""

    name: str
    address: str
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What the lists say: no match, or the names that matched; `list_version` for the record."""

    clear: bool
    matches: tuple[str, ...]
    list_version: str


class SanctionsScreening(Protocol):
    """The sanctions lists. Raises `ScreeningUnavailable`; asking again is always allowed."""

    def screen(self, *, key: str, subject: ScreeningSubject) -> Screening:
        """Look a beneficiary up."""
        ...

"""Loans, how they are paid out, and what is owed when a payout is called back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from finaegis.shared.money import Money
from lending.contracts.scoring import ScheduleEntry, Terms

#: Ledger accounts of lending: what it may lend, what is on its way to a borrower, what borrowers owe after a recall.
LENDING_OWNER = "lending"
FUNDING, IN_TRANSIT, RECEIVABLE = "funding", "in_transit", "receivable"
#: Ledger kinds of a borrower: what loans are paid into, and what was not recovered (that one may go negative).
CURRENT, DEBT = "current", "debt"
#: Owner and kind of the ledger account that stands for the world outside; it may go negative.
EXTERNAL = "external"


class LoanStatus(StrEnum):
    """A loan waits for its money, then it is active."""

    ACCEPTED = "accepted"
    ACTIVE = "active"


class DisbursementStatus(StrEnum):
    """Where a disbursement stands; `pending` and `completed` count as its loan's one disbursement."""

    PENDING = "pending"
    COMPLETED = "completed"
    VOIDED = "voided"


LIVE_OR_COMPLETED = (DisbursementStatus.PENDING, DisbursementStatus.COMPLETED)


class CaseStatus(StrEnum):
    """A case is open until an officer closes it with a reason."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """A loan as it stands. Its terms are an estimate until it is active; then they bind."""

    id: UUID
    application_id: UUID
    borrower: str
    status: LoanStatus
    terms: Terms
    ledger_owner: str
    accepted_at: datetime
    disbursed_on: date | None
    #: Whether this call created it (accepting operations only).
    created: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursement:
    """A disbursement as it stands."""

    id: UUID
    loan_id: UUID
    amount: Money
    status: DisbursementStatus
    run_id: UUID | None
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivableCase:
    """Money of a loan that was called back after the borrower had spent it."""

    id: UUID
    loan_id: UUID
    amount: Money
    recovered: Money
    status: CaseStatus
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanOverview(Loan):
    """A loan with its schedule, disbursements and receivables, oldest first."""

    schedule: tuple[ScheduleEntry, ...]
    disbursements: tuple[Disbursement, ...]
    receivables: tuple[ReceivableCase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Money set aside for a loan; `hold_key` names the hold in the ledger."""

    hold_key: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedTransaction:
    """A disbursement that may be paid."""

    transaction_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """Money that reached the borrower; `rail_reference` is the rail's own number of the payment."""

    amount: Money
    rail_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How the undo of a transfer ended: money called back, the rest turned into a receivable; `void` moved nothing."""

    outcome: Literal["reversed", "void"]
    recovered: Money | None = None
    receivable: Money | None = None
    case_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisbursementResult:
    """The result of a disbursement's run."""

    success: bool
    transaction_id: UUID
    disbursed_amount: Money

"""The loan book as others count it: every loan with its payouts and its binding schedule, read in chunks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from finaegis.shared.money import Money
from lending.contracts import DisbursementStatus, LoanStatus
from lending.models import Disbursement, Loan, ReceivableCase, ScheduleEntry
from lending.rules.keys import capture_key, credit_key, recovery_key

#: Loans that are read together with what belongs to them.
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """One disbursement of a loan, whatever became of it; the keys name its steps in the ledger.

    `owed` is what the borrower owes since it was called back, booked by the transfer of `recovery_key`.
    """

    disbursement_id: UUID
    amount: Money
    capture_key: str
    credit_key: str
    recovery_key: str
    owed: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One entry of a binding schedule: what is due, and the principal left after it."""

    due_on: date
    instalment: Money
    principal: Money
    balance: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedLoan:
    """A loan with what the book says about it. Rates in per cent a year; the schedule is empty until it is active."""

    id: UUID
    borrower: str
    status: LoanStatus
    principal: Money
    annual_rate: Decimal
    apr: Decimal
    term_months: int
    disbursed_on: date | None
    payouts: tuple[Payout, ...]
    schedule: tuple[Instalment, ...]


def iterate_book() -> Iterator[BookedLoan]:
    """Every loan, in the order in which they were accepted."""
    ids = list(Loan.objects.order_by("accepted_at", "id").values_list("id", flat=True))
    for start in range(0, len(ids), _CHUNK):
        some = ids[start : start + _CHUNK]
        rows = {row.id: row for row in Loan.objects.filter(pk__in=some)}
        payouts, schedules = _payouts(some), _schedules(some)
        for loan_id in some:
            yield _booked(rows[loan_id], payouts[loan_id], schedules[loan_id])


def _booked(row: Loan, payouts: list[Payout], schedule: list[Instalment]) -> BookedLoan:
    terms = row.terms
    return BookedLoan(
        id=row.id,
        borrower=row.borrower,
        status=LoanStatus(row.status),
        principal=row.principal,
        annual_rate=terms.annual_rate,
        apr=terms.apr,
        term_months=terms.term_months,
        disbursed_on=row.disbursed_on,
        payouts=tuple(payouts),
        schedule=tuple(schedule),
    )


def _payouts(loan_ids: list[UUID]) -> dict[UUID, list[Payout]]:
    cases = ReceivableCase.objects.filter(disbursement__loan_id__in=loan_ids)
    owed = {case.disbursement_id: case.amount for case in cases}
    found: dict[UUID, list[Payout]] = defaultdict(list)
    for row in Disbursement.objects.filter(loan_id__in=loan_ids).order_by("created_at", "id"):
        payout = Payout(
            disbursement_id=row.id,
            amount=row.amount,
            capture_key=capture_key(row.id),
            credit_key=credit_key(row.id),
            recovery_key=recovery_key(row.id),
            owed=owed.get(row.id, Money.zero(row.currency)),
        )
        found[row.loan_id].append(payout)
    return found


def _schedules(loan_ids: list[UUID]) -> dict[UUID, list[Instalment]]:
    found: dict[UUID, list[Instalment]] = defaultdict(list)
    # That of a payout that was called back binds nobody: its disbursement is voided.
    rows = ScheduleEntry.objects.filter(
        disbursement__loan_id__in=loan_ids, disbursement__status=DisbursementStatus.COMPLETED
    ).select_related("disbursement")
    for row in rows.order_by("disbursement__loan_id", "number"):
        entry = Instalment(due_on=row.due_on, instalment=row.instalment, principal=row.principal, balance=row.balance)
        found[row.disbursement.loan_id].append(entry)
    return found

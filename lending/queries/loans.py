"""Loans as they stand, and whether one may be paid out."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from lending import contracts
from lending.contracts import LIVE_OR_COMPLETED, DisbursementStatus, LoanStatus
from lending.errors import (
    DisbursementExists,
    OfferExpired,
    UnknownCase,
    UnknownDisbursement,
    UnknownLoan,
    WrongStatus,
)
from lending.models import Disbursement, Loan, ReceivableCase, ScheduleEntry
from workflows import clock

Place = tuple[datetime, UUID]


def get_loan(loan_id: UUID) -> contracts.Loan:
    """The loan as it stands; raises UnknownLoan."""
    return _row(loan_id).as_contract()


def page_loans(
    *, limit: int, status: str | None = None, after: Place | None = None
) -> tuple[list[contracts.Loan], Place | None]:
    """Loans, newest first, and where the next page begins (None after the last)."""
    rows = Loan.objects.select_related("offer")
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        accepted_at, loan_id = after
        rows = rows.filter(Q(accepted_at__lt=accepted_at) | Q(accepted_at=accepted_at, id__lt=loan_id))
    found = list(rows.order_by("-accepted_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].accepted_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def get_loan_overview(loan_id: UUID) -> contracts.LoanOverview:
    """The loan with its binding schedule, its disbursements and receivables; raises UnknownLoan."""
    loan = get_loan(loan_id)
    schedule = ScheduleEntry.objects.filter(
        disbursement__loan_id=loan_id, disbursement__status=DisbursementStatus.COMPLETED
    )
    cases = ReceivableCase.objects.select_related("disbursement").filter(disbursement__loan_id=loan_id)
    return contracts.LoanOverview(
        **{field.name: getattr(loan, field.name) for field in fields(loan)},
        schedule=tuple(row.as_contract() for row in schedule.order_by("number")),
        disbursements=tuple(
            row.as_contract() for row in Disbursement.objects.filter(loan_id=loan_id).order_by("created_at", "id")
        ),
        receivables=tuple(row.as_contract() for row in cases.order_by("opened_at", "id")),
    )


def get_disbursement(disbursement_id: UUID) -> contracts.Disbursement:
    """The disbursement as it stands; raises UnknownDisbursement."""
    row = Disbursement.objects.filter(pk=disbursement_id).first()
    if row is None:
        raise UnknownDisbursement(disbursement_id)
    return row.as_contract()


def get_case(case_id: UUID) -> contracts.ReceivableCase:
    """The case as it stands; raises UnknownCase."""
    row = ReceivableCase.objects.select_related("disbursement").filter(pk=case_id).first()
    if row is None:
        raise UnknownCase(case_id)
    return row.as_contract()


def check_disbursable(loan_id: UUID) -> None:
    """Refuse a loan that cannot be paid out now.

    Raises UnknownLoan, DisbursementExists while one is live or completed, WrongStatus, OfferExpired.
    """
    loan = _row(loan_id)
    if Disbursement.objects.filter(loan_id=loan_id, status__in=LIVE_OR_COMPLETED).exists():
        raise DisbursementExists(loan_id)
    if loan.status != LoanStatus.ACCEPTED:
        raise WrongStatus("loan", loan_id, loan.status)
    if loan.offer.expires_at <= clock.now():
        raise OfferExpired(loan.offer_id, loan.offer.expires_at)


def _row(loan_id: UUID) -> Loan:
    row = Loan.objects.select_related("offer").filter(pk=loan_id).first()
    if row is None:
        raise UnknownLoan(loan_id)
    return row

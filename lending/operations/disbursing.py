"""Paying a loan out: funds reserved, the transaction created and completed, and each of these undone."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from ledger.errors import InsufficientFunds
from lending import contracts, queries
from lending.contracts import (
    EXTERNAL,
    FUNDING,
    CreatedTransaction,
    DisbursementStatus,
    LoanStatus,
    Reservation,
)
from lending.errors import DisbursementExists, FundsMissing, IdempotencyConflict, WrongStatus
from lending.models import Disbursement, Loan, ScheduleEntry
from lending.operations.booking import credit_borrower, take_into_transit
from lending.operations.rows import lending_account, locked_disbursement, locked_loan
from lending.rules.keys import part
from lending.rules.schedule import build_schedule, first_due_after
from lending.rules.terms import binding_terms
from workflows import clock


def fund_lending(*, amount: Money, key: str) -> None:
    """Put money at lending's disposal, from outside; once per key. Raises the ledger's refusals and InvalidKey."""
    outside = ledger.open_account(owner=EXTERNAL, kind=EXTERNAL, currency=amount.currency, may_go_negative=True)
    funding = lending_account(FUNDING, amount.currency)
    ledger.transfer(
        key=part(key, "funding"),
        legs=[Leg(outside.id, -amount), Leg(funding.id, amount)],
        description="funds for lending",
    )


def reserve_funds(*, key: str, loan_id: UUID, run_id: UUID | None) -> Reservation:
    """Set aside what the borrower is to get. The same key gives the stored reservation.

    Raises what `queries.check_disbursable` raises, FundsMissing, InvalidKey, and the ledger's KeyVoided if it was
    undone before it happened.
    """
    hold_key = part(key, "hold")
    with transaction.atomic():
        loan = locked_loan(loan_id)
        amount = loan.terms.amount_financed
        if ledger_queries.find_hold(key=hold_key) is None:
            queries.check_disbursable(loan_id)
        try:
            ledger.place_hold(
                key=hold_key, account_id=lending_account(FUNDING, loan.currency).id, amount=amount, run_id=run_id
            )
        except InsufficientFunds as refusal:
            raise FundsMissing(amount) from refusal
    return Reservation(hold_key=hold_key, amount=amount)


def release_reservation(*, key: str, undone_key: str) -> None:
    """Undo the reservation made with `undone_key`; for one whose money was taken, a recorded no-op.

    Where nothing was reserved, the ledger voids the key, so that a late attempt sets nothing aside.
    """
    ledger.release_hold(key=part(key, "release"), hold_key=part(undone_key, "hold"))


def create_disbursement(
    *, key: str, loan_id: UUID, reservation: Reservation, run_id: UUID | None
) -> CreatedTransaction:
    """Put the loan's one disbursement on record; the same key gives the stored one.

    Raises what `queries.check_disbursable` raises, and IdempotencyConflict.
    """
    with transaction.atomic():
        loan = locked_loan(loan_id)
        known = Disbursement.objects.filter(key=key).first()
        if known is not None:
            if (known.loan_id, known.amount, known.hold_key) != (loan_id, reservation.amount, reservation.hold_key):
                raise IdempotencyConflict(key)
            return CreatedTransaction(transaction_id=known.id)
        queries.check_disbursable(loan_id)
        row = Disbursement(
            loan=loan,
            key=key,
            hold_key=reservation.hold_key,
            currency=reservation.amount.currency,
            amount_minor=reservation.amount.to_minor(),
            run_id=run_id,
            created_at=clock.now(),
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            raise DisbursementExists(loan_id) from None
    return CreatedTransaction(transaction_id=row.id)


def void_disbursement(*, transaction_id: UUID) -> None:
    """Undo a disbursement: it stays on record as voided, and its loan waits for its money again.

    Repeating it changes nothing. Raises UnknownDisbursement.
    """
    with transaction.atomic():
        row = locked_disbursement(transaction_id)
        if row.status == DisbursementStatus.VOIDED:
            return
        if row.status == DisbursementStatus.COMPLETED:
            loan = row.loan
            loan.status, loan.disbursed_on, loan.terms_json = LoanStatus.ACCEPTED, None, loan.offer.terms_json
            loan.save(update_fields=["status", "disbursed_on", "terms_json"])
        row.status, row.closed_at = DisbursementStatus.VOIDED, clock.now()
        row.save(update_fields=["status", "closed_at"])


def complete_disbursement(*, transaction_id: UUID, run_id: UUID | None) -> contracts.Loan:
    """The money is with the borrower: the loan is active from the ledger's business day on, with a binding schedule.

    The first instalment is due a month later. The books follow where they have not yet, as when a person found out
    that the rail had paid. A repeated call gives the loan as it stands. Raises UnknownDisbursement, WrongStatus for a
    voided one, the ledger's refusals.
    """
    with transaction.atomic():
        row = locked_disbursement(transaction_id)
        if row.status == DisbursementStatus.VOIDED:
            raise WrongStatus("disbursement", row.id, row.status)
        if row.status == DisbursementStatus.PENDING:
            take_into_transit(row, run_id=run_id)
            credit_borrower(row, run_id=run_id)
            _make_binding(row, row.loan)
            row.status, row.closed_at = DisbursementStatus.COMPLETED, clock.now()
            row.save(update_fields=["status", "closed_at"])
        return row.loan.as_contract()


def _make_binding(row: Disbursement, loan: Loan) -> None:
    terms, day = loan.terms, ledger_queries.get_business_date()
    schedule = build_schedule(
        principal=terms.principal,
        annual_rate=terms.annual_rate,
        term_months=terms.term_months,
        disbursed_on=day,
        first_due=first_due_after(day),
    )
    ScheduleEntry.objects.bulk_create(
        ScheduleEntry(
            disbursement=row,
            number=entry.number,
            due_on=entry.due_on,
            currency=loan.currency,
            instalment_minor=entry.instalment.to_minor(),
            interest_minor=entry.interest.to_minor(),
            principal_minor=entry.principal.to_minor(),
            balance_minor=entry.balance.to_minor(),
        )
        for entry in schedule
    )
    binding = binding_terms(terms=terms, schedule=schedule, disbursed_on=day)
    loan.terms_json = Loan.terms.dump(binding)
    loan.status, loan.disbursed_on = LoanStatus.ACTIVE, day
    loan.save(update_fields=["terms_json", "status", "disbursed_on"])

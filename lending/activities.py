"""What the workflows of lending do, step by step. Each activity takes a contract, calls one operation or query."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from finaegis.shared.third_party import NotTaken, Refused
from lending import operations, queries
from lending.contracts import (
    ApplicantName,
    ApplicationForm,
    Assessment,
    Attributes,
    BureauReport,
    Checks,
    CreatedTransaction,
    CurrencyCode,
    Document,
    DocumentCheck,
    Email,
    FraudCheck,
    LetterKind,
    OfficerDecision,
    PlainAmount,
    Recovery,
    Registered,
    Reservation,
    Review,
    Ruling,
    TermMonths,
    Transferred,
)
from lending.errors import UndoneKeyMissing
from lending.rules.identity import never_told
from workflows import Outcome, Retry, Sensitive, activity, activity_info

#: A third party that refuses does so again; one that cannot be reached is tried again soon, then a person looks.
_ASKING = Retry(max_attempts=3, initial=1.0, non_retryable=(Refused,))
#: A mail system may be away for hours; the last attempt begins about three days after the first.
_SENDING = Retry(max_attempts=80, initial=30.0, maximum=3600.0)
#: Two seconds, then four, to the second.
_PAYING = Retry(max_attempts=3, initial=2.0, jitter=0.0)


def _undone_key() -> str:
    key = activity_info().undone_key
    if key is None:
        raise UndoneKeyMissing
    return key


# --- Applications ----------------------------------------------------------------------------------------------------


@activity
def check_application(
    *,
    applicant: ApplicantName,
    ssn: Sensitive[str],
    income: PlainAmount,
    currency: CurrencyCode,
    amount: PlainAmount,
    term_months: TermMonths,
) -> None:
    """Refuse what cannot be taken in: facts that make no application, or an applicant with an open one."""
    form = ApplicationForm(
        applicant=applicant, ssn=ssn, income=income, currency=currency, amount=amount, term_months=term_months
    )
    with never_told(ssn.reveal()):
        queries.check_application(form)


@activity(transactional=True)
def withdraw_application(*, application_id: UUID) -> None:
    """Close an application that is still open, with its offer; the loan of an accepted one stands and is refused."""
    operations.withdraw_application(application_id=application_id)


@activity(transactional=True, undo=withdraw_application)
def register_application(
    *,
    applicant: ApplicantName,
    ssn: Sensitive[str],
    income: PlainAmount,
    currency: CurrencyCode,
    amount: PlainAmount,
    term_months: TermMonths,
    documents: tuple[Document, ...],
    attributes: Attributes,
    email: Email | None,
) -> Registered:
    """Put the application on record, unless it was taken in together with its run."""
    run_id = activity_info().run_id
    assert run_id is not None, "an application belongs to a run"
    form = ApplicationForm(
        applicant=applicant,
        ssn=ssn,
        income=income,
        currency=currency,
        amount=amount,
        term_months=term_months,
        documents=documents,
        attributes=attributes,
        email=email,
    )
    with never_told(ssn.reveal()):
        return operations.register_application(form, run_id=run_id)


@activity(retry=_ASKING)
def pull_credit(*, application_id: UUID, ssn: Sensitive[str]) -> BureauReport:
    """Get the applicant's credit file, once."""
    with never_told(ssn.reveal()):
        return operations.pull_credit(application_id=application_id, ssn=ssn)


@activity(retry=_ASKING)
def screen_fraud(*, application_id: UUID, ssn: Sensitive[str]) -> FraudCheck:
    """Look for signs of fraud."""
    with never_told(ssn.reveal()):
        return operations.screen_fraud(application_id=application_id, ssn=ssn)


@activity(retry=_ASKING)
def verify_documents(*, application_id: UUID) -> DocumentCheck:
    """Have the documents verified."""
    return operations.verify_documents(application_id=application_id)


@activity(transactional=True)
def assess_application(*, application_id: UUID, checks: Checks) -> Assessment:
    """Score the application and decide it by the policy."""
    return operations.assess_application(application_id=application_id, checks=checks)


@activity(transactional=True)
def request_review(*, application_id: UUID) -> Review:
    """Ask for a person's decision."""
    return operations.request_review(application_id=application_id)


@activity(transactional=True)
def conclude_review(
    *, application_id: UUID, decision: OfficerDecision, reason: str, officer: str, statement: str
) -> Ruling:
    """Record an officer's decision."""
    return operations.conclude_review(
        application_id=application_id, decision=decision, reason=reason, officer=officer, statement=statement
    )


@activity(retry=_SENDING)
def send_letter(*, application_id: UUID, kind: LetterKind) -> None:
    """Write a letter to the applicant and send it."""
    operations.send_letter(application_id=application_id, kind=kind)


# --- Disbursements ---------------------------------------------------------------------------------------------------


@activity
def check_disbursable(*, loan_id: UUID) -> None:
    """Refuse a loan that cannot be paid out: its offer expired, or a disbursement is live or completed."""
    queries.check_disbursable(loan_id)


@activity(transactional=True)
def release_reservation() -> None:
    """Make reserved funds available again."""
    operations.release_reservation(key=activity_info().idempotency_key, undone_key=_undone_key())


@activity(transactional=True, retry=_PAYING, undo=release_reservation)
def reserve_funds(*, loan_id: UUID) -> Reservation:
    """Set aside what the borrower is to get."""
    info = activity_info()
    return operations.reserve_funds(key=info.idempotency_key, loan_id=loan_id, run_id=info.run_id)


@activity(transactional=True)
def void_transaction(*, transaction_id: UUID) -> None:
    """Void the disbursement; the loan waits for its money again."""
    operations.void_disbursement(transaction_id=transaction_id)


@activity(transactional=True, retry=Retry(max_attempts=2, initial=2.0, jitter=0.0), undo=void_transaction)
def create_transaction(*, loan_id: UUID, reservation: Reservation) -> CreatedTransaction:
    """Put the loan's one disbursement on record."""
    info = activity_info()
    return operations.create_disbursement(
        key=info.idempotency_key, loan_id=loan_id, reservation=reservation, run_id=info.run_id
    )


@activity
def reconcile_transfer(*, transaction_id: UUID) -> Outcome:
    """Ask the rail, by the payment's key, what became of a transfer."""
    return operations.reconcile_transfer(transaction_id=transaction_id, run_id=activity_info().run_id)


@activity(retry=Retry(max_attempts=5, initial=2.0))
def reverse_transfer(*, transaction_id: UUID) -> Recovery:
    """Call the money back: what the borrower still has is recovered, the rest becomes a receivable with a case."""
    return operations.reverse_transfer(transaction_id=transaction_id, run_id=activity_info().run_id)


@activity(
    repeatable=False,
    reconcile=reconcile_transfer,
    retry=Retry(max_attempts=1, non_retryable=(Refused, NotTaken)),
    timeout=timedelta(minutes=5),
    undo=reverse_transfer,
    undo_when="attempted",
)
def transfer_funds(*, transaction_id: UUID) -> Transferred:
    """Bring the reserved money to the borrower. Tried once: after a lost answer the rail is asked what happened."""
    return operations.transfer_funds(transaction_id=transaction_id, run_id=activity_info().run_id)


@activity(transactional=True, retry=_PAYING)
def update_status(*, transaction_id: UUID) -> None:
    """Complete the disbursement: the loan is active, its schedule binds."""
    operations.complete_disbursement(transaction_id=transaction_id, run_id=activity_info().run_id)

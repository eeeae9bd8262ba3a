"""What the operations share: locked rows, and who acts."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from ledger import operations as ledger
from ledger.contracts import Account as LedgerAccount
from lending.contracts import CURRENT, DEBT, FUNDING, IN_TRANSIT, LENDING_OWNER, RECEIVABLE
from lending.errors import OfficerUnknown, ReasonMissing, UnknownApplication, UnknownDisbursement, UnknownLoan
from lending.models import Applicant, Application, Disbursement, Loan
from workflows import operations as engine

#: Longest reason that is stored.
REASON_LENGTH = 2000


def locked_application(application_id: UUID) -> Application:
    """The application, and its applicant before it, locked; raises UnknownApplication."""
    applicant_id = Application.objects.filter(pk=application_id).values_list("applicant_id", flat=True).first()
    if applicant_id is None:
        raise UnknownApplication(application_id)
    Applicant.objects.select_for_update().get(pk=applicant_id)
    return Application.objects.select_for_update().get(pk=application_id)


def locked_loan(loan_id: UUID) -> Loan:
    """The loan, locked; raises UnknownLoan."""
    row = Loan.objects.select_for_update(of=("self",)).select_related("offer").filter(pk=loan_id).first()
    if row is None:
        raise UnknownLoan(loan_id)
    return row


def locked_disbursement(disbursement_id: UUID) -> Disbursement:
    """The disbursement, and its loan before it, locked; raises UnknownDisbursement."""
    loan_id = Disbursement.objects.filter(pk=disbursement_id).values_list("loan_id", flat=True).first()
    if loan_id is None:
        raise UnknownDisbursement(disbursement_id)
    loan = locked_loan(loan_id)
    row = Disbursement.objects.select_for_update().get(pk=disbursement_id)
    row.loan = loan
    return row


def lending_account(kind: str, currency: str) -> LedgerAccount:
    """Lending's ledger account of this kind, opened when it is first needed."""
    assert kind in (FUNDING, IN_TRANSIT, RECEIVABLE)
    return ledger.open_account(owner=LENDING_OWNER, kind=kind, currency=currency)


def borrower_account(loan: Loan, kind: str) -> LedgerAccount:
    """The borrower's ledger account of this kind, opened when it is first needed; only that of debts goes negative."""
    assert kind in (CURRENT, DEBT)
    return ledger.open_account(owner=loan.ledger_owner, kind=kind, currency=loan.currency, may_go_negative=kind == DEBT)


def officer_name(actor: engine.Actor) -> str:
    """The name of the person who decides; raises OfficerUnknown for the system and for nobody."""
    if isinstance(actor, str) and actor.strip():
        return actor
    if isinstance(actor, AbstractBaseUser) and not isinstance(actor, AnonymousUser):
        return actor.get_username()
    raise OfficerUnknown


def checked_reason(reason: str) -> str:
    """The reason, trimmed; raises ReasonMissing for none, and for more than is stored."""
    trimmed = reason.strip()
    if not trimmed:
        raise ReasonMissing
    if len(trimmed) > REASON_LENGTH or "\x00" in trimmed:
        raise ReasonMissing(f"a reason is a text of at most {REASON_LENGTH} characters")
    return trimmed

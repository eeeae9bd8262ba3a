"""What lending shows on the pages of others: applications, loans, disbursements, and what waits for an officer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from lending.contracts import ApplicationStatus, CaseStatus
from lending.models import Application, Disbursement, Loan, ReceivableCase
from workflows import clock, panels
from workflows.panels import Address, QueueCount, Record, RecordKind, WorkQueue


def register() -> None:
    """Called once, when the apps are ready."""
    panels.register_records(
        RecordKind(
            name="lending.application",
            label="Application",
            read=lambda ids: [_application(row) for row in Application.objects.filter(pk__in=ids)],
            of_runs=_applications_of_runs,
            runs_of=_runs_of_application,
            writers=("lending.",),
            find=_find_applications,
            address=Address("api-lending-application", "application_id"),
        ),
        RecordKind(
            name="lending.loan",
            label="Loan",
            read=lambda ids: [_loan(row) for row in _loans().filter(pk__in=ids)],
            of_runs=_loans_of_runs,
            runs_of=_runs_of_loan,
            writers=("lending.",),
            find=_find_loans,
            named_by={"lending.LoanDisbursement": "loan_id"},
            of_owners=_borrowers,
            address=Address("api-lending-loan", "loan_id"),
        ),
        RecordKind(
            name="lending.disbursement",
            label="Disbursement",
            read=lambda ids: [_disbursement(row) for row in _disbursements().filter(pk__in=ids)],
            of_runs=lambda run_ids: [_disbursement(row) for row in _disbursements().filter(run_id__in=run_ids)],
            runs_of=lambda row_id: panels.run_ids(Disbursement.objects.filter(pk=row_id)),
            writers=("lending.",),
            find=lambda term: [_disbursement(row) for row in _disbursements().filter(panels.named(term))],
        ),
        RecordKind(
            name="lending.receivablecase",
            label="Receivable",
            read=lambda ids: [_case(row) for row in _cases().filter(pk__in=ids)],
            of_runs=lambda run_ids: [_case(row) for row in _cases().filter(disbursement__run_id__in=run_ids)],
            runs_of=lambda row_id: panels.run_ids(_cases().filter(pk=row_id), "disbursement__run_id"),
            writers=("lending.",),
            find=lambda term: [_case(row) for row in _cases().filter(panels.named(term))],
        ),
    )
    panels.register_queue(
        WorkQueue(
            name="lending.reviews",
            label="Reviews",
            permission="lending.view_review",
            count=_reviews,
            place="admin:lending_review_changelist",
        ),
        WorkQueue(
            name="lending.receivables",
            label="Open receivables",
            permission="lending.view_receivablecase",
            count=_receivables,
            place="admin:lending_receivablecase_changelist",
            query=f"status__exact={CaseStatus.OPEN}",
        ),
    )


# --- Applications ----------------------------------------------------------------------------------------------------


def _application(row: Application) -> Record:
    return Record(
        kind="lending.application",
        id=row.id,
        title=f"{row.name}, {row.amount}",
        status=row.status.replace("_", " "),
        at=row.submitted_at,
        run_ids=(row.run_id,),
    )


def _applications_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    """Those that the runs carry, and those whose loans the runs pay out."""
    paid = Disbursement.objects.filter(run_id__in=run_ids).values_list("loan__offer__application", flat=True)
    rows = Application.objects.filter(Q(run_id__in=run_ids) | Q(pk__in=list(paid)))
    return [_application(row) for row in rows.order_by("-submitted_at", "-id")]


def _runs_of_application(application_id: UUID) -> list[UUID]:
    """The run that carries it, and those that paid its loan out."""
    paid = Disbursement.objects.filter(loan__offer__application_id=application_id).order_by("-created_at")
    return [*panels.run_ids(paid), *panels.run_ids(Application.objects.filter(pk=application_id))]


def _find_applications(term: str) -> list[Record]:
    found = Application.objects.filter(panels.named(term, "name")).order_by("-submitted_at", "-id")
    return [_application(row) for row in found[: panels.MOST_RUNS]]


# --- Loans -----------------------------------------------------------------------------------------------------------


def _loans() -> QuerySet[Loan]:
    return Loan.objects.select_related("offer__application").prefetch_related("disbursements")


def _loan(row: Loan) -> Record:
    paid = [item.run_id for item in row.disbursements.all() if item.run_id is not None]
    return Record(
        kind="lending.loan",
        id=row.id,
        title=f"{row.borrower}, {row.principal}",
        status=row.status,
        at=row.accepted_at,
        run_ids=(*paid, row.offer.application.run_id),
    )


def _loans_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    """Those that the runs pay out, and those that came of the applications they carry."""
    # One after the other: joined by OR, no index would serve them.
    ids = set(Disbursement.objects.filter(run_id__in=run_ids).values_list("loan_id", flat=True))
    ids |= set(Loan.objects.filter(offer__application__run_id__in=run_ids).values_list("pk", flat=True))
    rows = _loans().filter(pk__in=ids).order_by("-accepted_at", "-id") if ids else ()
    return [_loan(row) for row in rows]


def _runs_of_loan(loan_id: UUID) -> list[UUID]:
    """Those that paid it out, and the one that decided about it."""
    paid = Disbursement.objects.filter(loan_id=loan_id).order_by("-created_at")
    decided = Loan.objects.filter(pk=loan_id)
    return [*panels.run_ids(paid), *panels.run_ids(decided, "offer__application__run_id")]


def _find_loans(term: str) -> list[Record]:
    found = _loans().filter(panels.named(term, "borrower")).order_by("-accepted_at", "-id")
    return [_loan(row) for row in found[: panels.MOST_RUNS]]


def _borrowers(owners: Sequence[str]) -> dict[str, Record]:
    """A borrower's ledger accounts are shared by their loans: the newest one names them."""
    ids = panels.ids_of(owners, "borrower")
    rows = _loans().filter(applicant_id__in=ids).order_by("accepted_at", "id") if ids else ()
    return {ids[row.applicant_id]: replace(_loan(row), title=row.borrower) for row in rows}


# --- Disbursements and receivables -----------------------------------------------------------------------------------


def _disbursements() -> QuerySet[Disbursement]:
    return Disbursement.objects.select_related("loan").order_by("-created_at", "-id")


def _disbursement(row: Disbursement) -> Record:
    return Record(
        kind="lending.disbursement",
        id=row.id,
        title=f"{row.amount} to {row.loan.borrower}",
        status=row.status,
        at=row.created_at,
        run_ids=() if row.run_id is None else (row.run_id,),
    )


def _cases() -> QuerySet[ReceivableCase]:
    return ReceivableCase.objects.select_related("disbursement__loan").order_by("-opened_at", "-id")


def _case(row: ReceivableCase) -> Record:
    run_id = row.disbursement.run_id
    return Record(
        kind="lending.receivablecase",
        id=row.id,
        title=f"{row.amount} owed by {row.disbursement.loan.borrower}",
        status=row.status,
        at=row.opened_at,
        run_ids=() if run_id is None else (run_id,),
    )


# --- Queues ----------------------------------------------------------------------------------------------------------


def _reviews() -> QueueCount:
    waiting = Application.objects.filter(status=ApplicationStatus.IN_REVIEW)
    found = waiting.aggregate(
        number=Count("pk"), oldest=Min("submitted_at"), overdue=Count("pk", filter=Q(review_deadline__lte=clock.now()))
    )
    return QueueCount(found["number"], found["oldest"], found["overdue"])


def _receivables() -> QueueCount:
    found = ReceivableCase.objects.filter(status=CaseStatus.OPEN).aggregate(number=Count("pk"), oldest=Min("opened_at"))
    return QueueCount(found["number"], found["oldest"])

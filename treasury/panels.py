"""What the treasury shows on the pages of others: its accounts, allocations and compliance cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet

from treasury.contracts import CaseStatus
from treasury.models import Allocation, ComplianceCase, StoredEvent, TreasuryAccount
from workflows import clock, panels
from workflows.panels import Address, QueueCount, Record, RecordKind, WorkQueue


def register() -> None:
    """Called once, when the apps are ready."""
    panels.register_records(
        RecordKind(
            name="treasury.treasuryaccount",
            label="Treasury account",
            read=lambda ids: [_account(row) for row in TreasuryAccount.objects.filter(pk__in=ids)],
            of_runs=_accounts_of_runs,
            runs_of=_runs_of_account,
            writers=("treasury.",),
            find=_find_accounts,
            named_by={
                "treasury.CashManagement": "account_id",
                "treasury.ComplianceSaga": "account_id",
                "treasury.RiskAssessment": "account_id",
                "treasury.RiskManagementSaga": "account_id",
                "treasury.RiskMitigation": "account_id",
            },
            of_owners=_owners,
            address=Address("api-treasury-account", "account_id"),
        ),
        RecordKind(
            name="treasury.allocation",
            label="Allocation",
            read=lambda ids: [_allocation(row) for row in _allocations().filter(pk__in=ids)],
            of_runs=_allocations_of_runs,
            runs_of=_runs_of_allocation,
            writers=("treasury.",),
            find=lambda term: [_allocation(row) for row in _allocations().filter(panels.named(term, "key"))],
        ),
        RecordKind(
            name="treasury.compliancecase",
            label="Compliance case",
            read=lambda ids: [_case(row) for row in _cases().filter(pk__in=ids)],
            of_runs=_cases_of_runs,
            runs_of=lambda case_id: panels.run_ids(_cases().filter(pk=case_id)),
            writers=("treasury.",),
            find=lambda term: [_case(row) for row in _cases().filter(panels.named(term))],
            address=Address("api-treasury-compliance-case", "case_id"),
        ),
    )
    panels.register_queue(
        WorkQueue(
            name="treasury.compliancecases",
            label="Compliance cases",
            permission="treasury.view_compliancecase",
            count=_open_cases,
            place="admin:treasury_compliancecase_changelist",
            query=f"status__exact={CaseStatus.OPEN}",
        ),
    )


def _account(row: TreasuryAccount) -> Record:
    return Record(
        kind="treasury.treasuryaccount",
        id=row.id,
        title=f"{row.name}, {row.currency}",
        status=row.status,
        at=row.opened_at,
    )


def _accounts_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    """Those in whose streams the runs recorded something."""
    streams = StoredEvent.objects.filter(run_id__in=run_ids).values("stream")
    return [_account(row) for row in TreasuryAccount.objects.filter(pk__in=streams).order_by("name", "id")]


def _runs_of_account(account_id: UUID) -> list[UUID]:
    recorded = StoredEvent.objects.filter(stream=account_id).values("run_id").annotate(latest=Max("version"))
    return panels.run_ids(recorded.order_by("-latest"))


def _find_accounts(term: str) -> list[Record]:
    found = TreasuryAccount.objects.filter(panels.named(term, "name", "opening_key")).order_by("name", "id")
    return [_account(row) for row in found[: panels.MOST_RUNS]]


def _owners(owners: Sequence[str]) -> dict[str, Record]:
    ids = panels.ids_of(owners, "treasury")
    rows = TreasuryAccount.objects.filter(pk__in=ids) if ids else ()
    return {row.ledger_owner: replace(_account(row), title=row.name) for row in rows}


def _allocations() -> QuerySet[Allocation]:
    return Allocation.objects.select_related("account").order_by("-allocated_at", "-id")


def _allocation(row: Allocation) -> Record:
    return Record(
        kind="treasury.allocation",
        id=row.id,
        title=f"{row.total} of {row.account.name}, {row.strategy}",
        status=row.status,
        at=row.allocated_at,
        run_ids=() if row.run_id is None else (row.run_id,),
    )


def _allocations_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    """By the streams of the runs' events, whose index a search by run alone would not have."""
    streams = StoredEvent.objects.filter(run_id__in=run_ids).values("stream")
    rows = _allocations().filter(account__in=streams, run_id__in=run_ids)
    return [_allocation(row) for row in rows[: panels.MOST_RUNS]]


def _runs_of_allocation(allocation_id: UUID) -> list[UUID]:
    return panels.run_ids(Allocation.objects.filter(pk=allocation_id))


def _cases() -> QuerySet[ComplianceCase]:
    opened = ComplianceCase.objects.exclude(status=CaseStatus.VOID)
    return opened.select_related("account").order_by("-opened_at", "-id")


def _case(row: ComplianceCase) -> Record:
    return Record(
        kind="treasury.compliancecase",
        id=row.id,
        title=f"{row.trigger} of {row.account.name}",
        status=row.status,
        at=row.opened_at,
        run_ids=() if row.run_id is None else (row.run_id,),
    )


def _cases_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    return [_case(row) for row in _cases().filter(run_id__in=run_ids)[: panels.MOST_RUNS]]


def _open_cases() -> QueueCount:
    found = ComplianceCase.objects.filter(status=CaseStatus.OPEN).aggregate(
        number=Count("pk"), oldest=Min("opened_at"), overdue=Count("pk", filter=Q(deadline__lte=clock.now()))
    )
    return QueueCount(found["number"], found["oldest"], found["overdue"])

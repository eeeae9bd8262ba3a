"""What the wallet shows on the pages of others: withdrawals, their cases and accounts, and which cases are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from wallet.contracts import CaseStatus
from wallet.models import Case, Customer, WalletAccount, Withdrawal
from workflows import panels
from workflows.panels import Address, QueueCount, Record, RecordKind, WorkQueue


def register() -> None:
    """Called once, when the apps are ready."""
    panels.register_records(
        RecordKind(
            name="wallet.withdrawal",
            label="Withdrawal",
            read=lambda ids: [_withdrawal(row) for row in _withdrawals().filter(pk__in=ids)],
            of_runs=lambda run_ids: [_withdrawal(row) for row in _withdrawals().filter(run_id__in=run_ids)],
            runs_of=lambda row_id: panels.run_ids(Withdrawal.objects.filter(pk=row_id)),
            writers=("wallet.",),
            find=_find_withdrawals,
            address=Address("api-wallet-withdrawal", "withdrawal_id"),
        ),
        RecordKind(
            name="wallet.case",
            label="Case",
            read=lambda ids: [_case(row) for row in _cases().filter(pk__in=ids)],
            of_runs=lambda run_ids: [_case(row) for row in _cases().filter(withdrawal__run_id__in=run_ids)],
            runs_of=lambda row_id: panels.run_ids(Case.objects.filter(pk=row_id), "withdrawal__run_id"),
            writers=("wallet.",),
            find=lambda term: [_case(row) for row in _cases().filter(panels.named(term))],
            address=Address("api-wallet-case", "case_id"),
        ),
        RecordKind(
            name="wallet.walletaccount",
            label="Wallet account",
            read=lambda ids: [_account(row) for row in _accounts().filter(pk__in=ids)],
            of_runs=_accounts_of_runs,
            runs_of=_runs_of_account,
            writers=("wallet.",),
            find=_find_accounts,
            named_by={"wallet.Withdrawal": "account_id"},
            of_owners=_owners,
            address=Address("api-wallet-account", "account_id"),
        ),
    )
    panels.register_queue(
        WorkQueue(
            name="wallet.cases",
            label="Wallet cases",
            permission="wallet.view_case",
            count=_open_cases,
            place="admin:wallet_case_changelist",
            query=f"status__exact={CaseStatus.OPEN}",
        )
    )


def _withdrawals() -> QuerySet[Withdrawal]:
    return Withdrawal.objects.select_related("destination").order_by("-requested_at", "-id")


def _withdrawal(row: Withdrawal) -> Record:
    return Record(
        kind="wallet.withdrawal",
        id=row.id,
        title=f"{row.amount} to {row.destination.beneficiary}",
        status=row.status.replace("_", " "),
        at=row.requested_at,
        run_ids=(row.run_id,),
    )


def _find_withdrawals(term: str) -> list[Record]:
    """By id, or by the ledger's key of its hold or capture."""
    found = _withdrawals().filter(panels.named(term, "hold_key", "capture_key"))
    return [_withdrawal(row) for row in found[: panels.MOST_RUNS]]


def _cases() -> QuerySet[Case]:
    return Case.objects.select_related("withdrawal").order_by("-opened_at", "-id")


def _case(row: Case) -> Record:
    return Record(
        kind="wallet.case",
        id=row.id,
        title=f"{row.kind.replace('_', ' ')}, {row.withdrawal.amount}",
        status=row.status,
        at=row.opened_at,
        run_ids=(row.withdrawal.run_id,),
    )


def _accounts() -> QuerySet[WalletAccount]:
    return WalletAccount.objects.select_related("customer").order_by("-opened_at", "-id")


def _account(row: WalletAccount) -> Record:
    return Record(
        kind="wallet.walletaccount",
        id=row.id,
        title=f"{row.customer.name}, {row.currency}",
        status=row.status,
        at=row.opened_at,
    )


def _accounts_of_runs(run_ids: Sequence[UUID]) -> list[Record]:
    theirs = Withdrawal.objects.filter(run_id__in=run_ids).values("account")
    return [_account(row) for row in _accounts().filter(pk__in=theirs)]


def _runs_of_account(account_id: UUID) -> list[UUID]:
    return panels.run_ids(Withdrawal.objects.filter(account_id=account_id).order_by("-requested_at"))


def _find_accounts(term: str) -> list[Record]:
    """By id, or by the whole address of the customer's e-mail."""
    theirs = list(Customer.objects.filter(email=term).values_list("pk", flat=True))
    rows = _accounts().filter(panels.named(term) | Q(customer__in=theirs))
    return [_account(row) for row in rows[: panels.MOST_RUNS]]


def _owners(owners: Sequence[str]) -> dict[str, Record]:
    ids = panels.ids_of(owners, "wallet")
    rows = _accounts().filter(pk__in=ids) if ids else ()
    return {row.ledger_owner: replace(_account(row), title=row.customer.name) for row in rows}


def _open_cases() -> QueueCount:
    found = Case.objects.filter(status=CaseStatus.OPEN).aggregate(number=Count("pk"), oldest=Min("opened_at"))
    return QueueCount(found["number"], found["oldest"])

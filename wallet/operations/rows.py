"""What the operations share: locked rows, recorded events, the end of a withdrawal, and its hold given back."""

from __future__ import annotations

from uuid import UUID

from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Account as LedgerAccount
from wallet.contracts import EventKind, WithdrawalStatus
from wallet.errors import UnknownAccount, UnknownWithdrawal
from wallet.models import ConfirmationToken, Event, WalletAccount, Withdrawal
from workflows import clock

SYSTEM = "system"
CUSTOMER = "customer"


def locked_account(account_id: UUID) -> WalletAccount:
    """The account, locked; raises UnknownAccount."""
    rows = WalletAccount.objects.select_for_update(of=("self",)).select_related("customer")
    row = rows.filter(pk=account_id).first()
    if row is None:
        raise UnknownAccount(account_id)
    return row


def locked_withdrawal(withdrawal_id: UUID) -> Withdrawal:
    """The withdrawal, locked; raises UnknownWithdrawal."""
    rows = Withdrawal.objects.select_for_update(of=("self",)).select_related("account__customer", "destination")
    row = rows.filter(pk=withdrawal_id).first()
    if row is None:
        raise UnknownWithdrawal(withdrawal_id)
    return row


def locked_of_run(run_id: UUID | None) -> Withdrawal | None:
    """The withdrawal that a run carries, locked; None where there is none yet."""
    if run_id is None:
        return None
    rows = Withdrawal.objects.select_for_update(of=("self",)).select_related("account__customer", "destination")
    return rows.filter(run_id=run_id).first()


def record(row: Withdrawal, kind: EventKind, *, actor: str = SYSTEM, detail: str = "") -> None:
    """Append what happened to a withdrawal."""
    Event.objects.create(
        account_id=row.account_id, withdrawal=row, kind=kind, actor=actor, detail=detail[:2000], at=clock.now()
    )


def move(row: Withdrawal, status: WithdrawalStatus, kind: EventKind, *, actor: str = SYSTEM, detail: str = "") -> None:
    """Bring an open withdrawal to another open status; the row's other columns are stored with it."""
    row.status = status
    row.save()
    record(row, kind, actor=actor, detail=detail)


def end(
    row: Withdrawal,
    status: WithdrawalStatus,
    kind: EventKind,
    *,
    reason: str = "",
    actor: str = SYSTEM,
    detail: str = "",
) -> None:
    """Close a withdrawal; no token of it confirms any more."""
    row.status = status
    row.reason = reason
    row.closed_at = row.closed_at or clock.now()
    row.save()
    void_tokens(row)
    record(row, kind, actor=actor, detail=detail)


def void_tokens(row: Withdrawal) -> None:
    """The token that was not used yet is good for nothing any more."""
    live = ConfirmationToken.objects.filter(withdrawal=row, used_at__isnull=True, voided_at__isnull=True)
    live.update(voided_at=clock.now())


def give_back(row: Withdrawal) -> None:
    """What is held for a withdrawal that was not captured is available again; once, whoever asks."""
    if row.hold_key is not None:
        ledger.release_hold(key=f"wallet:{row.id}/released", hold_key=row.hold_key)


def ledger_account(account: WalletAccount, kind: str) -> LedgerAccount:
    """The ledger's account of this kind."""
    found = ledger_queries.find_account(owner=account.ledger_owner, kind=kind, currency=account.currency)
    assert found is not None, "a wallet account is opened together with its ledger accounts"
    return found

"""What the ledger shows on the pages of others: money of runs, and what of its own a search names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet, Sum

from finaegis.shared.money import Money
from ledger.contracts import HoldStatus
from ledger.models import Account, Hold, Posting, Transfer, TransferStatus
from workflows import panels
from workflows.panels import MoneyAccount, MoneyHold, MoneyLeg, MoneyOfRuns, MoneyTransfer, NetEffect, Record

Row = TypeVar("Row", bound=Model)

#: Transfers and holds that are listed; older ones are counted, and are in the net effect.
MOST_LISTED = 100


def register() -> None:
    """Called once, when the apps are ready."""
    panels.register_money(
        panels.MoneySource(
            name="the ledger",
            permissions=("ledger.view_transfer", "ledger.view_hold", "ledger.view_account"),
            of_runs=money_of_runs,
        )
    )
    panels.register_records(
        panels.RecordKind(
            name="ledger.transfer",
            label="Transfer",
            read=_transfers,
            owners=_owners_of_transfer,
            runs_of=_runs_of_transfer,
            find=_find_transfers,
        ),
        panels.RecordKind(
            name="ledger.hold",
            label="Hold",
            read=_holds,
            owners=_owners_of_hold,
            runs_of=_runs_of_hold,
            find=_find_holds,
        ),
        panels.RecordKind(
            name="ledger.account",
            label="Ledger account",
            read=_accounts,
            find=_find_accounts,
            owners=lambda account_id: Account.objects.filter(pk=account_id).values_list("owner", flat=True),
            address=panels.Address("api-ledger-account", "account_id"),
        ),
    )


def money_of_runs(run_ids: Sequence[UUID]) -> MoneyOfRuns:
    """What these runs moved and set aside: the newest of it one by one, all of it as a net effect by account."""
    posted = Transfer.objects.filter(run_id__in=run_ids, status=TransferStatus.POSTED)
    moved = _newest(posted.order_by("-posted_at", "-id").select_related("reversed_by", "captured_hold"))
    held = _newest(Hold.objects.filter(run_id__in=run_ids).order_by("-placed_at", "-id").select_related("account"))
    legs = _legs_of(moved)
    return MoneyOfRuns(
        transfers=tuple(_transfer(row, legs.get(row.id, [])) for row in moved),
        holds=tuple(_hold(row) for row in held),
        net=tuple(_net(run_ids)),
        transfers_left_out=posted.count() - len(moved) if len(moved) == MOST_LISTED else 0,
        holds_left_out=Hold.objects.filter(run_id__in=run_ids).count() - len(held) if len(held) == MOST_LISTED else 0,
    )


def _newest(rows: QuerySet[Row]) -> list[Row]:
    return list(reversed(rows[:MOST_LISTED]))


def _legs_of(transfers: Sequence[Transfer]) -> dict[UUID, list[Posting]]:
    found: dict[UUID, list[Posting]] = {}
    rows = Posting.objects.filter(transfer_id__in=[row.id for row in transfers]).select_related("account")
    for posting in rows.order_by("transfer_id", "position") if transfers else ():
        found.setdefault(posting.transfer_id, []).append(posting)
    return found


def _net(run_ids: Sequence[UUID]) -> Iterator[NetEffect]:
    """By account: the sum of its postings, and what open holds keep there."""
    posted = Posting.objects.filter(transfer__run_id__in=run_ids, transfer__status=TransferStatus.POSTED)
    moved = dict(posted.values_list("account_id").annotate(total=Sum("amount_minor")).order_by())
    kept = Hold.objects.filter(run_id__in=run_ids, status=HoldStatus.HELD)
    held = dict(kept.values_list("account_id").annotate(total=Sum("amount_minor")).order_by())
    named = moved.keys() | held.keys()
    accounts = Account.objects.filter(pk__in=named).order_by("owner", "kind", "currency") if named else ()
    for row in accounts:
        yield NetEffect(
            _account(row),
            Money.from_minor(moved.get(row.id, 0), row.currency),
            Money.from_minor(held.get(row.id, 0), row.currency),
        )


def _account(row: Account) -> MoneyAccount:
    return MoneyAccount(id=row.id, owner=row.owner, kind=row.kind, currency=row.currency)


def _transfer(row: Transfer, legs: Sequence[Posting]) -> MoneyTransfer:
    captured, undone = getattr(row, "captured_hold", None), getattr(row, "reversed_by", None)
    return MoneyTransfer(
        id=row.id,
        key=row.key,
        kind="reversal" if row.reverses_id is not None else "capture" if captured is not None else "transfer",
        description=row.description,
        run_id=row.run_id,
        posted_at=row.posted_at,
        legs=tuple(MoneyLeg(_account(posting.account), posting.amount) for posting in legs),
        reverses=row.reverses_id,
        reversed_by=None if undone is None else undone.id,
    )


def _hold(row: Hold) -> MoneyHold:
    return MoneyHold(
        id=row.id,
        key=row.key,
        account=_account(row.account),
        amount=row.amount,
        captured=row.captured,
        status=row.status,
        is_open=row.status == HoldStatus.HELD,
        run_id=row.run_id,
        placed_at=row.placed_at,
        resolved_at=row.resolved_at,
    )


# --- Records ---------------------------------------------------------------------------------------------------------


def _transfer_record(row: Transfer) -> Record:
    return Record(
        kind="ledger.transfer",
        id=row.id,
        title=row.description or row.key,
        status=row.status,
        at=row.posted_at,
        run_ids=() if row.run_id is None else (row.run_id,),
    )


def _transfers(ids: Sequence[UUID]) -> list[Record]:
    return [_transfer_record(row) for row in Transfer.objects.filter(pk__in=ids, status=TransferStatus.POSTED)]


def _find_transfers(term: str) -> list[Record]:
    found = Transfer.objects.filter(panels.named(term, "key"), status=TransferStatus.POSTED)
    return [_transfer_record(row) for row in found[: panels.MOST_RUNS]]


def _runs_of_transfer(transfer_id: UUID) -> list[UUID]:
    return panels.run_ids(Transfer.objects.filter(pk=transfer_id))


def _owners_of_transfer(transfer_id: UUID) -> list[str]:
    named = Posting.objects.filter(transfer_id=transfer_id).order_by("position")
    return list(named.values_list("account__owner", flat=True)[: panels.MOST_RUNS])


def _hold_record(row: Hold) -> Record:
    return Record(
        kind="ledger.hold",
        id=row.id,
        title=f"{row.amount} on {row.account.kind.replace('_', ' ')}",
        status=row.status,
        at=row.placed_at,
        run_ids=() if row.run_id is None else (row.run_id,),
    )


def _holds(ids: Sequence[UUID]) -> list[Record]:
    return [_hold_record(row) for row in Hold.objects.filter(pk__in=ids).select_related("account")]


def _find_holds(term: str) -> list[Record]:
    found = Hold.objects.filter(panels.named(term, "key")).select_related("account")
    return [_hold_record(row) for row in found[: panels.MOST_RUNS]]


def _runs_of_hold(hold_id: UUID) -> list[UUID]:
    return panels.run_ids(Hold.objects.filter(pk=hold_id))


def _owners_of_hold(hold_id: UUID) -> list[str]:
    return list(Hold.objects.filter(pk=hold_id).values_list("account__owner", flat=True))


def _account_record(row: Account) -> Record:
    return Record(
        kind="ledger.account", id=row.id, title=f"{row.kind.replace('_', ' ')}, {row.currency}", at=row.opened_at
    )


def _accounts(ids: Sequence[UUID]) -> list[Record]:
    return [_account_record(row) for row in Account.objects.filter(pk__in=ids)]


def _find_accounts(term: str) -> list[Record]:
    found = Account.objects.filter(panels.named(term, "owner")).order_by("owner", "kind", "currency")
    return [_account_record(row) for row in found[: panels.MOST_RUNS]]

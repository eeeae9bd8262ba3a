"""Accounts, transfers and holds as they stand, and how a row becomes a value."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from finaegis.shared.money import Money
from ledger import contracts, models
from ledger.contracts import HoldStatus
from ledger.errors import UnknownAccount, UnknownHold, UnknownTransfer
from ledger.models import TransferStatus
from workflows import clock


def account_value(row: models.Account) -> contracts.Account:
    """A row of accounts as a value."""
    return contracts.Account(
        id=row.id,
        owner=row.owner,
        kind=row.kind,
        currency=row.currency,
        may_go_negative=row.may_go_negative,
        balance=row.balance,
        held=row.held,
        available=Money.from_minor(row.available_minor, row.currency),
    )


def transfer_value(row: models.Transfer) -> contracts.Transfer:
    """A row of transfers as a value; reads its postings unless they were prefetched."""
    postings = sorted(row.postings.all(), key=lambda posting: posting.position)
    return contracts.Transfer(
        id=row.id,
        key=row.key,
        legs=tuple(contracts.Leg(posting.account_id, posting.amount) for posting in postings),
        description=row.description,
        run_id=row.run_id,
        value_date=row.value_date,
        posted_at=row.posted_at,
        reverses=row.reverses_id,
    )


def hold_value(row: models.Hold) -> contracts.Hold:
    """A row of holds as a value."""
    return contracts.Hold(
        id=row.id,
        key=row.key,
        account_id=row.account_id,
        amount=row.amount,
        captured=row.captured,
        status=HoldStatus(row.status),
        run_id=row.run_id,
    )


def get_account(account_id: UUID) -> contracts.Account:
    """The account of that id; raises `UnknownAccount`."""
    row = models.Account.objects.filter(pk=account_id).first()
    if row is None:
        raise UnknownAccount(account_id)
    return account_value(row)


def find_account(*, owner: str, kind: str, currency: str) -> contracts.Account | None:
    """The one account of that owner, kind and currency, or None."""
    row = models.Account.objects.filter(owner=owner, kind=kind, currency=currency).first()
    return None if row is None else account_value(row)


def list_accounts(
    *, owner: str | None = None, currency: str | None = None, kind: str | None = None
) -> list[contracts.Account]:
    """Accounts that fit all that is given, by owner, kind and currency."""
    given = {"owner": owner, "currency": currency, "kind": kind}
    rows = models.Account.objects.filter(**{name: value for name, value in given.items() if value is not None})
    return [account_value(row) for row in rows.order_by("owner", "kind", "currency")]


def get_transfer(*, key: str) -> contracts.Transfer:
    """The transfer that was posted with that key; raises `UnknownTransfer`."""
    row = _posted().filter(key=key).first()
    if row is None:
        raise UnknownTransfer(key)
    return transfer_value(row)


def list_transfers(
    *,
    account_id: UUID | None = None,
    run_id: UUID | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
    limit: int = 1000,
) -> list[contracts.Transfer]:
    """Posted transfers that fit all that is given, oldest first; the dates are value dates, both included."""
    rows = _posted()
    if account_id is not None:
        rows = rows.filter(Exists(models.Posting.objects.filter(transfer=OuterRef("pk"), account_id=account_id)))
    if run_id is not None:
        rows = rows.filter(run_id=run_id)
    if from_date is not None:
        rows = rows.filter(value_date__gte=from_date)
    if to_date is not None:
        rows = rows.filter(value_date__lte=to_date)
    return [transfer_value(row) for row in rows.order_by("posted_at", "id")[:limit]]


def find_hold(*, key: str) -> contracts.Hold | None:
    """The hold that was placed with that key, or None."""
    row = models.Hold.objects.filter(key=key).first()
    return None if row is None else hold_value(row)


def get_hold(*, key: str) -> contracts.Hold:
    """The hold that was placed with that key; raises `UnknownHold`."""
    hold = find_hold(key=key)
    if hold is None:
        raise UnknownHold(key)
    return hold


def list_holds(
    *, account_id: UUID | None = None, run_id: UUID | None = None, status: HoldStatus | None = None
) -> list[contracts.Hold]:
    """Holds that fit all that is given, oldest first."""
    given = {"account_id": account_id, "run_id": run_id, "status": status}
    rows = models.Hold.objects.filter(**{name: value for name, value in given.items() if value is not None})
    return [hold_value(row) for row in rows.order_by("placed_at", "id")]


def get_business_date() -> date:
    """The business date that is open: a transfer's value date unless it names one. Today (UTC) if no day was closed."""
    return find_open_date() or clock.now().date()


def find_open_date() -> date | None:
    """The first day that is not closed, or None while no day was ever closed."""
    return models.BusinessDate.objects.filter(pk=1).values_list("open_date", flat=True).first()


def _posted() -> QuerySet[models.Transfer]:
    return models.Transfer.objects.filter(status=TransferStatus.POSTED).prefetch_related("postings")

"""Wallet accounts and their destinations, as values."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from wallet import contracts
from wallet.contracts import WALLET
from wallet.errors import UnknownAccount, UnknownDestination
from wallet.models import Destination, WalletAccount

#: Where a page of a list by time ends: the last row's time and id.
Place = tuple[datetime, UUID]


def get_account(account_id: UUID) -> contracts.WalletAccount:
    """The wallet account; raises UnknownAccount."""
    row = WalletAccount.objects.select_related("customer").filter(pk=account_id).first()
    if row is None:
        raise UnknownAccount(account_id)
    return row.as_contract()


def get_overview(account_id: UUID) -> contracts.AccountOverview:
    """The wallet account with its balances; raises UnknownAccount."""
    account = get_account(account_id)
    return contracts.AccountOverview(
        id=account.id,
        customer=account.customer,
        currency=account.currency,
        status=account.status,
        ledger_owner=account.ledger_owner,
        opened_at=account.opened_at,
        ledger_accounts=tuple(ledger_queries.list_accounts(owner=account.ledger_owner)),
    )


def get_available(account: contracts.WalletAccount) -> Money:
    """What may leave the account now: its balance less its holds."""
    found = ledger_queries.find_account(owner=account.ledger_owner, kind=WALLET, currency=account.currency)
    return Money.zero(account.currency) if found is None else found.available


def page_accounts(*, limit: int, after: Place | None = None) -> tuple[list[contracts.WalletAccount], Place | None]:
    """Wallet accounts, newest first, and where the next page begins (None after the last)."""
    rows = WalletAccount.objects.select_related("customer")
    if after is not None:
        opened_at, account_id = after
        rows = rows.filter(Q(opened_at__lt=opened_at) | Q(opened_at=opened_at, id__lt=account_id))
    found = list(rows.order_by("-opened_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].opened_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following


def get_destination(destination_id: UUID) -> contracts.Destination:
    """The destination; raises UnknownDestination."""
    row = Destination.objects.filter(pk=destination_id).first()
    if row is None:
        raise UnknownDestination(destination_id)
    return row.as_contract()


def page_destinations(
    *, limit: int, account_id: UUID | None = None, after: Place | None = None
) -> tuple[list[contracts.Destination], Place | None]:
    """Destinations, of one account or of all, newest first, and where the next page begins."""
    rows: QuerySet[Destination] = Destination.objects.all()
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    if after is not None:
        added_at, destination_id = after
        rows = rows.filter(Q(added_at__lt=added_at) | Q(added_at=added_at, id__lt=destination_id))
    found = list(rows.order_by("-added_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].added_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following

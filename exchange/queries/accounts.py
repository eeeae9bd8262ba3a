"""Trading accounts, as values."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from exchange import contracts
from exchange.contracts import TRADING
from exchange.errors import NoTradingAccount, UnknownAccount
from exchange.models import TradingAccount
from exchange.models.account import ledger_owner
from finaegis.shared.money import Money
from ledger import queries as ledger_queries

#: Where a page of a list by time ends: the last row's time and id.
Place = tuple[datetime, UUID]


def get_account(account_id: UUID) -> contracts.TradingAccount:
    """The trading account; raises UnknownAccount."""
    row = TradingAccount.objects.filter(pk=account_id).first()
    if row is None:
        raise UnknownAccount(account_id)
    return row.as_contract()


def account_of(holder: str) -> contracts.TradingAccount:
    """The trading account of a login; raises NoTradingAccount."""
    row = TradingAccount.objects.filter(holder=holder).first()
    if row is None:
        raise NoTradingAccount(holder)
    return row.as_contract()


def get_account_overview(account_id: UUID) -> contracts.AccountOverview:
    """The trading account with its balances; raises UnknownAccount."""
    account = get_account(account_id)
    return contracts.AccountOverview(
        id=account.id,
        holder=account.holder,
        name=account.name,
        ledger_owner=account.ledger_owner,
        opened_at=account.opened_at,
        ledger_accounts=tuple(ledger_queries.list_accounts(owner=account.ledger_owner)),
    )


def get_available(account_id: UUID, currency: str) -> Money:
    """What an account may still set aside for orders."""
    found = ledger_queries.find_account(owner=ledger_owner(account_id), kind=TRADING, currency=currency)
    return Money.zero(currency) if found is None else found.available


def page_accounts(*, limit: int, after: Place | None = None) -> tuple[list[contracts.TradingAccount], Place | None]:
    """Trading accounts, newest first, and where the next page begins (None after the last)."""
    rows = TradingAccount.objects.all()
    if after is not None:
        opened_at, account_id = after
        rows = rows.filter(Q(opened_at__lt=opened_at) | Q(opened_at=opened_at, id__lt=account_id))
    found = list(rows.order_by("-opened_at", "-id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].opened_at, page[-1].id) if len(found) > limit else None
    return [row.as_contract() for row in page], following

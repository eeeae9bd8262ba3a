"""Treasury accounts: their facts, their money, their allocations and events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from django.db.models import Q

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from treasury import contracts
from treasury.contracts import OPERATING, AllocationRecord, EventRecord
from treasury.errors import UnknownAccount
from treasury.models import Allocation, StoredEvent, TreasuryAccount
from treasury.rules import allocation as allocation_rules


def get_account(account_id: UUID) -> contracts.TreasuryAccount:
    """The treasury account; raises UnknownAccount."""
    account = TreasuryAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(account_id)
    return account.as_contract()


def list_accounts() -> list[contracts.TreasuryAccount]:
    """Every treasury account, by name."""
    return [account.as_contract() for account in TreasuryAccount.objects.order_by("name", "id")]


def page_accounts(
    *, limit: int, after: tuple[str, UUID] | None = None
) -> tuple[list[contracts.TreasuryAccount], tuple[str, UUID] | None]:
    """Treasury accounts by name, and where the next page begins (None after the last)."""
    rows = TreasuryAccount.objects.all()
    if after is not None:
        name, account_id = after
        rows = rows.filter(Q(name__gt=name) | Q(name=name, id__gt=account_id))
    found = list(rows.order_by("name", "id")[: limit + 1])
    page = found[:limit]
    following = (page[-1].name, page[-1].id) if len(found) > limit else None
    return [account.as_contract() for account in page], following


def get_overview(account_id: UUID) -> contracts.AccountOverview:
    """The treasury account with its balances, allocations and events; raises UnknownAccount."""
    account = get_account(account_id)
    return contracts.AccountOverview(
        **asdict(account),
        ledger_accounts=tuple(ledger_queries.list_accounts(owner=account.ledger_owner)),
        allocations=tuple(list_allocations(account_id)),
        events=tuple(list_events(account_id)),
    )


def get_available(account: contracts.TreasuryAccount) -> Money:
    """What the operating account can spend now: its balance less its holds."""
    operating = ledger_queries.find_account(owner=account.ledger_owner, kind=OPERATING, currency=account.currency)
    return Money.zero(account.currency) if operating is None else operating.available


def check_prerequisites(*, account_id: UUID, amount: Money) -> None:
    """Refuse what cannot be allocated now.

    Raises UnknownAccount, CurrencyMismatch, AmountNotPositive, AccountFrozen or InsufficientFunds.
    """
    account = get_account(account_id)
    allocation_rules.validate_prerequisites(account, amount, get_available(account))


def list_allocations(account_id: UUID) -> list[AllocationRecord]:
    """The account's allocations, oldest first."""
    rows = Allocation.objects.filter(account_id=account_id).order_by("allocated_at", "id")
    return [row.as_contract() for row in rows]


def list_events(account_id: UUID) -> Sequence[EventRecord]:
    """The account's event stream, oldest first, as stored."""
    rows = StoredEvent.objects.filter(stream=account_id).order_by("version")
    return [
        EventRecord(
            version=row.version, name=row.name, run_id=row.run_id, recorded_at=row.recorded_at, payload=row.payload
        )
        for row in rows
    ]

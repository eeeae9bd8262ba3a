"""Allocating money to asset classes, and undoing that."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from treasury import contracts, queries
from treasury.contracts import (
    OPERATING,
    AllocationStatus,
    AssetClass,
    ClassAmount,
    Reversal,
    ReversalOutcome,
    allocated_kind,
)
from treasury.errors import IdempotencyConflict
from treasury.events import AllocationReversed, CashAllocated
from treasury.models import Allocation, StoredEvent, TreasuryAccount, TreasuryAggregate
from treasury.operations.locking import locked_account
from treasury.rules import allocation as rules
from treasury.rules.keys import part
from workflows import clock


def allocate(
    *, key: str, account_id: UUID, strategy: str, amount: Money, run_id: UUID | None = None
) -> contracts.Allocation:
    """Move `amount` from the operating account to the asset classes of `strategy`.

    One ledger transfer, one Allocation row and one CashAllocated event, together. The same key gives the stored
    allocation, with other facts IdempotencyConflict. Raises what `queries.check_prerequisites` raises, judged again
    under the account's lock, and AllocationInvalid.
    """
    with transaction.atomic():
        account = locked_account(account_id)
        known = Allocation.objects.filter(key=key).first()
        if known is not None:
            return _stored(known, account_id, strategy, amount)
        facts = account.as_contract()
        rules.validate_prerequisites(facts, amount, queries.get_available(facts))
        parts = rules.divide(amount, rules.weights_of(strategy))
        rules.validate_allocation(parts, amount)
        warnings = rules.strategy_warnings(strategy)
        row = Allocation(
            account=account,
            key=key,
            strategy=strategy,
            currency=account.currency,
            total_minor=amount.to_minor(),
            run_id=run_id,
            allocated_at=clock.now(),
            **_minors(parts),
        )
        row.save(force_insert=True)
        ledger.transfer(
            key=part(key, "transfer"),
            legs=_legs(account, parts, amount),
            description="allocation to asset classes",
            run_id=run_id,
        )
        event = CashAllocated(
            account_id=account.id,
            allocation_id=row.id,
            strategy=strategy,
            allocations=parts,
            total_allocated=amount,
            warnings=warnings,
            run_id=run_id,
        )
        TreasuryAggregate.retrieve(account.id).record(event, key=part(key, "allocated")).persist(at=row.allocated_at)
    return contracts.Allocation(
        allocations=parts, total_allocated=amount, timestamp=row.allocated_at, warnings=warnings
    )


def reverse_allocation(
    *, key: str, undone_key: str, account_id: UUID, amount: Money, run_id: UUID | None = None
) -> Reversal:
    """Undo the allocation that was made with `undone_key`; every balance is as before it.

    Where there is none, the ledger voids the key, so that a late attempt moves nothing, and the outcome is `void`; no
    event is recorded then. Repeating it gives the same answer. Raises UnknownAccount, IdempotencyConflict when the
    allocation is another one than described, and the ledger's refusals when the money is no longer there.
    """
    with transaction.atomic():
        account = locked_account(account_id)
        row = Allocation.objects.select_for_update().filter(key=undone_key).first()
        if row is not None and (row.account_id != account_id or row.total != amount):
            raise IdempotencyConflict(undone_key)
        if row is not None and row.status == AllocationStatus.REVERSED:
            return Reversal(outcome=ReversalOutcome.REVERSED, amount=row.total)
        ledger.reverse_transfer(
            key=part(key, "transfer"),
            undone_key=part(undone_key, "transfer"),
            description="allocation to asset classes, undone",
            run_id=run_id,
        )
        if row is None:
            return Reversal(outcome=ReversalOutcome.VOID)
        row.status = AllocationStatus.REVERSED
        row.reversed_at = clock.now()
        row.save(update_fields=["status", "reversed_at"])
        event = AllocationReversed(
            account_id=account.id,
            allocation_id=row.id,
            allocations=row.parts,
            total_reversed=row.total,
            run_id=run_id,
        )
        aggregate = TreasuryAggregate.retrieve(account.id)
        aggregate.record(event, key=part(key, "reversed")).persist(at=row.reversed_at)
    return Reversal(outcome=ReversalOutcome.REVERSED, amount=row.total)


def _minors(parts: Sequence[ClassAmount]) -> dict[str, int]:
    by_class = {item.type: item.amount.to_minor() for item in parts}
    return {f"{asset_class}_minor": by_class.get(asset_class, 0) for asset_class in AssetClass}


def _legs(account: TreasuryAccount, parts: Sequence[ClassAmount], amount: Money) -> list[Leg]:
    """Out of the operating account, into each class that gets any."""
    opened = ledger_queries.list_accounts(owner=account.ledger_owner, currency=account.currency)
    ids = {item.kind: item.id for item in opened}
    into = [Leg(ids[allocated_kind(item.type)], item.amount) for item in parts if item.amount]
    return [Leg(ids[OPERATING], -amount), *into]


def _stored(row: Allocation, account_id: UUID, strategy: str, amount: Money) -> contracts.Allocation:
    """The answer that was given for this key, from the event that was recorded with it."""
    if (row.account_id, row.strategy, row.total) != (account_id, strategy, amount):
        raise IdempotencyConflict(row.key)
    event = StoredEvent.objects.get(key=part(row.key, "allocated")).event
    assert isinstance(event, CashAllocated)
    return contracts.Allocation(
        allocations=event.allocations,
        total_allocated=event.total_allocated,
        timestamp=row.allocated_at,
        warnings=event.warnings,
    )

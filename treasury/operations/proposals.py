"""Recording a portfolio proposal for allocated money."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from finaegis.shared.money import Money
from treasury import queries
from treasury.contracts import Allocation, Constraints, Optimization
from treasury.errors import IdempotencyConflict
from treasury.events import YieldOptimizationStarted
from treasury.models import StoredEvent, TreasuryAccount, TreasuryAggregate
from treasury.rules.allocation import weights_of
from treasury.rules.keys import part
from treasury.rules.optimisation import optimise
from workflows import clock


def propose_portfolio(
    *,
    key: str,
    account_id: UUID,
    strategy: str,
    allocation: Allocation,
    constraints: Constraints,
    run_id: UUID | None = None,
) -> Optimization:
    """Find the portfolio of highest yield for an allocation among today's instruments, and record the proposal.

    Records YieldOptimizationStarted; the same key gives the proposal that was recorded. Moves no money. Raises
    UnknownAccount, Infeasible, and IdempotencyConflict for a key of another account or amount.
    """
    with transaction.atomic():
        account = queries.get_account(account_id)
        # One writer to the stream at a time, as in every operation on the account.
        TreasuryAccount.objects.select_for_update().get(pk=account_id)
        known = StoredEvent.objects.filter(key=part(key, "proposed")).first()
        if known is not None:
            return _stored(known, account_id, allocation)
        now = clock.now()
        optimization = optimise(
            allocation=allocation,
            classes=weights_of(strategy),
            instruments=queries.list_instruments(now.date(), account.currency),
            constraints=constraints,
            as_of=now.date(),
        )
        event = YieldOptimizationStarted(account_id=account_id, optimization=optimization, run_id=run_id)
        TreasuryAggregate.retrieve(account_id).record(event, key=part(key, "proposed")).persist(at=now)
    return optimization


def _stored(known: StoredEvent, account_id: UUID, allocation: Allocation) -> Optimization:
    event = known.event
    if not isinstance(event, YieldOptimizationStarted) or event.account_id != account_id:
        raise IdempotencyConflict(known.key)
    optimization = event.optimization
    placed = [item.amount for item in optimization.positions] + [item.amount for item in optimization.uninvested]
    total = allocation.total_allocated
    if Money.total(placed, total.currency) != total:
        raise IdempotencyConflict(known.key)
    return optimization

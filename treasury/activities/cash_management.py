"""What cash management does, step by step."""

from __future__ import annotations

from uuid import UUID

from finaegis.shared.money import Money
from treasury import operations, queries
from treasury.contracts import Allocation, Constraints, Optimization, Reversal
from treasury.errors import UndoneKeyMissing
from workflows import activity, activity_info


@activity
def validate_prerequisites(*, account_id: UUID, amount: Money) -> None:
    """Refuse what cannot be allocated: unknown or frozen account, wrong currency, no amount, not enough available."""
    queries.check_prerequisites(account_id=account_id, amount=amount)


@activity(transactional=True)
def reverse_allocation(*, account_id: UUID, amount: Money) -> Reversal:
    """Bring an allocation's money back to the operating account; a recorded no-op where nothing was allocated.

    Runs only as an undo: it finds the allocation by the undone step's key.
    """
    info = activity_info()
    if info.undone_key is None:
        raise UndoneKeyMissing
    return operations.reverse_allocation(
        key=info.idempotency_key,
        undone_key=info.undone_key,
        account_id=account_id,
        amount=amount,
        run_id=info.run_id,
    )


@activity(transactional=True, undo=reverse_allocation, undo_when="attempted")
def allocate_cash(*, account_id: UUID, strategy: str, amount: Money) -> Allocation:
    """Move the amount from the operating account to the strategy's asset classes."""
    info = activity_info()
    return operations.allocate(
        key=info.idempotency_key, account_id=account_id, strategy=strategy, amount=amount, run_id=info.run_id
    )


@activity(transactional=True)
def optimise_yield(
    *, account_id: UUID, strategy: str, allocation: Allocation, constraints: Constraints
) -> Optimization:
    """Propose the portfolio of highest yield for the allocated money."""
    info = activity_info()
    return operations.propose_portfolio(
        key=info.idempotency_key,
        account_id=account_id,
        strategy=strategy,
        allocation=allocation,
        constraints=constraints,
        run_id=info.run_id,
    )

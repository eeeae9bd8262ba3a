"""What the treasury does, step by step: each activity takes a contract, calls one operation or query, gives one."""

from treasury.activities.cash_management import (
    allocate_cash,
    optimise_yield,
    reverse_allocation,
    validate_prerequisites,
)
from treasury.activities.compliance import (
    check_identity,
    conclude_case,
    escalate_case,
    judge_movement,
    lift_rejection,
    open_case,
    screen_counterparty,
    screen_holder,
    withdraw_case,
)
from treasury.activities.risk import (
    allow_allocations,
    assess_risk,
    check_risk_account,
    close_hedge,
    freeze_allocations,
    hedge_equities,
    plan_mitigation,
    raise_liquidity,
    rebalance_allocations,
    undo_raised_liquidity,
    undo_rebalance,
)

__all__ = [
    "allocate_cash",
    "allow_allocations",
    "assess_risk",
    "check_identity",
    "check_risk_account",
    "close_hedge",
    "conclude_case",
    "escalate_case",
    "freeze_allocations",
    "hedge_equities",
    "judge_movement",
    "lift_rejection",
    "open_case",
    "optimise_yield",
    "plan_mitigation",
    "raise_liquidity",
    "rebalance_allocations",
    "reverse_allocation",
    "screen_counterparty",
    "screen_holder",
    "undo_raised_liquidity",
    "undo_rebalance",
    "validate_prerequisites",
    "withdraw_case",
]

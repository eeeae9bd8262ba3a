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

__all__ = [
    "allocate_cash",
    "check_identity",
    "conclude_case",
    "escalate_case",
    "judge_movement",
    "lift_rejection",
    "open_case",
    "optimise_yield",
    "reverse_allocation",
    "screen_counterparty",
    "screen_holder",
    "validate_prerequisites",
    "withdraw_case",
]

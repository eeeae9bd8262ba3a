"""What the treasury does, step by step: each activity takes a contract, calls one operation or query, gives one."""

from treasury.activities.cash_management import (
    allocate_cash,
    optimise_yield,
    reverse_allocation,
    validate_prerequisites,
)

__all__ = ["allocate_cash", "optimise_yield", "reverse_allocation", "validate_prerequisites"]

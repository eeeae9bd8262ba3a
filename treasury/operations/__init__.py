"""Everything that changes the treasury. Each operation is one transaction and safe to repeat with its key."""

from treasury.operations.accounts import (
    open_treasury_account,
)
from treasury.operations.allocations import (
    allocate,
    reverse_allocation,
)
from treasury.operations.case_decisions import (
    DecidedCase,
    conclude_case,
    decide_case,
    lift_rejection,
)
from treasury.operations.compliance import (
    check_identity,
    escalate_case,
    open_case,
    screen_counterparty,
    screen_holder,
    withdraw_case,
)
from treasury.operations.freezes import (
    freeze_account,
    lift_freeze,
)
from treasury.operations.instruments import (
    load_instruments,
)
from treasury.operations.movements import (
    record_movement,
)
from treasury.operations.proposals import (
    propose_portfolio,
)
from treasury.operations.risk import (
    assess_risk,
    close_hedge,
    open_hedge,
    reverse_shift,
    shift_money,
)

__all__ = [
    "DecidedCase",
    "allocate",
    "assess_risk",
    "check_identity",
    "close_hedge",
    "conclude_case",
    "decide_case",
    "escalate_case",
    "freeze_account",
    "lift_freeze",
    "lift_rejection",
    "load_instruments",
    "open_case",
    "open_hedge",
    "open_treasury_account",
    "propose_portfolio",
    "record_movement",
    "reverse_allocation",
    "reverse_shift",
    "screen_counterparty",
    "screen_holder",
    "shift_money",
    "withdraw_case",
]

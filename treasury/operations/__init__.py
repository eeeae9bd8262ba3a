"""Everything that changes the treasury. Each operation is one transaction and safe to repeat with its key."""

from treasury.operations.accounts import open_treasury_account
from treasury.operations.allocations import allocate, reverse_allocation
from treasury.operations.freezes import freeze_account, lift_freeze
from treasury.operations.instruments import load_instruments
from treasury.operations.proposals import propose_portfolio
from treasury.operations.risk import (
    assess_risk,
    close_hedge,
    open_hedge,
    reverse_shift,
    shift_money,
)

__all__ = [
    "allocate",
    "assess_risk",
    "close_hedge",
    "freeze_account",
    "lift_freeze",
    "load_instruments",
    "open_hedge",
    "open_treasury_account",
    "propose_portfolio",
    "reverse_allocation",
    "reverse_shift",
    "shift_money",
]

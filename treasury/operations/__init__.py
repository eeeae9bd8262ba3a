"""Everything that changes the treasury. Each operation is one transaction and safe to repeat with its key."""

from treasury.operations.accounts import open_treasury_account
from treasury.operations.allocations import allocate, reverse_allocation
from treasury.operations.freezes import freeze_account, lift_freeze
from treasury.operations.instruments import load_instruments
from treasury.operations.proposals import propose_portfolio

__all__ = [
    "allocate",
    "freeze_account",
    "lift_freeze",
    "load_instruments",
    "open_treasury_account",
    "propose_portfolio",
    "reverse_allocation",
]

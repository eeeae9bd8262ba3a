"""The treasury in the console: instruments are edited here, everything else is only looked at."""

from treasury.admin.accounts import AllocationAdmin, TreasuryAccountAdmin
from treasury.admin.events import StoredEventAdmin
from treasury.admin.instruments import InstrumentAdmin

__all__ = ["AllocationAdmin", "InstrumentAdmin", "StoredEventAdmin", "TreasuryAccountAdmin"]

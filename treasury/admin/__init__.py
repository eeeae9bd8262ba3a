"""The treasury in the console: instruments are edited here, everything else is only looked at."""

from treasury.admin.accounts import AllocationAdmin, TreasuryAccountAdmin
from treasury.admin.compliance import AmlThresholdAdmin, ComplianceCaseAdmin, MovementAdmin
from treasury.admin.events import StoredEventAdmin
from treasury.admin.instruments import InstrumentAdmin

__all__ = [
    "AllocationAdmin",
    "AmlThresholdAdmin",
    "ComplianceCaseAdmin",
    "InstrumentAdmin",
    "MovementAdmin",
    "StoredEventAdmin",
    "TreasuryAccountAdmin",
]

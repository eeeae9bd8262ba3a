"""The treasury in the console: instruments are edited here, everything else is only looked at."""

from treasury.admin.accounts import AllocationAdmin, TreasuryAccountAdmin
from treasury.admin.events import StoredEventAdmin
from treasury.admin.instruments import InstrumentAdmin
from treasury.admin.risk import (
    FreezeAdmin,
    HedgePositionAdmin,
    RiskAssessmentAdmin,
)

__all__ = [
    "AllocationAdmin",
    "FreezeAdmin",
    "HedgePositionAdmin",
    "InstrumentAdmin",
    "RiskAssessmentAdmin",
    "StoredEventAdmin",
    "TreasuryAccountAdmin",
]

"""The treasury in the console: instruments are edited here, everything else is only looked at."""

from treasury.admin.accounts import (
    AllocationAdmin,
    TreasuryAccountAdmin,
)
from treasury.admin.compliance import (
    AmlThresholdAdmin,
    ComplianceCaseAdmin,
    MovementAdmin,
)
from treasury.admin.events import (
    StoredEventAdmin,
)
from treasury.admin.instruments import (
    InstrumentAdmin,
)
from treasury.admin.risk import (
    FreezeAdmin,
    HedgePositionAdmin,
    RiskAssessmentAdmin,
)

__all__ = [
    "AllocationAdmin",
    "AmlThresholdAdmin",
    "ComplianceCaseAdmin",
    "FreezeAdmin",
    "HedgePositionAdmin",
    "InstrumentAdmin",
    "MovementAdmin",
    "RiskAssessmentAdmin",
    "StoredEventAdmin",
    "TreasuryAccountAdmin",
]

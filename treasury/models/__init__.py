"""The treasury's rows: accounts, allocations, instruments and event streams."""

from treasury.models.account import (
    TreasuryAccount,
)
from treasury.models.aggregate import (
    TreasuryAggregate,
)
from treasury.models.allocation import (
    Allocation,
)
from treasury.models.compliance import (
    AccountHolder,
    AmlThreshold,
    CaseFinding,
    ComplianceCase,
    Movement,
)
from treasury.models.freeze import (
    Freeze,
)
from treasury.models.instrument import (
    Instrument,
)
from treasury.models.risk import (
    HedgePosition,
    RiskAssessment,
)
from treasury.models.stored_event import (
    StoredEvent,
)

__all__ = [
    "AccountHolder",
    "Allocation",
    "AmlThreshold",
    "CaseFinding",
    "ComplianceCase",
    "Freeze",
    "HedgePosition",
    "Instrument",
    "Movement",
    "RiskAssessment",
    "StoredEvent",
    "TreasuryAccount",
    "TreasuryAggregate",
]

"""Sagas of the treasury: workflows that business events start and reach. Importing this registers them."""

from treasury.sagas.compliance import (
    ComplianceSaga,
)
from treasury.sagas.risk import (
    RiskManagementSagaWorkflow,
)

__all__ = [
    "ComplianceSaga",
    "RiskManagementSagaWorkflow",
]

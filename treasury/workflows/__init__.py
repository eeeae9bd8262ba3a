"""The treasury's workflows: in which order things happen to its accounts."""

from treasury.workflows.cash_management import (
    CashManagementWorkflow,
)
from treasury.workflows.risk import (
    RiskAssessmentWorkflow,
    RiskMitigationWorkflow,
)

__all__ = [
    "CashManagementWorkflow",
    "RiskAssessmentWorkflow",
    "RiskMitigationWorkflow",
]

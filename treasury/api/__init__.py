"""The treasury over REST: accounts opened and looked into, cash put to work, risk assessed, instruments listed."""

from treasury.api.accounts import (
    ACCOUNT_STATUSES,
    ALLOCATION_STATUSES,
    OneTreasuryAccount,
    TreasuryAccounts,
)
from treasury.api.cash_management import (
    CashManagement,
)
from treasury.api.compliance import (
    CASE_STATUSES,
    CASE_TRIGGERS,
    FINDING_KINDS,
    ComplianceCaseDecision,
    ComplianceCases,
    OneComplianceCase,
)
from treasury.api.instruments import (
    ASSET_CLASSES,
    Instruments,
)
from treasury.api.movements import (
    DIRECTIONS,
    Movements,
)
from treasury.api.risk import (
    HEDGE_STATUSES,
    RISK_CAUSES,
    RISK_REASONS,
    SAGA_STATUSES,
    AccountRisk,
    RiskAssessments,
)

__all__ = [
    "ACCOUNT_STATUSES",
    "ALLOCATION_STATUSES",
    "ASSET_CLASSES",
    "CASE_STATUSES",
    "CASE_TRIGGERS",
    "DIRECTIONS",
    "FINDING_KINDS",
    "HEDGE_STATUSES",
    "RISK_CAUSES",
    "RISK_REASONS",
    "SAGA_STATUSES",
    "AccountRisk",
    "CashManagement",
    "ComplianceCaseDecision",
    "ComplianceCases",
    "Instruments",
    "Movements",
    "OneComplianceCase",
    "OneTreasuryAccount",
    "RiskAssessments",
    "TreasuryAccounts",
]

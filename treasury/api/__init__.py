"""The treasury over REST: accounts opened and looked into, cash put to work, risk assessed, instruments listed."""

from treasury.api.accounts import ACCOUNT_STATUSES, ALLOCATION_STATUSES, OneTreasuryAccount, TreasuryAccounts
from treasury.api.cash_management import CashManagement
from treasury.api.instruments import ASSET_CLASSES, Instruments
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
    "HEDGE_STATUSES",
    "RISK_CAUSES",
    "RISK_REASONS",
    "SAGA_STATUSES",
    "AccountRisk",
    "CashManagement",
    "Instruments",
    "OneTreasuryAccount",
    "RiskAssessments",
    "TreasuryAccounts",
]

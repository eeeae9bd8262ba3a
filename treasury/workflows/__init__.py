"""The treasury's workflows: in which order things happen to its accounts."""

from treasury.workflows.cash_management import CashManagementWorkflow

__all__ = ["CashManagementWorkflow"]

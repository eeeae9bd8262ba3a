"""Lending in the console: everything is looked at; reviews, offers and cases are acted on by dialogs."""

from lending.admin.applications import ApplicationAdmin, LetterAdmin, ReviewAdmin
from lending.admin.loans import DisbursementAdmin, LoanAdmin, ReceivableCaseAdmin

__all__ = [
    "ApplicationAdmin",
    "DisbursementAdmin",
    "LetterAdmin",
    "LoanAdmin",
    "ReceivableCaseAdmin",
    "ReviewAdmin",
]

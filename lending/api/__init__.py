"""Lending over REST: applications handed in, decided and accepted; loans looked into and paid out."""

from lending.api.applications import ApplicationDecision, Applications, OfferAcceptance, OneApplication
from lending.api.loans import LoanDisbursement, Loans, OneLoan

__all__ = [
    "ApplicationDecision",
    "Applications",
    "LoanDisbursement",
    "Loans",
    "OfferAcceptance",
    "OneApplication",
    "OneLoan",
]

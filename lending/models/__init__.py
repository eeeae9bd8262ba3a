"""Lending's rows: applicants and applications, findings and decisions, offers and loans, payouts and letters."""

from lending.models.application import Applicant, Application, Assessment, Check, Decision, Review
from lending.models.disbursement import Disbursement, ReceivableCase, ScheduleEntry
from lending.models.letter import Letter
from lending.models.loan import Loan, Offer

__all__ = [
    "Applicant",
    "Application",
    "Assessment",
    "Check",
    "Decision",
    "Disbursement",
    "Letter",
    "Loan",
    "Offer",
    "ReceivableCase",
    "Review",
    "ScheduleEntry",
]

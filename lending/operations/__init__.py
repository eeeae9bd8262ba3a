"""Everything that changes lending. Each operation is one transaction, unless it calls a third party; all may repeat.

Locks are taken in one order: the applicant, the application, the loan, the disbursement, then the ledger's.
"""

from lending.operations.applications import register_application, submit_application, withdraw_application
from lending.operations.assessing import assess_application, request_review
from lending.operations.checks import pull_credit, screen_fraud, verify_documents
from lending.operations.disbursing import (
    complete_disbursement,
    create_disbursement,
    fund_lending,
    release_reservation,
    reserve_funds,
    void_disbursement,
)
from lending.operations.letters import send_letter
from lending.operations.offers import accept_offer
from lending.operations.receivables import close_case
from lending.operations.reviews import Decided, conclude_review, decide_application
from lending.operations.transferring import reconcile_transfer, reverse_transfer, transfer_funds

__all__ = [
    "Decided",
    "accept_offer",
    "assess_application",
    "close_case",
    "complete_disbursement",
    "conclude_review",
    "create_disbursement",
    "decide_application",
    "fund_lending",
    "pull_credit",
    "reconcile_transfer",
    "register_application",
    "release_reservation",
    "request_review",
    "reserve_funds",
    "reverse_transfer",
    "screen_fraud",
    "send_letter",
    "submit_application",
    "transfer_funds",
    "verify_documents",
    "void_disbursement",
    "withdraw_application",
]

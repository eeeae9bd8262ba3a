"""A disbursement in the ledger: from its hold into transit, from there to the borrower, and the keys of these.

Every key hangs on the disbursement, which is paid at most once: whoever books it, the transfer, an inquiry that found
it happened, or its completion, books the same entries.
"""

from __future__ import annotations

from uuid import UUID

from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from ledger.errors import UnknownTransfer
from lending.contracts import CURRENT, IN_TRANSIT
from lending.models import Disbursement
from lending.operations.rows import borrower_account, lending_account
from lending.rules.keys import capture_key, credit_key


def take_into_transit(row: Disbursement, *, run_id: UUID | None) -> None:
    """The reserved money is on its way. Raises the ledger's KeyVoided if that was undone before."""
    ledger.capture_hold(
        key=capture_key(row.id),
        hold_key=row.hold_key,
        amount=row.amount,
        to_account_id=lending_account(IN_TRANSIT, row.currency).id,
        run_id=run_id,
    )


def credit_borrower(row: Disbursement, *, run_id: UUID | None) -> None:
    """Money in transit has reached the borrower. Raises the ledger's KeyVoided if that was undone before."""
    ledger.transfer(
        key=credit_key(row.id),
        legs=[
            Leg(lending_account(IN_TRANSIT, row.currency).id, -row.amount),
            Leg(borrower_account(row.loan, CURRENT).id, row.amount),
        ],
        description=f"loan {row.loan_id} paid out",
        run_id=run_id,
    )


def is_in_transit_or_beyond(transaction_id: UUID) -> bool:
    """Whether the reserved money was ever taken into transit."""
    try:
        ledger_queries.get_transfer(key=capture_key(transaction_id))
    except UnknownTransfer:
        return False
    return True

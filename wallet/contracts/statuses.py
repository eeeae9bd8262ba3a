"""Words of the wallet: statuses, kinds and reasons, and the times and ledger kinds it goes by."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

#: Ledger kinds of a wallet account: the customer's money, and what left it but has not arrived.
WALLET = "wallet"
IN_TRANSIT = "in_transit"
LEDGER_KINDS = (WALLET, IN_TRANSIT)
#: Owner and kind of the ledger account that stands for the world outside; it may go negative.
EXTERNAL = "external"
#: Owner and kind of the ledger account for returned money that may not go back to the customer.
SUSPENSE_OWNER, SUSPENSE = "wallet", "suspense"

#: How long a customer may take to confirm, from the instant the wait began.
CONFIRMATION_TIME = timedelta(minutes=30)
#: From processing to settlement where the rail has no calendar: elapsed hours. With one: open days.
SETTLEMENT_TIME = timedelta(hours=72)
SETTLEMENT_DAYS = 3


class AccountStatus(StrEnum):
    """A frozen account lets no money out."""

    ACTIVE = "active"
    FROZEN = "frozen"


class DestinationStatus(StrEnum):
    """Only an allowed destination receives money; a blocked one waits for its case, a removed one is gone for good."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    REMOVED = "removed"


class WithdrawalStatus(StrEnum):
    """Where a withdrawal stands, in the order it moves; the last five are its ends."""

    REQUESTED = "requested"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    IN_TRANSIT = "in_transit"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    RETURNED = "returned"
    RETURN_CREDITED = "return_credited"


#: Nothing is decided about these any more; a completed one can still be returned.
CLOSED_STATUSES = frozenset(
    {
        WithdrawalStatus.COMPLETED,
        WithdrawalStatus.CANCELLED,
        WithdrawalStatus.REJECTED,
        WithdrawalStatus.RETURNED,
        WithdrawalStatus.RETURN_CREDITED,
    }
)
#: The customer may still call these off.
CANCELLABLE_STATUSES = frozenset(
    {WithdrawalStatus.REQUESTED, WithdrawalStatus.AWAITING_CONFIRMATION, WithdrawalStatus.CONFIRMED}
)
#: These wait for the customer's confirmation, or will in a moment.
CONFIRMABLE_STATUSES = frozenset({WithdrawalStatus.REQUESTED, WithdrawalStatus.AWAITING_CONFIRMATION})

#: Reasons of a cancellation.
TIMEOUT, BY_CUSTOMER, BY_OPERATOR = "timeout", "customer", "operator"


class EventKind(StrEnum):
    """What may happen to a withdrawal or an account."""

    REQUESTED = "requested"
    LINK_SENT = "link_sent"
    LINK_REPLACED = "link_replaced"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    IN_TRANSIT = "in_transit"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    REJECTED = "rejected"
    RETURNED = "returned"
    CASE_RESOLVED = "case_resolved"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    DESTINATION_ADDED = "destination_added"
    DESTINATION_REMOVED = "destination_removed"


class CaseKind(StrEnum):
    """Why an officer has to look at a withdrawal."""

    SANCTIONS = "sanctions"
    RETURN = "return"


class CaseStatus(StrEnum):
    """A case is open until an officer resolves it, once."""

    OPEN = "open"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How a case ends.

    Sanctions: `cleared` allows the destination again, `confirmed` leaves it blocked. Return: `credited` gives the money
    back to the customer, `retained` keeps it aside.
    """

    CLEARED = "cleared"
    CONFIRMED = "confirmed"
    CREDITED = "credited"
    RETAINED = "retained"

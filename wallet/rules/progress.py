"""A withdrawal in its customer's words: what happened, what comes next, until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from finaegis.shared.money import Money
from wallet.contracts import (
    BY_CUSTOMER,
    CONFIRMABLE_STATUSES,
    TIMEOUT,
    Progress,
    Stage,
    StageState,
    Withdrawal,
    WithdrawalStatus,
)

_SHOWN = 4
_BACK = "The money is available in your account again."
_NOTHING_MORE = "Nothing more happens."

#: Why a withdrawal was rejected, as far as its customer is told. A match with a sanctions list is not in it: whoever is
#: on a list must not learn of it from us.
_REJECTIONS = {
    "account_frozen": "Your account was frozen before the withdrawal was processed.",
    "destination_not_allowed": "The destination is no longer on your list.",
    "limit_exceeded": "It went over one of your limits.",
    "too_many_withdrawals": "Too many withdrawals began in a short time.",
    "insufficient_funds": "Your account did not have the amount available.",
    "rail_refused": "The recipient's bank did not take the payment.",
}
_OTHER_REJECTION = "It could not be carried out. Our support can tell you more."
_CANCELLATIONS = {
    TIMEOUT: "It was not confirmed in time.",
    BY_CUSTOMER: "You cancelled it.",
}
_OTHER_CANCELLATION = "We cancelled it. Our support can tell you more."


def progress_of(withdrawal: Withdrawal, *, now: datetime) -> Progress:
    """How a withdrawal stands at an instant, told to its customer."""
    late = withdrawal.deadline is not None and now > withdrawal.deadline
    if late and withdrawal.status in CONFIRMABLE_STATUSES:
        return _late(withdrawal)
    return _TOLD[withdrawal.status](withdrawal)


def _late(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="The time to confirm is over",
        happened="This withdrawal was not confirmed in time.",
        next="It is cancelled in a moment, and its money is available in your account again.",
        until=None,
        stages=_stages(withdrawal, current=1),
    )


def _requested(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Your confirmation is needed",
        happened=f"A withdrawal was requested, and we are sending a link to {masked_email(withdrawal.customer.email)}.",
        next="Open the link in the e-mail and confirm. Nothing is paid before you do.",
        until=withdrawal.deadline,
        stages=_stages(withdrawal, current=1),
    )


def _awaiting(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Your confirmation is needed",
        happened=f"The amount is set aside, and a link was sent to {masked_email(withdrawal.customer.email)}.",
        next="Open the link in the e-mail and confirm. Without it the withdrawal is cancelled by itself.",
        until=withdrawal.deadline,
        stages=_stages(withdrawal, current=1),
    )


def _confirmed(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Confirmed",
        happened="You confirmed this withdrawal.",
        next="We check it and hand it to the bank. Until then you can still cancel it.",
        until=None,
        stages=_stages(withdrawal, current=2),
    )


def _processing(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Being processed",
        happened="You confirmed this withdrawal, and we are processing it.",
        next="We hand it to the bank. It can no longer be cancelled.",
        until=None,
        stages=_stages(withdrawal, current=2),
    )


def _in_transit(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="On its way",
        happened="The money left your account and is with the bank.",
        next="It settles when the bank has accepted it.",
        until=withdrawal.settles_at,
        stages=_stages(withdrawal, current=3),
    )


def _completed(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Completed",
        happened=f"The money was paid to {withdrawal.destination.beneficiary}.",
        next=_NOTHING_MORE,
        until=None,
        stages=_stages(withdrawal, current=4),
    )


def _cancelled(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Cancelled",
        happened=f"{_CANCELLATIONS.get(withdrawal.reason or '', _OTHER_CANCELLATION)} {_BACK}",
        next=_NOTHING_MORE,
        until=None,
        stages=_stopped(withdrawal, "Cancelled"),
    )


def _rejected(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Not carried out",
        happened=f"{_REJECTIONS.get(withdrawal.reason or '', _OTHER_REJECTION)} {_BACK}",
        next=_NOTHING_MORE,
        until=None,
        stages=_stopped(withdrawal, "Not carried out"),
    )


def _returned(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Returned",
        happened="The recipient's bank sent the money back.",
        next="We are looking into it and will write to you.",
        until=None,
        stages=_stopped(withdrawal, "Returned"),
    )


def _return_credited(withdrawal: Withdrawal) -> Progress:
    return Progress(
        headline="Returned to you",
        happened=f"The recipient's bank sent the money back. {_BACK}",
        next=_NOTHING_MORE,
        until=None,
        stages=_stopped(withdrawal, "Returned to you"),
    )


_TOLD: dict[WithdrawalStatus, Callable[[Withdrawal], Progress]] = {
    WithdrawalStatus.REQUESTED: _requested,
    WithdrawalStatus.AWAITING_CONFIRMATION: _awaiting,
    WithdrawalStatus.CONFIRMED: _confirmed,
    WithdrawalStatus.PROCESSING: _processing,
    WithdrawalStatus.IN_TRANSIT: _in_transit,
    WithdrawalStatus.COMPLETED: _completed,
    WithdrawalStatus.CANCELLED: _cancelled,
    WithdrawalStatus.REJECTED: _rejected,
    WithdrawalStatus.RETURNED: _returned,
    WithdrawalStatus.RETURN_CREDITED: _return_credited,
}


def _course(withdrawal: Withdrawal) -> list[tuple[str, datetime | None]]:
    """The stages of a withdrawal that nothing stops, each with when it was reached."""
    settled = withdrawal.closed_at if withdrawal.status == WithdrawalStatus.COMPLETED else None
    return [
        ("Request", withdrawal.requested_at),
        ("Your confirmation", withdrawal.confirmed_at),
        ("Processing", withdrawal.processed_at),
        ("Settlement", settled),
    ]


def _stages(withdrawal: Withdrawal, *, current: int) -> tuple[Stage, ...]:
    """Each stage done, current or to come; `current` counts from 0, one past the last when all are done."""
    states = [
        StageState.DONE if place < current else StageState.NOW if place == current else StageState.NEXT
        for place in range(len(_course(withdrawal)))
    ]
    return tuple(
        Stage(title=title, state=state, at=at if state == StageState.DONE else None)
        for (title, at), state in zip(_course(withdrawal), states, strict=True)
    )


def _stopped(withdrawal: Withdrawal, title: str) -> tuple[Stage, ...]:
    """The stages that were reached, and the one at which it ended."""
    reached = [Stage(title=name, state=StageState.DONE, at=at) for name, at in _course(withdrawal) if at is not None]
    return (*reached, Stage(title=title, state=StageState.STOPPED, at=withdrawal.closed_at))


def masked_email(email: str) -> str:
    """An address that its owner recognises: `a•••@example.com`."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"


def masked_address(address: str) -> str:
    """The end of an account number, enough to recognise one's own: `•••• 3000`."""
    return f"•••• {address[-_SHOWN:]}" if len(address) > _SHOWN else address


def amount_text(amount: Money) -> str:
    """An amount with its thousands grouped: `1,000.00 USD`."""
    return f"{amount.amount:,f} {amount.currency}"

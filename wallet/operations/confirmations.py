"""The wait for the customer: confirmed, cancelled, or out of time. Whoever has the withdrawal's lock first wins.

The row decides, and its decision and the signal that tells the run commit together. So the door that asked can say at
once who won, also while no worker lives, and the run finds the same answer whenever it comes to look.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from wallet import contracts, queries
from wallet.contracts import (
    BY_CUSTOMER,
    CANCELLABLE_STATUSES,
    CONFIRMABLE_STATUSES,
    TIMEOUT,
    Decision,
    EventKind,
    WithdrawalStatus,
)
from wallet.errors import (
    ConfirmationExpired,
    NotAwaitingConfirmation,
    NotCancellable,
    ResentTooOften,
    TokenUsed,
    TokenVoid,
    WrongStatus,
)
from wallet.models import ConfirmationToken, Withdrawal
from wallet.operations.rows import CUSTOMER, end, give_back, locked_withdrawal, move, record
from wallet.operations.tokens import issue_token, newest_token
from workflows import clock
from workflows import operations as engine
from workflows import queries as runs

#: How often a customer may have the link sent again.
MOST_RESENDS = 5


def open_confirmation(*, withdrawal_id: UUID, deadline: datetime) -> None:
    """The wait begins: the mail was accepted, and from now on the customer has until `deadline`.

    A withdrawal that was confirmed or cancelled already keeps that; a repeated call changes nothing. Raises
    UnknownWithdrawal.
    """
    with transaction.atomic():
        row = locked_withdrawal(withdrawal_id)
        if row.deadline is not None or row.is_closed:
            return
        row.deadline = deadline
        if row.status == WithdrawalStatus.REQUESTED:
            row.status = WithdrawalStatus.AWAITING_CONFIRMATION
        row.save(update_fields=["deadline", "status"])
        record(row, EventKind.LINK_SENT)


def confirm_withdrawal(token: str, *, actor: str = CUSTOMER) -> contracts.Withdrawal:
    """Confirm the withdrawal that the token was made for, once; arrival at the deadline still confirms.

    Raises TokenUnknown, TokenUsed, TokenVoid, ConfirmationExpired, NotAwaitingConfirmation (it was cancelled, say).
    """
    with transaction.atomic():
        found, _ = queries.find_by_token(token)
        row = locked_withdrawal(found.withdrawal_id)
        used = ConfirmationToken.objects.get(pk=found.pk)  # again, now that nobody else can use it
        _check_confirmable(row, used)
        used.used_at = row.confirmed_at = clock.now()
        used.save(update_fields=["used_at"])
        move(row, WithdrawalStatus.CONFIRMED, EventKind.CONFIRMED, actor=actor)
        engine.signal_run(row.run_id, "confirm")
        return row.as_contract()


def cancel_withdrawal(withdrawal_id: UUID, *, actor: str = CUSTOMER, detail: str = "") -> contracts.Withdrawal:
    """Call a withdrawal off before it is processed: its money is available again, at once.

    One that was cancelled before is given as it is. Raises UnknownWithdrawal, NotCancellable.
    """
    with transaction.atomic():
        row = locked_withdrawal(withdrawal_id)
        if row.status == WithdrawalStatus.CANCELLED:
            return row.as_contract()
        if row.status not in CANCELLABLE_STATUSES:
            raise NotCancellable(row.id, row.status)
        give_back(row)
        end(row, WithdrawalStatus.CANCELLED, EventKind.CANCELLED, reason=BY_CUSTOMER, actor=actor, detail=detail)
        # A run that an operator ended hears nothing any more; the customer's money is free all the same.
        if runs.get_run(row.run_id).closed_at is None:
            engine.signal_run(row.run_id, "cancel")
        return row.as_contract()


def resend_confirmation(withdrawal_id: UUID, *, actor: str = CUSTOMER, detail: str = "") -> contracts.Withdrawal:
    """Have a new link sent: the one before it is void, the deadline stays. The run sends the mail.

    Raises UnknownWithdrawal, NotAwaitingConfirmation, ConfirmationExpired, ResentTooOften.
    """
    with transaction.atomic():
        row = locked_withdrawal(withdrawal_id)
        last = newest_token(row)
        if last is None or row.status not in CONFIRMABLE_STATUSES:
            raise NotAwaitingConfirmation(row.id, row.status)
        _check_in_time(row)
        if last.serial > MOST_RESENDS:
            raise ResentTooOften(f"the link was sent again {MOST_RESENDS} times already")
        issue_token(row, serial=last.serial + 1)
        record(row, EventKind.LINK_REPLACED, actor=actor, detail=detail)
        engine.signal_run(row.run_id, "resend")
        return row.as_contract()


def close_confirmation(*, withdrawal_id: UUID, timed_out: bool) -> Decision:
    """What the wait came to. A confirmed withdrawal is in processing from here on and can no longer be cancelled.

    `timed_out`: the deadline passed; a withdrawal that still waits is cancelled for that. Else one that still waits is
    `open`. Repeating it gives the same answer. Raises UnknownWithdrawal, WrongStatus.
    """
    with transaction.atomic():
        row = locked_withdrawal(withdrawal_id)
        if row.status in (WithdrawalStatus.CONFIRMED, WithdrawalStatus.PROCESSING):
            if row.status == WithdrawalStatus.CONFIRMED:
                move(row, WithdrawalStatus.PROCESSING, EventKind.PROCESSING)
            return Decision(verdict="confirmed")
        if row.status == WithdrawalStatus.CANCELLED:
            return Decision(verdict="cancelled", reason=row.reason)
        if row.status not in CONFIRMABLE_STATUSES:
            raise WrongStatus(row.id, row.status)
        if not timed_out:
            return Decision(verdict="open")
        give_back(row)
        end(
            row, WithdrawalStatus.CANCELLED, EventKind.CANCELLED, reason=TIMEOUT, detail="Confirmation timeout"
        )  # fmt: skip
        return Decision(verdict="cancelled", reason=TIMEOUT)


def _check_confirmable(row: Withdrawal, token: ConfirmationToken) -> None:
    if token.used_at is not None:
        raise TokenUsed
    if row.status == WithdrawalStatus.CANCELLED and row.reason == TIMEOUT:
        raise ConfirmationExpired
    if row.status not in CONFIRMABLE_STATUSES:
        raise NotAwaitingConfirmation(row.id, row.status)
    if token.voided_at is not None:
        raise TokenVoid
    _check_in_time(row)


def _check_in_time(row: Withdrawal) -> None:
    if row.deadline is not None and clock.now() > row.deadline:
        raise ConfirmationExpired

"""A confirmed withdrawal: checked again, captured, handed to the rail, settled; and the way back of each.

Calls to the rail and to the screening stand outside any transaction: no lock waits for a third party, and a rollback
does not make it forget.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from ledger import operations as ledger
from ledger.contracts import Leg
from wallet import conf, queries
from wallet.contracts import (
    DEAD_STATUSES,
    EXTERNAL,
    IN_TRANSIT,
    SETTLEMENT_DAYS,
    SETTLEMENT_TIME,
    EventKind,
    Payment,
    PaymentOrder,
    PaymentStatus,
    ScreeningSubject,
    Settlement,
    WithdrawalStatus,
)
from wallet.errors import (
    InquiryRefused,
    NotAccepted,
    NotDue,
    NotRecalled,
    PaymentRefused,
    RailRefused,
    SanctionsHit,
    WrongStatus,
)
from wallet.operations.rows import end, ledger_account, locked_account, locked_withdrawal, move
from wallet.ports import chosen
from wallet.rules import limits as rules
from wallet.rules.destinations import country_of
from wallet.rules.keys import part
from workflows import calendars, clock


def screen_beneficiary(withdrawal_id: UUID) -> None:
    """Look the beneficiary up in the sanctions lists.

    Raises SanctionsHit, ScreeningUnavailable, UnknownWithdrawal.
    """
    withdrawal = queries.get_withdrawal(withdrawal_id)
    destination = withdrawal.destination
    found = chosen.sanctions_screening().screen(
        key=payment_key(withdrawal_id),
        subject=ScreeningSubject(
            name=destination.beneficiary, address=destination.address, country=country_of(destination.address)
        ),
    )
    if not found.clear:
        raise SanctionsHit(f"the beneficiary matches {', '.join(found.matches)} (list {found.list_version})")


def inquire_payment(withdrawal_id: UUID) -> Payment:
    """What the rail knows of this payment before its money moves.

    Raises PaymentRefused if it will never pay under this key, InquiryRefused, RailUnavailable, RailOutcomeUnknown.
    """
    return _inquire(withdrawal_id)


def capture_withdrawal(*, key: str, withdrawal_id: UUID, run_id: UUID | None) -> None:
    """Take the amount out of its hold into transit; account and destination are judged again under their lock.

    The same key changes nothing more. Raises WrongStatus, what `queries.recheck` raises, and the ledger's refusals.
    """
    capture_key = part(key, "capture")
    with transaction.atomic():
        account = locked_account(queries.get_withdrawal(withdrawal_id).account_id)
        row = locked_withdrawal(withdrawal_id)
        if row.capture_key == capture_key:
            return
        if row.status != WithdrawalStatus.PROCESSING or row.hold_key is None:
            raise WrongStatus(row.id, row.status)
        rules.check_account(account.as_contract())
        rules.check_destination(account.as_contract(), row.destination.as_contract(), clock.now())
        ledger.capture_hold(
            key=capture_key,
            hold_key=row.hold_key,
            amount=row.amount,
            to_account_id=ledger_account(account, IN_TRANSIT).id,
            run_id=run_id,
        )
        row.capture_key = capture_key
        move(row, WithdrawalStatus.IN_TRANSIT, EventKind.IN_TRANSIT)


def reverse_capture(*, key: str, undone_key: str, run_id: UUID | None) -> None:
    """Undo the capture made with `undone_key`: the amount is on the customer's account again.

    Where nothing was captured, the ledger voids the key. Repeating it changes nothing. Raises the ledger's
    InsufficientFunds when the money is no longer in transit.
    """
    ledger.reverse_transfer(
        key=part(key, "reversal"),
        undone_key=part(undone_key, "capture"),
        description="withdrawal taken back from transit",
        run_id=run_id,
    )


def submit_payment(withdrawal_id: UUID) -> Payment:
    """Hand the payment to the rail, once per withdrawal however often it is called.

    Raises RailRefused, PaymentRefused, RailUnavailable, RailOutcomeUnknown, UnknownWithdrawal.
    """
    withdrawal = queries.get_withdrawal(withdrawal_id)
    order = PaymentOrder(
        amount=withdrawal.amount,
        beneficiary=withdrawal.destination.beneficiary,
        address=withdrawal.destination.address,
        reference=f"Withdrawal {str(withdrawal.id)[:8]}",
    )
    return _alive(chosen.payment_rail().submit(key=payment_key(withdrawal_id), order=order))


def recall_payment(withdrawal_id: UUID) -> Payment:
    """Take the payment back from the rail, or make sure that it takes none later: after this it will never be paid.

    Raises RailRefused when it is too late, NotRecalled, RailUnavailable, RailOutcomeUnknown.
    """
    payment = chosen.payment_rail().recall(key=payment_key(withdrawal_id))
    if payment.status not in DEAD_STATUSES:
        raise NotRecalled(f"the rail says that the payment is {payment.status}")
    return payment


def record_submission(*, withdrawal_id: UUID, reference: str | None) -> Settlement:
    """The rail has the payment: note its reference, and when the withdrawal settles.

    That is after 72 elapsed hours, or, where the currency's rail has a calendar, at the opening of the third open day
    after the processing day. The date is recorded, so a holiday entered later does not move it; repeating the call
    gives the same. Raises UnknownWithdrawal, WrongStatus, UnknownCalendar.
    """
    with transaction.atomic():
        row = locked_withdrawal(withdrawal_id)
        if row.status != WithdrawalStatus.IN_TRANSIT:
            raise WrongStatus(row.id, row.status)
        if row.settles_at is None:
            now = clock.now()
            row.processed_at = now
            row.payment_reference = reference or ""
            calendar = conf.wallet().calendars.get(row.currency)
            if calendar is None:
                row.settles_at = now + SETTLEMENT_TIME
            else:
                described = calendars.next_business_day(calendar=calendar, days=SETTLEMENT_DAYS, after=now)
                row.settles_at = calendars.resolve(described, now)
            row.save(update_fields=["processed_at", "payment_reference", "settles_at"])
        return Settlement(due=row.settles_at)


def check_acceptance(withdrawal_id: UUID) -> Payment:
    """What the rail says when settlement is due.

    Raises NotAccepted while it has not accepted the payment, PaymentRefused if it refused, returned or recalled it,
    InquiryRefused, RailUnavailable, RailOutcomeUnknown.
    """
    payment = _inquire(withdrawal_id)
    if payment.status != PaymentStatus.ACCEPTED:
        raise NotAccepted(f"the rail says that the payment is {payment.status}")
    return payment


def settle_withdrawal(*, key: str, withdrawal_id: UUID, run_id: UUID | None) -> None:
    """Money in transit has arrived: it leaves the books to the world outside.

    The same key changes nothing more. Raises WrongStatus, NotDue before the settlement date, the ledger's refusals.
    """
    with transaction.atomic():
        account = locked_account(queries.get_withdrawal(withdrawal_id).account_id)
        row = locked_withdrawal(withdrawal_id)
        if row.status == WithdrawalStatus.COMPLETED:
            return
        if row.status != WithdrawalStatus.IN_TRANSIT:
            raise WrongStatus(row.id, row.status)
        if row.settles_at is None or clock.now() < row.settles_at:
            raise NotDue(f"this withdrawal settles at {row.settles_at}")
        outside = ledger.open_account(owner=EXTERNAL, kind=EXTERNAL, currency=row.currency, may_go_negative=True)
        ledger.transfer(
            key=part(key, "settlement"),
            legs=[Leg(ledger_account(account, IN_TRANSIT).id, -row.amount), Leg(outside.id, row.amount)],
            description="withdrawal settled",
            run_id=run_id,
        )
        end(row, WithdrawalStatus.COMPLETED, EventKind.COMPLETED)


def payment_key(withdrawal_id: UUID) -> str:
    """The key under which third parties know the withdrawal."""
    return f"wallet:{withdrawal_id}"


def _inquire(withdrawal_id: UUID) -> Payment:
    try:
        return _alive(chosen.payment_rail().inquire(key=payment_key(withdrawal_id)))
    except RailRefused as refusal:
        raise InquiryRefused(str(refusal)) from refusal


def _alive(payment: Payment) -> Payment:
    if payment.status in DEAD_STATUSES:
        raise PaymentRefused(f"the payment is {payment.status}" + (f": {payment.reason}" if payment.reason else ""))
    return payment

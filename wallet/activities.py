"""What a withdrawal does, step by step. Each activity calls one operation."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from finaegis.shared.money import Money
from wallet import operations, queries
from wallet.contracts import Decision, Payment, Placed, Settlement
from wallet.errors import UndoneKeyMissing
from workflows import Retry, activity, activity_info

#: A mail server that is busy or restarted is back in half an hour.
_MAIL = Retry(max_attempts=10, initial=5.0, backoff=2.0, maximum=300.0)
#: A customer who waits for another link presses the button again rather than wait for our patience.
_MAIL_AGAIN = Retry(max_attempts=3)
#: An outage of a third party; after it somebody decides.
_OUTAGE = Retry(max_attempts=8, initial=2.0, backoff=2.0, maximum=300.0)


@activity
def check_withdrawal(*, account_id: UUID, amount: Money, destination_id: UUID) -> None:
    """Refuse what could not be withdrawn now: account, amount, destination, limits."""
    queries.check_withdrawal(account_id=account_id, amount=amount, destination_id=destination_id)


@activity(transactional=True)
def release_withdrawal(*, account_id: UUID, amount: Money) -> None:
    """Release what was set aside on the account; a recorded no-op where nothing is held. Runs only as an undo."""
    info = activity_info()
    if info.undone_key is None:
        raise UndoneKeyMissing
    operations.release_withdrawal(key=info.idempotency_key, undone_key=info.undone_key, run_id=info.run_id)


@activity(transactional=True, undo=release_withdrawal, undo_when="attempted")
def validate_withdrawal(*, account_id: UUID, amount: Money, destination_id: UUID) -> Placed:
    """Judge the withdrawal and set its amount aside, under the account's lock."""
    info = activity_info()
    return operations.place_withdrawal(
        key=info.idempotency_key,
        run_id=_run_id(),
        account_id=account_id,
        amount=amount,
        destination_id=destination_id,
    )


@activity(retry=_MAIL)
def send_confirmation(*, withdrawal_id: UUID) -> bool:
    """Send the customer the link that confirms; False where nobody waits for it any more."""
    return operations.send_confirmation(withdrawal_id)


#: The same for a link that the customer asked for again.
resend_confirmation = send_confirmation.options(retry=_MAIL_AGAIN)


@activity(transactional=True)
def open_confirmation(*, withdrawal_id: UUID, deadline: datetime) -> None:
    """Note until when the customer may confirm."""
    operations.open_confirmation(withdrawal_id=withdrawal_id, deadline=deadline)


@activity(transactional=True)
def close_confirmation(*, withdrawal_id: UUID, timed_out: bool) -> Decision:
    """What the wait came to; confirmed means: in processing from here on."""
    return operations.close_confirmation(withdrawal_id=withdrawal_id, timed_out=timed_out)


@activity
def recheck_withdrawal(*, withdrawal_id: UUID) -> None:
    """Refuse to process what may no longer leave: a frozen account, a destination off the list."""
    queries.recheck(withdrawal_id)


@activity(retry=_OUTAGE)
def screen_beneficiary(*, withdrawal_id: UUID) -> None:
    """Look the beneficiary up in the sanctions lists."""
    operations.screen_beneficiary(withdrawal_id)


@activity(retry=_OUTAGE)
def inquire_payment(*, withdrawal_id: UUID) -> Payment:
    """Ask the rail what it knows of this payment before its money moves."""
    return operations.inquire_payment(withdrawal_id)


@activity(transactional=True)
def reverse_capture(*, withdrawal_id: UUID) -> None:
    """Bring captured money back from transit; a recorded no-op where nothing was captured. Runs only as an undo."""
    info = activity_info()
    if info.undone_key is None:
        raise UndoneKeyMissing
    operations.reverse_capture(key=info.idempotency_key, undone_key=info.undone_key, run_id=info.run_id)


@activity(transactional=True, undo=reverse_capture)
def capture_withdrawal(*, withdrawal_id: UUID) -> None:
    """Take the amount out of its hold into transit."""
    info = activity_info()
    operations.capture_withdrawal(key=info.idempotency_key, withdrawal_id=withdrawal_id, run_id=info.run_id)


@activity(retry=_OUTAGE)
def recall_payment(*, withdrawal_id: UUID) -> Payment:
    """Take the payment back from the rail, or make sure that it takes none later."""
    return operations.recall_payment(withdrawal_id)


# The rail takes a payment once per key, so it is safe to hand over again; a failed one is recalled all the same, since
# an attempt without an answer may have arrived.
@activity(retry=_OUTAGE, undo=recall_payment, undo_when="attempted")
def submit_payment(*, withdrawal_id: UUID) -> Payment:
    """Hand the payment to the rail."""
    return operations.submit_payment(withdrawal_id)


@activity(transactional=True)
def record_submission(*, withdrawal_id: UUID, reference: str | None) -> Settlement:
    """Note the rail's reference, and when the withdrawal settles."""
    return operations.record_submission(withdrawal_id=withdrawal_id, reference=reference)


@activity(retry=_OUTAGE)
def check_acceptance(*, withdrawal_id: UUID) -> Payment:
    """Make sure that the rail has accepted the payment."""
    return operations.check_acceptance(withdrawal_id)


@activity(transactional=True)
def settle_withdrawal(*, withdrawal_id: UUID) -> None:
    """Book the money in transit as arrived."""
    info = activity_info()
    operations.settle_withdrawal(key=info.idempotency_key, withdrawal_id=withdrawal_id, run_id=info.run_id)


@activity(transactional=True)
def refuse_withdrawal(*, reason: str, details: str) -> None:
    """Note why this run's withdrawal is not carried out; what is not captured is available again at once."""
    operations.refuse_withdrawal(run_id=_run_id(), reason=reason, details=details)


@activity
def send_notice(*, withdrawal_id: UUID) -> None:
    """Tell the customer how the withdrawal stands."""
    operations.send_notice(withdrawal_id)


def _run_id() -> UUID:
    """The run that an activity belongs to, which carries one withdrawal."""
    run_id = activity_info().run_id
    if run_id is None:
        raise RuntimeError("a withdrawal is carried by a run: start wallet.Withdrawal")
    return run_id

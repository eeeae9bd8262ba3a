"""A withdrawal in its customer's words: what happened, what comes next, until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from finaegis.shared.money import Money
from wallet.contracts import Customer, Destination, DestinationStatus, Withdrawal, WithdrawalStatus
from wallet.rules.progress import amount_text, masked_address, masked_email, progress_of

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ID = UUID(int=1)
WAITING = Withdrawal(
    id=ID,
    run_id=ID,
    account_id=ID,
    customer=Customer(id=ID, name="Ada Byron", email="ada@example.com"),
    amount=Money("100.00", "USD"),
    destination=Destination(
        id=ID,
        account_id=ID,
        label="Savings",
        beneficiary="Ada Byron",
        address="DE89370400440532013000",
        status=DestinationStatus.ALLOWED,
        usable_from=NOON,
        added_at=NOON,
    ),
    status=WithdrawalStatus.AWAITING_CONFIRMATION,
    reason=None,
    requested_at=NOON,
    deadline=NOON + timedelta(minutes=30),
    confirmed_at=None,
    processed_at=None,
    settles_at=None,
    closed_at=None,
)
CONFIRMED = replace(WAITING, status=WithdrawalStatus.CONFIRMED, confirmed_at=NOON)
SENT = replace(
    CONFIRMED, status=WithdrawalStatus.IN_TRANSIT, processed_at=NOON, settles_at=NOON + timedelta(days=3)
)  # fmt: skip


def stages(withdrawal, now=NOON):
    return [str(stage.state) for stage in progress_of(withdrawal, now=now).stages]


@pytest.mark.parametrize("status", list(WithdrawalStatus))
def test_every_status_has_its_words(status):
    told = progress_of(replace(SENT, status=status, closed_at=NOON), now=NOON)

    assert all((told.headline, told.happened, told.next, told.stages))


@pytest.mark.parametrize(
    ("withdrawal", "expected"),
    [
        (WAITING, ["done", "now", "next", "next"]),
        (CONFIRMED, ["done", "done", "now", "next"]),
        (SENT, ["done", "done", "done", "now"]),
        (replace(SENT, status=WithdrawalStatus.COMPLETED, closed_at=NOON), ["done"] * 4),
        (replace(WAITING, status=WithdrawalStatus.CANCELLED, closed_at=NOON), ["done", "stopped"]),
        (replace(SENT, status=WithdrawalStatus.REJECTED, closed_at=NOON), ["done", "done", "done", "stopped"]),
    ],
)
def test_stages_are_done_at_hand_or_to_come(withdrawal, expected):
    assert stages(withdrawal) == expected


def test_the_wait_and_the_settlement_have_their_end():
    assert progress_of(WAITING, now=NOON).until == NOON + timedelta(minutes=30)
    assert progress_of(SENT, now=NOON).until == NOON + timedelta(days=3)
    assert progress_of(CONFIRMED, now=NOON).until is None


def test_at_the_deadline_it_can_still_be_confirmed_and_after_it_not():
    deadline = WAITING.deadline

    assert progress_of(WAITING, now=deadline).headline == "Your confirmation is needed"
    assert progress_of(WAITING, now=deadline + timedelta(microseconds=1)).headline == "The time to confirm is over"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("timeout", "It was not confirmed in time."),
        ("customer", "You cancelled it."),
        ("operator", "We cancelled it."),
    ],
)
def test_a_cancellation_says_why(reason, words):
    cancelled = replace(WAITING, status=WithdrawalStatus.CANCELLED, reason=reason, closed_at=NOON)

    assert words in progress_of(cancelled, now=NOON).happened


@pytest.mark.parametrize("reason", ["sanctions_hit", "activity_failed", None])
def test_reasons_that_are_not_the_customers_business_are_not_told(reason):
    rejected = replace(SENT, status=WithdrawalStatus.REJECTED, reason=reason, closed_at=NOON)

    assert progress_of(rejected, now=NOON).happened == (
        "It could not be carried out. Our support can tell you more. The money is available in your account again."
    )


@pytest.mark.parametrize(
    ("address", "shown"), [("DE89370400440532013000", "•••• 3000"), ("12345", "•••• 2345"), ("1234", "1234")]
)
def test_an_address_is_shown_by_its_end(address, shown):
    assert masked_address(address) == shown


def test_an_email_is_shown_by_its_beginning_and_its_domain():
    assert masked_email("ada@example.com") == "a•••@example.com"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234567.50", "USD", "1,234,567.50 USD"),
        ("1000000", "JPY", "1,000,000 JPY"),
        ("0.00000001", "BTC", "0.00000001 BTC"),
    ],
)
def test_an_amount_has_its_thousands_grouped(amount, currency, text):
    assert amount_text(Money(amount, currency)) == text

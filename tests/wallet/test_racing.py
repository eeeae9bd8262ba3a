"""Customers, operators and runs that come at the same moment: one winner, and money that adds up."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from finaegis.shared.money import Money
from tests.wallet.factories import add_destination, money_of, open_account, place, token_of
from wallet import errors, operations
from wallet.models import ConfirmationToken, Event, LimitSet, Withdrawal
from workflows import clock
from workflows.models import InboxItem

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs Postgres: set DATABASE_URL"),
]

UNTOUCHED = {"available": "1000.00", "held": "0.00", "in transit": "0.00"}
SET_ASIDE = {"available": "900.00", "held": "100.00", "in transit": "0.00"}


def together(*calls):
    """What each of these calls gave or raised, all made at once."""

    def run(call):
        try:
            return call()
        except errors.WalletError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def usd(text):
    return Money(text, "USD")


def refusals(answers):
    return sorted(answer.code for answer in answers if isinstance(answer, errors.WalletError))


@pytest.fixture
def account():
    return open_account()


@pytest.fixture
def waiting(account):
    """A withdrawal that waits for its customer, carried by a run that nobody drives."""
    asked = operations.request_withdrawal(
        key="k", account_id=account.id, amount=usd("100.00"), destination_id=add_destination(account).id
    )
    operations.place_withdrawal(
        key="step", run_id=asked.run.id, account_id=account.id, amount=usd("100.00"),
        destination_id=asked.withdrawal.destination.id,
    )  # fmt: skip
    operations.open_confirmation(withdrawal_id=asked.withdrawal.id, deadline=clock.now() + timedelta(minutes=30))
    return Withdrawal.objects.get(pk=asked.withdrawal.id)


def test_a_token_that_is_sent_eight_times_confirms_once(waiting, account):
    link = token_of(waiting)

    answers = together(*[lambda: operations.confirm_withdrawal(link)] * 8)

    assert refusals(answers) == ["token_used"] * 7
    assert Event.objects.filter(kind="confirmed").count() == 1
    assert InboxItem.objects.filter(run_id=waiting.run_id).count() == 1
    assert money_of(account) == SET_ASIDE


@pytest.mark.parametrize("attempt", range(10))
def test_confirm_and_time_out_have_one_winner_and_the_customer_hears_who(waiting, account, attempt):
    link = token_of(waiting)

    confirmed, decision = together(
        lambda: operations.confirm_withdrawal(link),
        lambda: operations.close_confirmation(withdrawal_id=waiting.id, timed_out=True),
    )

    waiting.refresh_from_db()
    if isinstance(confirmed, errors.WalletError):
        assert (confirmed.code, decision.verdict, decision.reason) == ("confirmation_expired", "cancelled", "timeout")
        assert (waiting.status, money_of(account)) == ("cancelled", UNTOUCHED)
    else:
        assert decision.verdict == "confirmed"
        assert (waiting.status, money_of(account)) == ("processing", SET_ASIDE)


@pytest.mark.parametrize("attempt", range(10))
def test_confirm_cancel_and_time_out_end_in_one_of_them(waiting, account, attempt):
    link = token_of(waiting)

    together(
        lambda: operations.confirm_withdrawal(link),
        lambda: operations.cancel_withdrawal(waiting.id),
        lambda: operations.close_confirmation(withdrawal_id=waiting.id, timed_out=True),
        lambda: operations.resend_confirmation(waiting.id),
    )

    waiting.refresh_from_db()
    expected = UNTOUCHED if waiting.status == "cancelled" else SET_ASIDE
    assert waiting.status in ("cancelled", "processing")
    assert money_of(account) == expected
    assert ConfirmationToken.objects.filter(withdrawal=waiting, used_at=None, voided_at=None).count() <= 1
    assert Event.objects.filter(withdrawal=waiting, kind="cancelled").count() == (waiting.status == "cancelled")


def test_withdrawals_at_once_never_pass_a_limit_together(account):
    LimitSet.objects.filter(currency="USD").update(
        per_transaction_minor=10000, per_day_minor=25000, per_destination_minor=25000
    )
    destination = add_destination(account)

    answers = together(*[lambda: place(account, destination, "100.00", run_id=uuid4())] * 8)

    assert refusals(answers) == ["limit_exceeded"] * 6
    assert money_of(account)["held"] == "200.00"


def test_one_key_at_once_is_one_withdrawal(account):
    destination = add_destination(account)

    answers = together(
        *[
            lambda: operations.request_withdrawal(
                key="same", account_id=account.id, amount=usd("1.00"), destination_id=destination.id
            )
        ]
        * 8
    )

    assert len({answer.withdrawal.id for answer in answers}) == 1
    assert Withdrawal.objects.count() == 1
    assert sorted(answer.run.created for answer in answers) == [False] * 7 + [True]


def test_one_address_at_once_is_one_customer():
    opened = together(
        *[
            lambda number=number: operations.open_wallet_account(
                key=f"k{number}", name="Ada", email="ada@example.com", currency=("USD", "EUR")[number % 2]
            )
            for number in range(8)
        ]
    )

    made = [answer for answer in opened if not isinstance(answer, Exception)]
    assert len({answer.customer.id for answer in made}) == 1
    assert sorted(answer.currency for answer in made) == ["EUR", "USD"]
    assert refusals(opened) == ["idempotency_conflict"] * 6

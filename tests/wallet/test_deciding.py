"""Confirm, cancel and time-out: one deadline, one winner, and every door tells who it was."""

from datetime import timedelta

import pytest

from tests.wallet.factories import confirmation_mails, links, money_of, token
from tests.wallet.flows import (
    AMOUNT,
    IN_TRANSIT,
    PAID,
    SET_ASIDE,
    UNTOUCHED,
    begin,
    confirm,
    confirmed,
    kinds,
    stands,
    state,
    undone,
    withdrawal_of,
)
from wallet import activities, errors, operations
from wallet.contracts import WithdrawalResult
from workflows import operations as engine
from workflows import queries as runs
from workflows.models import Run

pytestmark = pytest.mark.django_db

HALF_AN_HOUR = timedelta(minutes=30)
INSTANT = timedelta(microseconds=1)


# --- Time-out --------------------------------------------------------------------------------------------------------


def test_without_confirmation_it_is_cancelled_after_thirty_minutes(env, account, destination):
    run = begin(env, account, destination)

    env.skip(HALF_AN_HOUR - INSTANT)
    before = stands(run)
    env.skip(INSTANT)

    assert (before, stands(run)) == (("awaiting_confirmation", None), ("cancelled", "timeout"))
    assert runs.get_run(run.id).result_json == {"status": "cancelled", "reason": "timeout"}
    assert money_of(account) == UNTOUCHED


def test_a_time_out_leaves_nothing_to_undo_and_says_why(env, account, destination):
    run = begin(env, account, destination)
    env.skip(HALF_AN_HOUR)

    tracked = [entry.data for entry in runs.get_history(run.id) if entry.kind == "Tracked"]
    assert undone(run) == ["release_withdrawal"]
    assert "timeout" in str(tracked)
    assert kinds(run) == ["requested", "link_sent", "cancelled"]


def test_the_deadline_counts_from_the_mail_that_was_accepted(env, account, destination):
    env.mock(activities.send_confirmation).raises(ConnectionError("no answer")).returns(True)
    run = begin(env, account, destination)

    env.skip(timedelta(minutes=1))
    accepted = next(step.settled_at for step in runs.list_steps(run.id) if step.name == "wallet.send_confirmation")

    assert withdrawal_of(run).deadline == accepted + HALF_AN_HOUR
    assert accepted > withdrawal_of(run).requested_at


# --- At the deadline -------------------------------------------------------------------------------------------------


def test_a_confirmation_that_arrives_at_the_deadline_confirms(env, account, destination):
    run = begin(env, account, destination)
    link = token()
    env.now = withdrawal_of(run).deadline

    operations.confirm_withdrawal(link)
    env.skip(timedelta(0))

    assert (stands(run)[0], money_of(account)) == ("in_transit", IN_TRANSIT)


def test_a_confirmation_after_the_deadline_is_refused_though_nothing_ran_since(env, account, destination):
    run = begin(env, account, destination)
    link = token()
    env.now = withdrawal_of(run).deadline + INSTANT

    with pytest.raises(errors.ConfirmationExpired):
        operations.confirm_withdrawal(link)
    env.skip(timedelta(0))

    assert (stands(run), money_of(account)) == (("cancelled", "timeout"), UNTOUCHED)


@pytest.mark.parametrize(("minutes", "outcome"), [(5, "in_transit"), (45, "cancelled")])
def test_after_an_outage_the_time_of_arrival_decides(env, account, destination, minutes, outcome):
    """No worker lived from 12:00 to 13:00: a confirmation of 12:05 still counts, one of 12:45 does not."""
    run = begin(env, account, destination)
    link, began = token(), env.now

    env.now = began + timedelta(minutes=minutes)
    try:
        operations.confirm_withdrawal(link)
    except errors.ConfirmationExpired:
        assert outcome == "cancelled"
    env.now = began + timedelta(hours=1)
    env.restart()
    env.skip(timedelta(0))

    assert stands(run)[0] == outcome


def test_after_the_time_out_the_link_confirms_nothing(env, account, destination):
    run = begin(env, account, destination)
    link = token()
    env.skip(HALF_AN_HOUR)

    with pytest.raises(errors.ConfirmationExpired):
        operations.confirm_withdrawal(link)

    assert (stands(run), money_of(account)) == (("cancelled", "timeout"), UNTOUCHED)


# --- Cancelling ------------------------------------------------------------------------------------------------------


def test_a_cancelled_withdrawal_has_its_money_back_before_its_run_hears_of_it(env, account, destination):
    run = begin(env, account, destination)

    operations.cancel_withdrawal(withdrawal_of(run).id)

    assert (stands(run), money_of(account)) == (("cancelled", "customer"), UNTOUCHED)
    assert state(run)[0] == "waiting"


def test_a_cancelled_withdrawal_ends_its_run_with_the_reason(env, account, destination):
    run = begin(env, account, destination)
    operations.cancel_withdrawal(withdrawal_of(run).id)
    env.skip(timedelta(0))

    assert runs.get_run(run.id).result == WithdrawalResult(status="cancelled", reason="customer")
    assert undone(run) == ["release_withdrawal"]


def test_it_can_be_cancelled_before_anything_ran(env, account, destination):
    run = operations.request_withdrawal(
        key="k", account_id=account.id, amount=AMOUNT, destination_id=destination.id
    ).run

    operations.cancel_withdrawal(withdrawal_of(run).id)
    env.skip(timedelta(0))

    assert runs.get_run(run.id).result == WithdrawalResult(status="cancelled", reason="customer")
    assert (confirmation_mails(), money_of(account)) == ([], UNTOUCHED)


def test_a_confirmed_one_can_be_cancelled_until_it_is_processed(env, account, destination):
    run = begin(env, account, destination)
    operations.confirm_withdrawal(token())
    assert (stands(run)[0], money_of(account)) == ("confirmed", SET_ASIDE)

    operations.cancel_withdrawal(withdrawal_of(run).id)
    env.skip(timedelta(0))

    assert (stands(run), money_of(account)) == (("cancelled", "customer"), UNTOUCHED)
    assert runs.get_run(run.id).result == WithdrawalResult(status="cancelled", reason="customer")


def test_once_it_is_processed_it_cannot_be_cancelled(env, account, destination):
    run = confirmed(env, account, destination)

    with pytest.raises(errors.NotCancellable) as refused:
        operations.cancel_withdrawal(withdrawal_of(run).id)

    assert refused.value.status == "in_transit"
    assert env.finish(run.id) == WithdrawalResult(status="completed")


def test_cancelling_twice_changes_nothing_more(env, account, destination):
    run = begin(env, account, destination)
    first = operations.cancel_withdrawal(withdrawal_of(run).id)

    assert operations.cancel_withdrawal(withdrawal_of(run).id) == first
    assert kinds(run).count("cancelled") == 1


def test_a_cancelled_one_confirms_no_more(env, account, destination):
    run = begin(env, account, destination)
    link = token()
    operations.cancel_withdrawal(withdrawal_of(run).id)

    with pytest.raises(errors.NotAwaitingConfirmation):
        operations.confirm_withdrawal(link)

    env.skip(timedelta(0))
    assert money_of(account) == UNTOUCHED


def test_money_of_a_terminated_run_is_given_back_to_its_customer(env, account, destination):
    """Somebody ended the run and left the hold; the customer's own cancel still frees it."""
    run = begin(env, account, destination)
    Run.objects.filter(pk=run.id).update(status="terminated", closed_at=env.now, wake_at=None)

    operations.cancel_withdrawal(withdrawal_of(run).id)

    assert (stands(run), money_of(account)) == (("cancelled", "customer"), UNTOUCHED)


# --- Signals that nobody meant ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["confirm", "cancel", "resend"])
def test_a_signal_alone_decides_nothing(env, account, destination, name):
    run = begin(env, account, destination)

    engine.signal_run(run.id, name)
    env.skip(timedelta(minutes=29))

    assert (stands(run)[0], money_of(account)) == ("awaiting_confirmation", SET_ASIDE)
    env.skip(timedelta(minutes=1))
    assert stands(run) == ("cancelled", "timeout")


# --- The link again --------------------------------------------------------------------------------------------------


def test_a_link_that_is_sent_again_replaces_the_one_before(env, account, destination):
    run = begin(env, account, destination)
    old, deadline = token(), withdrawal_of(run).deadline
    env.skip(timedelta(minutes=10))

    operations.resend_confirmation(withdrawal_of(run).id)
    env.skip(timedelta(0))

    assert (len(confirmation_mails()), token() == old) == (2, False)
    assert withdrawal_of(run).deadline == deadline
    with pytest.raises(errors.TokenVoid):
        operations.confirm_withdrawal(old)
    confirm(env)
    assert stands(run)[0] == "in_transit"


def test_a_new_link_brings_no_new_time(env, account, destination):
    run = begin(env, account, destination)
    env.skip(timedelta(minutes=29))
    operations.resend_confirmation(withdrawal_of(run).id)

    env.skip(timedelta(minutes=1))

    assert stands(run) == ("cancelled", "timeout")


def test_a_new_link_that_cannot_be_sent_does_not_stop_the_wait(env, account, destination):
    run = begin(env, account, destination)
    env.mock(activities.send_confirmation).raises(ConnectionError("no answer"))

    operations.resend_confirmation(withdrawal_of(run).id)
    env.skip(timedelta(minutes=1))

    tracked = [entry.data for entry in runs.get_history(run.id) if entry.kind == "Tracked"]
    assert (stands(run)[0], state(run)[0]) == ("awaiting_confirmation", "waiting")
    assert "link not sent" in str(tracked)
    env.skip(HALF_AN_HOUR)
    assert stands(run) == ("cancelled", "timeout")


def test_the_link_is_sent_again_five_times_at_most(env, account, destination):
    run = begin(env, account, destination)
    for _ in range(5):
        operations.resend_confirmation(withdrawal_of(run).id)

    with pytest.raises(errors.ResentTooOften):
        operations.resend_confirmation(withdrawal_of(run).id)

    env.skip(timedelta(0))
    confirm(env)
    assert stands(run)[0] == "in_transit"


@pytest.mark.parametrize("moment", ["confirmed", "cancelled", "late"])
def test_no_link_is_sent_when_nothing_waits_for_it(env, account, destination, moment):
    run = begin(env, account, destination)
    if moment == "confirmed":
        confirm(env)
    elif moment == "cancelled":
        operations.cancel_withdrawal(withdrawal_of(run).id)
    else:
        env.now += HALF_AN_HOUR + INSTANT

    with pytest.raises((errors.NotAwaitingConfirmation, errors.ConfirmationExpired)):
        operations.resend_confirmation(withdrawal_of(run).id)

    assert len(confirmation_mails()) == 1


def test_a_mail_that_is_tried_again_carries_the_same_token(env, account, destination):
    run = begin(env, account, destination)
    operations.send_confirmation(withdrawal_of(run).id)

    first, second = confirmation_mails()
    assert links("confirm", first) == links("confirm", second)
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_every_withdrawal_is_paid_once_whatever_is_pressed_twice(env, account, destination):
    run = begin(env, account, destination)
    link = token()
    operations.confirm_withdrawal(link)
    with pytest.raises(errors.TokenUsed):
        operations.confirm_withdrawal(link)
    env.finish(run.id)
    with pytest.raises(errors.TokenUsed):
        operations.confirm_withdrawal(link)

    assert money_of(account) == PAID

"""The withdrawal workflow, when nothing goes wrong: order, money, mails, result."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from finaegis.shared.money import Money
from tests.wallet.factories import confirmation_mails, money_of, outside
from tests.wallet.flows import (
    IN_TRANSIT,
    PAID,
    SET_ASIDE,
    begin,
    confirm,
    confirmed,
    kinds,
    stands,
    state,
    withdrawal_of,
)
from wallet.contracts import WithdrawalResult
from workflows import operations as engine
from workflows import queries as runs
from workflows.models import Calendar, Run

pytestmark = pytest.mark.django_db


def test_the_amount_is_set_aside_until_the_customer_confirms(env, account, destination):
    run = begin(env, account, destination)

    assert stands(run) == ("awaiting_confirmation", None)
    assert money_of(account) == SET_ASIDE
    assert len(confirmation_mails()) == 1


def test_the_deadline_is_thirty_minutes_after_the_mail_was_accepted(env, account, destination):
    run = begin(env, account, destination)

    assert withdrawal_of(run).deadline == env.now + timedelta(minutes=30)


def test_a_confirmed_withdrawal_is_in_transit_at_once(env, account, destination):
    run = confirmed(env, account, destination)

    assert (stands(run), state(run)) == (("in_transit", None), ("waiting", None))
    assert money_of(account) == IN_TRANSIT
    assert outside() == "-1000.00"


def test_it_settles_after_seventy_two_hours_and_not_before(env, account, destination):
    run = confirmed(env, account, destination)

    env.skip(timedelta(hours=72) - timedelta(microseconds=1))
    before = stands(run)
    env.skip(timedelta(microseconds=1))

    assert (before, stands(run)) == (("in_transit", None), ("completed", None))
    assert (money_of(account), outside()) == (PAID, "-900.00")


def test_its_result_says_completed_and_nothing_more(env, account, destination):
    run = confirmed(env, account, destination)
    result = env.finish(run.id)

    assert result == WithdrawalResult(status="completed")
    assert runs.get_run(run.id).result_json == {"status": "completed"}


def test_the_steps_come_in_order(env, account, destination):
    run = confirmed(env, account, destination)
    env.finish(run.id)

    names = [step.name.removeprefix("wallet.") for step in runs.list_steps(run.id) if step.kind == "activity"]
    assert names == [
        "validate_withdrawal", "send_confirmation", "open_confirmation", "close_confirmation", "recheck_withdrawal",
        "screen_beneficiary", "inquire_payment", "capture_withdrawal", "submit_payment", "record_submission",
        "send_notice", "check_acceptance", "settle_withdrawal", "send_notice",
    ]  # fmt: skip


def test_what_happened_is_recorded_in_order(env, account, destination):
    run = confirmed(env, account, destination)
    env.finish(run.id)

    assert kinds(run) == ["requested", "link_sent", "confirmed", "processing", "in_transit", "completed"]


def test_the_customer_gets_a_mail_at_each_turn(env, account, destination):
    run = confirmed(env, account, destination)
    env.finish(run.id)

    assert [message.subject for message in mail.outbox] == [
        "Please confirm your withdrawal of 100.00 USD",
        "Your withdrawal of 100.00 USD: on its way",
        "Your withdrawal of 100.00 USD: completed",
    ]
    assert {message.to[0] for message in mail.outbox} == {account.customer.email}


def test_every_step_survives_a_new_worker(env, account, destination):
    run = begin(env, account, destination)
    env.restart()
    confirm(env)
    env.restart()

    assert env.finish(run.id) == WithdrawalResult(status="completed")
    assert len(confirmation_mails()) == 1
    assert money_of(account) == PAID


def test_the_run_tells_its_stage(env, account, destination):
    run = begin(env, account, destination)
    stages = [engine.query_run(run.id, "status")]
    confirm(env)
    stages.append(engine.query_run(run.id, "status"))
    env.finish(run.id)
    stages.append(engine.query_run(run.id, "status"))

    assert stages == ["awaiting confirmation", "in transit", "completed"]


def test_a_run_that_is_started_from_any_door_carries_a_withdrawal(env, account, destination):
    run = env.start(
        "wallet.Withdrawal", account_id=account.id, amount={"amount": "5.00", "currency": "USD"},
        destination_id=destination.id,
    )  # fmt: skip
    env.skip(timedelta(0))

    assert withdrawal_of(run).amount.to_text() == "5.00"


def test_a_start_that_cannot_succeed_is_refused_and_nothing_is_written(env, account, destination):
    with pytest.raises(Exception) as refused:
        begin(env, account, destination, amount=Money("1000.01", "USD"))

    assert refused.value.code == "insufficient_funds"
    assert Run.objects.count() == 0


# --- Calendars -------------------------------------------------------------------------------------------------------


def processed_at(env, account, destination, moment):
    """When a withdrawal settles that is processed at this instant, its rail having the calendar of the dollar."""
    env.now = moment
    run = confirmed(env, account, destination)
    return withdrawal_of(run).settles_at, run


@pytest.mark.parametrize(
    ("processed", "settles"),
    [
        # Monday morning: the third open day after it is Thursday; the rail opens at its own hour, in its own zone.
        (datetime(2026, 1, 5, 15, 0, tzinfo=UTC), "2026-01-08"),
        # Friday: the weekend does not count.
        (datetime(2026, 1, 9, 15, 0, tzinfo=UTC), "2026-01-14"),
        # Saturday counts as Monday.
        (datetime(2026, 1, 10, 15, 0, tzinfo=UTC), "2026-01-15"),
        # Over a holiday (Martin Luther King's day, Monday 19 January 2026).
        (datetime(2026, 1, 15, 15, 0, tzinfo=UTC), "2026-01-21"),
    ],
)
def test_with_a_calendar_it_settles_on_the_third_open_day(env, account, destination, settings, processed, settles):
    settings.WALLET = {**settings.WALLET, "CALENDARS": {"USD": "USD"}}

    due, run = processed_at(env, account, destination, processed)
    env.skip(due - env.now - timedelta(microseconds=1))
    before = stands(run)
    env.skip(timedelta(microseconds=1))

    assert due.date().isoformat() == settles
    assert (before[0], stands(run)[0]) == ("in_transit", "completed")


def test_after_the_cut_off_it_counts_as_the_next_open_day(env, account, destination, settings):
    settings.WALLET = {**settings.WALLET, "CALENDARS": {"USD": "USD"}}

    early, _ = processed_at(env, account, destination, datetime(2026, 1, 5, 15, 0, tzinfo=UTC))
    late, _ = processed_at(env, account, destination, datetime(2026, 1, 6, 4, 59, tzinfo=UTC))  # Monday, 23:59

    assert (early.date().isoformat(), late.date().isoformat()) == ("2026-01-08", "2026-01-09")


def test_a_holiday_that_is_entered_later_moves_no_settlement(env, account, destination, settings):
    settings.WALLET = {**settings.WALLET, "CALENDARS": {"USD": "USD"}}
    due, run = processed_at(env, account, destination, datetime(2026, 1, 5, 15, 0, tzinfo=UTC))

    Calendar.objects.get(code="USD").holidays.create(date=due.date(), name="late news")
    env.restart()
    env.skip(due - env.now)

    assert stands(run) == ("completed", None)


def test_a_calendar_that_is_unknown_holds_the_run_until_it_is_mended(env, account, destination, settings):
    settings.WALLET = {**settings.WALLET, "CALENDARS": {"USD": "NOWHERE"}}
    run = confirmed(env, account, destination)
    held = state(run)

    settings.WALLET = {**settings.WALLET, "CALENDARS": {}}
    engine.retry_run(run.id, reason="the setting was wrong")

    assert held == ("held", "failure")
    assert env.finish(run.id) == WithdrawalResult(status="completed")

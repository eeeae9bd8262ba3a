"""Each step of a withdrawal failing, for a while and for good; each undo; each cancel by an operator."""

from datetime import timedelta

import pytest
from django.core import mail

from finaegis.shared.money import Money
from tests.wallet.factories import (
    ANSWER_LOST,
    NEVER_ACCEPTED,
    RAIL_OUT,
    REFUSED_AT_ONCE,
    REFUSED_LATER,
    RETURNED_EARLY,
    add_destination,
    confirmation_mails,
    money_of,
    outside,
)
from tests.wallet.flows import (
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
from wallet import activities, errors, operations, queries
from wallet.contracts import DestinationStatus, WithdrawalResult
from wallet.models import Case, Destination
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db

DOWN = ConnectionError("no answer")
BEFORE = [activities.validate_withdrawal, activities.send_confirmation]
PROCESSING = [
    activities.recheck_withdrawal,
    activities.screen_beneficiary,
    activities.inquire_payment,
    activities.capture_withdrawal,
    activities.submit_payment,
    activities.record_submission,
]
SETTLING = [activities.check_acceptance, activities.settle_withdrawal]
EVERY = [*BEFORE, activities.open_confirmation, activities.close_confirmation, *PROCESSING, *SETTLING]
#: Processing steps after which the money is in transit.
CAPTURED = PROCESSING[4:]
DAYS = timedelta(days=4)


def names(steps):
    return [step.name.removeprefix("wallet.") for step in steps]


def reach(env, account, destination, step):
    """Begin a withdrawal and let it come to this step."""
    run = begin(env, account, destination)
    if step not in BEFORE:
        confirm(env)
        env.skip(timedelta(minutes=20))
    if step in SETTLING:
        env.skip(DAYS)
    return run


# --- For a while -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", EVERY, ids=names(EVERY))
def test_a_step_that_fails_once_is_tried_again_and_pays_once(env, account, destination, step):
    mock = env.mock(step).raises(DOWN)
    run = begin(env, account, destination)
    asked = False
    for moment in (timedelta(0), timedelta(0), timedelta(hours=72)):
        env.skip(moment)
        if env.calls(step) and not asked:
            asked = True
            mock.outcomes.clear()
            env.skip(timedelta(minutes=1))
        if stands(run)[0] == "awaiting_confirmation":
            confirm(env)
    assert asked

    assert env.finish(run.id) == WithdrawalResult(status="completed")
    assert (money_of(account), outside()) == (PAID, "-900.00")


def test_an_order_whose_answer_was_lost_is_not_paid_twice(env, account):
    run = confirmed(env, account, add_destination(account, ending=ANSWER_LOST))

    assert env.finish(run.id) == WithdrawalResult(status="completed")
    submitted = next(step for step in runs.list_steps(run.id) if step.name == "wallet.submit_payment")
    assert submitted.attempts == 2
    assert money_of(account) == PAID


# --- For good, before the customer has confirmed: the money is let go ------------------------------------------------


@pytest.mark.parametrize("error", [DOWN, errors.MailRefused()], ids=["outage", "refusal"])
@pytest.mark.parametrize("step", BEFORE, ids=names(BEFORE))
def test_what_cannot_be_placed_or_mailed_gives_the_money_back(env, account, destination, step, error):
    env.mock(step).raises(error)
    env.expect_compensation(activities.release_withdrawal)

    run = begin(env, account, destination)
    env.skip(timedelta(hours=2))

    assert state(run) == ("compensated", None)
    assert money_of(account) == UNTOUCHED
    assert confirmation_mails() == []


def test_of_two_that_cannot_both_be_paid_one_is_rejected(env, account, destination):
    runs_of_both = [
        operations.request_withdrawal(
            key=key, account_id=account.id, amount=Money("600.00", "USD"), destination_id=destination.id
        ).run
        for key in ("1", "2")
    ]
    env.skip(timedelta(0))

    rejected, waiting = sorted(runs_of_both, key=stands, reverse=True)
    assert (stands(waiting), stands(rejected)) == (("awaiting_confirmation", None), ("rejected", "insufficient_funds"))
    assert state(rejected) == ("compensated", None)
    assert runs.get_run(rejected.id).error["code"] == "insufficient_funds"
    assert money_of(account) == {"available": "400.00", "held": "600.00", "in transit": "0.00"}


def test_a_mail_that_nobody_takes_says_so(env, account, destination):
    env.mock(activities.send_confirmation).raises(errors.MailRefused())
    run = begin(env, account, destination)

    assert stands(run) == ("rejected", "mail_refused")
    assert kinds(run) == ["requested", "rejected"]


# --- For good, after it: an outage waits for a person ----------------------------------------------------------------


@pytest.mark.parametrize("step", [*PROCESSING, *SETTLING], ids=names([*PROCESSING, *SETTLING]))
def test_an_outage_holds_the_run_and_a_retry_pays_once(env, account, destination, step):
    mock = env.mock(step).raises(DOWN)
    run = reach(env, account, destination, step)
    held = (state(run), money_of(account))

    mock.outcomes.clear()
    engine.retry_run(run.id, reason="the other side is back")
    result = env.finish(run.id)

    money = IN_TRANSIT if step in [*CAPTURED, *SETTLING] else SET_ASIDE
    assert held == (("held", "failure"), money)
    assert result == WithdrawalResult(status="completed")
    assert (money_of(account), outside()) == (PAID, "-900.00")


def test_a_rail_that_is_out_holds_the_run_and_what_it_never_took_it_never_takes(env, account):
    run = confirmed(env, account, add_destination(account, ending=RAIL_OUT))
    env.skip(timedelta(hours=1))
    assert (state(run), money_of(account)) == (("held", "failure"), IN_TRANSIT)

    engine.compensate_run(run.id, reason="the rail will not be back today")
    env.skip(timedelta(minutes=10))

    assert money_of(account) == UNTOUCHED
    assert operations.recall_payment(withdrawal_of(run).id).status == "recalled"


# --- Refusals at processing ------------------------------------------------------------------------------------------


def test_an_account_that_was_frozen_pays_nothing(env, account, destination):
    run = begin(env, account, destination)
    operations.freeze_account(account.id, actor="officer", reason="a court order")
    confirm(env)

    assert (stands(run), state(run)[0]) == (("rejected", "account_frozen"), "compensated")
    assert money_of(account) == UNTOUCHED


def test_a_destination_that_was_removed_gets_nothing(env, account, destination):
    run = begin(env, account, destination)
    operations.remove_destination(destination.id, actor="desk")
    confirm(env)

    assert (stands(run), state(run)[0]) == (("rejected", "destination_not_allowed"), "compensated")
    assert money_of(account) == UNTOUCHED


def test_an_account_that_is_frozen_in_the_last_moment_pays_nothing(env, account, destination):
    """After the recheck, before the capture."""
    env.mock(activities.recheck_withdrawal).returns(None)
    run = begin(env, account, destination)
    operations.freeze_account(account.id, actor="officer", reason="a court order")
    confirm(env)

    assert (stands(run), money_of(account)) == (("rejected", "account_frozen"), UNTOUCHED)


def test_a_match_with_a_sanctions_list_opens_a_case_and_blocks_the_destination(env, account, destination):
    env.mock(activities.screen_beneficiary).raises(errors.SanctionsHit("the beneficiary matches X (list 7)"))
    run = confirmed(env, account, destination)

    case = Case.objects.get(withdrawal_id=withdrawal_of(run).id)
    assert (case.kind, case.status) == ("sanctions", "open")
    assert "matches X (list 7)" in case.details
    assert queries.get_destination(destination.id).status == DestinationStatus.BLOCKED
    assert (stands(run), state(run)[0]) == (("rejected", "sanctions_hit"), "compensated")
    assert money_of(account) == UNTOUCHED


def test_the_customer_is_told_nothing_of_a_list(env, account, destination):
    env.mock(activities.screen_beneficiary).raises(errors.SanctionsHit("the beneficiary matches X"))
    confirmed(env, account, destination)

    assert mail.outbox[-1].subject == "Your withdrawal of 100.00 USD: not carried out"
    for text in (mail.outbox[-1].body, mail.outbox[-1].alternatives[0].content):
        assert "sanction" not in text.lower()
        assert "list" not in text.lower()


def test_a_payment_that_the_rail_refuses_comes_back(env, account):
    run = confirmed(env, account, add_destination(account, ending=REFUSED_AT_ONCE))

    assert (stands(run), state(run)[0]) == (("rejected", "rail_refused"), "compensated")
    assert undone(run) == ["recall_payment", "reverse_capture", "release_withdrawal"]
    assert (money_of(account), outside()) == (UNTOUCHED, "-1000.00")


@pytest.mark.parametrize("ending", [REFUSED_LATER, RETURNED_EARLY])
def test_a_payment_that_fails_before_it_settles_comes_back(env, account, ending):
    run = confirmed(env, account, add_destination(account, ending=ending))
    env.skip(timedelta(hours=72))

    assert (stands(run), state(run)[0]) == (("rejected", "rail_refused"), "compensated")
    assert (money_of(account), outside()) == (UNTOUCHED, "-1000.00")


def test_captured_money_comes_back_only_after_the_rail_let_go_of_the_payment(env, account):
    """While the recall fails the customer's account shows nothing that may have been paid."""
    env.mock(activities.recall_payment).raises(DOWN)
    run = confirmed(env, account, add_destination(account, ending=REFUSED_AT_ONCE))
    env.skip(timedelta(hours=1))

    assert state(run) == ("held", "compensation_failed")
    assert money_of(account) == IN_TRANSIT


# --- Settlement ------------------------------------------------------------------------------------------------------


def test_without_the_rails_acceptance_it_is_held(env, account):
    run = confirmed(env, account, add_destination(account, ending=NEVER_ACCEPTED))
    env.skip(timedelta(hours=72))

    assert (state(run), stands(run)) == (("held", "failure"), ("in_transit", None))
    assert runs.get_run(run.id).error["code"] == "not_accepted"
    assert money_of(account) == IN_TRANSIT


def test_a_payment_that_is_accepted_late_settles_when_it_is_asked_for_again(env, account, destination):
    mock = env.mock(activities.check_acceptance).raises(errors.NotAccepted())
    run = confirmed(env, account, destination)
    env.skip(timedelta(hours=72))
    mock.outcomes.clear()

    engine.retry_run(run.id, reason="the rail says that it is accepted")
    result = env.finish(run.id)

    assert (result, money_of(account)) == (WithdrawalResult(status="completed"), PAID)


def test_a_payment_that_is_never_accepted_is_recalled_and_comes_back(env, account):
    run = confirmed(env, account, add_destination(account, ending=NEVER_ACCEPTED))
    env.skip(timedelta(hours=72))

    engine.compensate_run(run.id, reason="the rail lost it")
    env.skip(timedelta(0))

    assert (state(run)[0], stands(run)) == ("compensated", ("cancelled", "operator"))
    assert money_of(account) == UNTOUCHED


def test_a_completed_withdrawal_is_not_undone_behind_the_rails_back(env, account, destination):
    run = confirmed(env, account, destination)
    env.finish(run.id)

    engine.compensate_run(run.id, reason="a mistake")
    env.skip(timedelta(hours=1))

    assert state(run) == ("held", "compensation_failed")
    assert (stands(run), money_of(account)) == (("completed", None), PAID)


def test_an_inquiry_that_is_refused_says_nothing_about_the_payment(env, account, destination):
    env.mock(activities.check_acceptance).raises(errors.InquiryRefused("forbidden"))
    run = confirmed(env, account, destination)
    env.skip(timedelta(hours=72))

    assert (state(run), money_of(account)) == (("held", "failure"), IN_TRANSIT)


def test_a_notice_that_cannot_be_sent_stops_nothing(env, account, destination):
    env.mock(activities.send_notice).raises(DOWN)
    run = confirmed(env, account, destination)

    assert env.finish(run.id) == WithdrawalResult(status="completed")
    assert money_of(account) == PAID


def test_a_blocked_destination_takes_nothing_until_its_case_is_cleared(env, account, destination):
    mock = env.mock(activities.screen_beneficiary).raises(errors.SanctionsHit("matches X"))
    confirmed(env, account, destination)
    mock.outcomes.clear()
    with pytest.raises(Exception) as refused:
        begin(env, account, destination)
    assert refused.value.code == "destination_not_allowed"

    operations.resolve_case(Case.objects.get().id, resolution="cleared", reason="another person", actor="officer")
    run = confirmed(env, account, destination)

    assert Destination.objects.get(pk=destination.id).status == "allowed"
    assert env.finish(run.id) == WithdrawalResult(status="completed")

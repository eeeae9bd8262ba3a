"""What operators undo and cancel: the way back from each step of a withdrawal."""

from datetime import timedelta

import pytest

from finaegis.shared.money import Money
from tests.wallet.factories import money_of, token
from tests.wallet.flows import IN_TRANSIT, UNTOUCHED, begin, confirm, confirmed, stands, state, undone
from wallet import activities, errors, operations
from workflows import operations as engine

pytestmark = pytest.mark.django_db

DOWN = ConnectionError("no answer")
PROCESSING = [
    activities.recheck_withdrawal,
    activities.screen_beneficiary,
    activities.inquire_payment,
    activities.capture_withdrawal,
    activities.submit_payment,
    activities.record_submission,
]


def names(steps):
    return [step.name.removeprefix("wallet.") for step in steps]


def stopped(env, account, destination, step):
    """A confirmed withdrawal whose run an outage stopped at this step."""
    env.mock(step).raises(DOWN)
    run = confirmed(env, account, destination)
    env.skip(timedelta(minutes=20))
    return run


# --- Undone -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", PROCESSING, ids=names(PROCESSING))
def test_an_operator_undoes_what_an_outage_stopped(env, account, destination, step):
    run = stopped(env, account, destination, step)

    engine.compensate_run(run.id, reason="the customer wants it back")
    env.skip(timedelta(minutes=10))

    assert (state(run), stands(run)) == (("compensated", None), ("cancelled", "operator"))
    assert money_of(account) == UNTOUCHED


def test_undo_goes_from_the_rail_to_the_hold(env, account, destination):
    run = stopped(env, account, destination, activities.record_submission)
    engine.compensate_run(run.id, reason="the customer wants it back")
    env.skip(timedelta(minutes=10))

    assert undone(run) == ["recall_payment", "reverse_capture", "release_withdrawal"]


# --- Cancelled by an operator ----------------------------------------------------------------------------------------


def cancelled(env, run):
    engine.cancel_run(run.id, reason="the desk asked for it")
    env.skip(timedelta(minutes=10))


def test_a_cancel_before_anything_ran_leaves_no_trace_in_the_money(env, account, destination):
    requested = operations.request_withdrawal(
        key="k", account_id=account.id, amount=Money("100.00", "USD"), destination_id=destination.id
    )
    cancelled(env, requested.run)

    assert state(requested.run)[0] == "cancelled"
    assert money_of(account) == UNTOUCHED


def test_a_cancel_while_the_mail_is_tried_releases_the_hold(env, account, destination):
    env.mock(activities.send_confirmation).raises(DOWN)
    run = begin(env, account, destination)
    cancelled(env, run)

    assert (state(run)[0], stands(run)) == ("cancelled", ("cancelled", "operator"))
    assert money_of(account) == UNTOUCHED


def test_a_cancel_during_the_wait_releases_the_hold_and_voids_the_link(env, account, destination):
    run = begin(env, account, destination)
    link = token()
    cancelled(env, run)

    assert (state(run)[0], stands(run)) == ("cancelled", ("cancelled", "operator"))
    assert money_of(account) == UNTOUCHED
    with pytest.raises(errors.NotAwaitingConfirmation):
        operations.confirm_withdrawal(link)


@pytest.mark.parametrize("step", PROCESSING, ids=names(PROCESSING))
def test_a_cancel_at_a_step_of_processing_brings_the_money_back(env, account, destination, step):
    env.mock(step).raises(DOWN)
    run = begin(env, account, destination)
    confirm(env)
    cancelled(env, run)

    assert (state(run)[0], stands(run)) == ("cancelled", ("cancelled", "operator"))
    assert money_of(account) == UNTOUCHED


def test_a_cancel_in_transit_recalls_the_payment_first(env, account, destination):
    run = confirmed(env, account, destination)
    env.skip(timedelta(minutes=30))
    cancelled(env, run)

    assert undone(run) == ["recall_payment", "reverse_capture", "release_withdrawal"]
    assert (state(run)[0], stands(run)) == ("cancelled", ("cancelled", "operator"))
    assert money_of(account) == UNTOUCHED


def test_a_cancel_after_the_rail_accepted_moves_nothing(env, account, destination):
    run = confirmed(env, account, destination)
    env.skip(timedelta(hours=2))
    cancelled(env, run)
    env.skip(timedelta(hours=1))

    assert state(run) == ("held", "compensation_failed")
    assert money_of(account) == IN_TRANSIT

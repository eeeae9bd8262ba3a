"""The disbursement workflow: attempts and back-off, the order of undo, doubt, cancels; the books tell what moved."""

import logging
from datetime import timedelta

import pytest

from finaegis.shared.money import Money
from finaegis.simulators.conditions import impose, lift
from finaegis.simulators.models import Failure
from ledger import queries as ledger_queries
from lending import activities, operations, queries
from lending.contracts import DisbursementStatus, LoanStatus, Transferred
from lending.workflows import LoanDisbursementWorkflow
from tests.lending.applying import balance, fund, spend
from tests.lending.failing import attempts, failing, status, steps, undone
from workflows import NonRetryable, WorkflowFailed
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db

RAIL = "disbursement_rail"
TRANSIENT = ConnectionError("no answer")
PERMANENT = NonRetryable("it never works", code="broken")
WHOLE_PLAN = ["reverse_transfer", "void_transaction", "release_reservation"]


@pytest.fixture
def loan(funded, applicants):
    return applicants.lent()


def start(env, loan, **options):
    return env.start(LoanDisbursementWorkflow, loan.id, **options)


def ended(env, run):
    """The run after all that falls due within a day."""
    env.skip(timedelta(days=1))
    return status(run)


def now(env):
    env.skip(timedelta(0))


def money(loan):
    """What lending has, what is on the way, what the borrower has; what is held."""
    return [
        balance("lending", "funding"),
        balance("lending", "in_transit") or "0.00",
        balance(loan.ledger_owner, "current"),
        held(),
    ]


def held():
    return ledger_queries.find_account(owner="lending", kind="funding", currency="EUR").held.to_text()


UNTOUCHED = ["100000.00", "0.00", "0.00", "0.00"]
PAID = ["97904.00", "0.00", "2096.00", "0.00"]


def loan_now(loan):
    return queries.get_loan_overview(loan.id)


def test_a_loan_is_paid_out(env, loan):
    run = start(env, loan)

    result = env.finish(run.id)

    assert (result.success, result.disbursed_amount) == (True, Money("2096.00", "EUR"))
    assert money(loan) == PAID
    overview = loan_now(loan)
    assert overview.status is LoanStatus.ACTIVE
    assert len(overview.schedule) == 12
    (disbursement,) = overview.disbursements
    assert (disbursement.id, disbursement.status, disbursement.run_id) == (
        result.transaction_id,
        DisbursementStatus.COMPLETED,
        run.id,
    )


def test_the_steps_come_in_order(env, loan):
    run = start(env, loan)
    env.finish(run.id)

    names = ["reserve_funds", "create_transaction", "transfer_funds", "update_status"]
    assert steps(run) == [(name, "completed") for name in names]


def test_the_plan_is_visible_before_it_runs(env, loan):
    run = start(env, loan)
    env.finish(run.id)

    assert [item.activity.removeprefix("lending.") for item in runs.get_compensation_plan(run.id)] == WHOLE_PLAN


# --- Attempts and back-off -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "most"), [("reserve_funds", 3), ("create_disbursement", 2)])
def test_a_step_has_its_attempts_and_no_more(env, loan, monkeypatch, name, most):
    with failing(monkeypatch, name, *[TRANSIENT] * most):
        run = start(env, loan)
        ended(env, run)

    step = {"create_disbursement": "create_transaction"}.get(name, name)
    assert attempts(run, step) == [most]
    assert money(loan) == UNTOUCHED


@pytest.mark.parametrize(("failures", "seconds"), [(1, 2), (2, 6)])
def test_reserving_backs_off_two_seconds_and_then_four(env, loan, monkeypatch, failures, seconds):
    began = env.now
    with failing(monkeypatch, "reserve_funds", *[TRANSIENT] * failures):
        run = start(env, loan)
        env.finish(run.id)

    assert env.now == began + timedelta(seconds=seconds)
    assert attempts(run, "reserve_funds") == [failures + 1]
    assert money(loan) == PAID


def test_creating_backs_off_two_seconds(env, loan, monkeypatch):
    began = env.now
    with failing(monkeypatch, "create_disbursement", TRANSIENT):
        env.finish(start(env, loan).id)

    assert env.now == began + timedelta(seconds=2)


def test_a_status_that_is_not_updated_at_once_is_updated_later_and_pays_once(env, loan, monkeypatch):
    with failing(monkeypatch, "complete_disbursement", TRANSIENT, TRANSIENT):
        env.finish(start(env, loan).id)

    assert money(loan) == PAID


# --- Each step failing, and what is undone ---------------------------------------------------------------------------


def test_funds_that_are_missing_leave_nothing_to_undo(env, applicants):
    fund("1000.00")
    run = start(env, applicants.lent())

    assert ended(env, run) == "failed"
    assert runs.get_run(run.id).error["code"] in ("funds_missing", "activity_failed")
    assert undone(run) == []
    assert attempts(run, "reserve_funds") == [1]


@pytest.mark.parametrize("error", [TRANSIENT, PERMANENT])
def test_a_transaction_that_is_not_created_releases_the_funds(env, loan, monkeypatch, error):
    env.expect_compensation(activities.release_reservation)
    with failing(monkeypatch, "create_disbursement", error, error):
        run = start(env, loan)
        assert ended(env, run) == "compensated"

    assert undone(run) == ["release_reservation"]
    assert money(loan) == UNTOUCHED


def test_a_payment_that_the_rail_does_not_take_undoes_everything(env, loan):
    impose(party=RAIL, call="submit", failure=Failure.NOT_TAKEN)
    run = start(env, loan)

    assert ended(env, run) == "compensated"
    assert undone(run) == WHOLE_PLAN
    assert attempts(run, "transfer_funds") == [1]
    assert money(loan) == UNTOUCHED
    overview = loan_now(loan)
    assert (overview.status, [item.status for item in overview.disbursements]) == (
        LoanStatus.ACCEPTED,
        [DisbursementStatus.VOIDED],
    )


@pytest.mark.parametrize("error", [TRANSIENT, PERMANENT])
def test_a_status_that_cannot_be_updated_undoes_everything_in_reverse_order(env, loan, monkeypatch, error):
    with failing(monkeypatch, "complete_disbursement", error, error, error):
        run = start(env, loan)
        assert ended(env, run) == "compensated"

    assert undone(run) == WHOLE_PLAN
    assert money(loan) == UNTOUCHED


def test_after_a_payout_that_was_undone_the_loan_is_paid_out_anew(env, loan):
    impose(party=RAIL, call="submit", failure=Failure.NOT_TAKEN)
    ended(env, start(env, loan))

    assert env.finish(start(env, loan).id).success
    assert money(loan) == PAID


def test_a_failure_is_logged_with_the_loan_the_activity_and_the_error(env, loan, monkeypatch, caplog):
    with failing(monkeypatch, "create_disbursement", PERMANENT), caplog.at_level(logging.ERROR):
        ended(env, start(env, loan))

    (said,) = [record.getMessage() for record in caplog.records if "disbursement failed" in record.getMessage()]
    assert f"loan_id={loan.id}" in said
    assert "activity=lending.create_transaction" in said
    assert "it never works" in said


def test_an_undo_that_fails_holds_the_run_and_goes_on_there(env, loan):
    impose(party=RAIL, call="recall", failure=Failure.NOT_TAKEN, times=None)
    run = start(env, loan)
    env.finish(run.id)
    engine.compensate_run(run.id, reason="wrong borrower")
    assert ended(env, run) == "held: compensation_failed"
    assert money(loan) == PAID

    lift(party=RAIL)
    engine.compensate_run(run.id, reason="the rail is back")

    assert ended(env, run) == "compensated"
    assert undone(run) == WHOLE_PLAN
    assert money(loan) == UNTOUCHED


def test_a_payout_that_was_completed_is_undone_by_an_operator(env, loan):
    run = start(env, loan)
    env.finish(run.id)

    engine.compensate_run(run.id, reason="wrong borrower")

    assert ended(env, run) == "compensated"
    assert (undone(run), money(loan)) == (WHOLE_PLAN, UNTOUCHED)
    assert (loan_now(loan).status, loan_now(loan).schedule) == (LoanStatus.ACCEPTED, ())


def test_what_the_borrower_spent_meanwhile_becomes_a_receivable(env, loan):
    run = start(env, loan)
    env.finish(run.id)
    spend(loan, "2000.00")

    engine.compensate_run(run.id, reason="wrong borrower")

    assert ended(env, run) == "compensated"
    assert balance("lending", "funding") == "98000.00"
    assert balance("lending", "receivable") == "2000.00"
    (case,) = loan_now(loan).receivables
    assert (case.amount, case.recovered) == (Money("2000.00", "EUR"), Money("96.00", "EUR"))


# --- Doubt -----------------------------------------------------------------------------------------------------------


def test_a_lost_answer_that_the_rail_explains_completes_the_payout(env, loan):
    impose(party=RAIL, call="submit", failure=Failure.ANSWER_LOST)
    run = start(env, loan)

    assert env.finish(run.id).success
    assert attempts(run, "transfer_funds") == [1]
    assert money(loan) == PAID


def test_a_lost_call_that_the_rail_never_saw_undoes_everything(env, loan):
    impose(party=RAIL, call="submit", failure=Failure.CALL_LOST)
    run = start(env, loan)

    assert ended(env, run) == "compensated"
    assert (undone(run), money(loan)) == (WHOLE_PLAN, UNTOUCHED)


@pytest.fixture
def in_doubt(env, loan):
    """A run whose transfer was lost, while the rail cannot be asked."""
    impose(party=RAIL, call="submit", failure=Failure.ANSWER_LOST)
    impose(party=RAIL, call="inquire", failure=Failure.NOT_TAKEN, times=None)
    run = start(env, loan)
    assert ended(env, run) == "held: in_doubt"
    return run


def doubtful(run):
    (step,) = [step for step in runs.list_steps(run.id) if step.name == "lending.transfer_funds"]
    return step.seq


def test_while_nobody_knows_the_money_stands_in_transit(env, loan, in_doubt):
    env.skip(timedelta(days=7))

    assert status(in_doubt) == "held: in_doubt"
    assert money(loan) == ["97904.00", "2096.00", "0.00", "0.00"]


def test_a_person_who_found_out_that_it_was_paid_completes_the_payout(env, loan, in_doubt):
    result = Transferred(amount=Money("2096.00", "EUR"), rail_reference="by telephone")

    engine.resolve_step(in_doubt.id, doubtful(in_doubt), outcome="happened", result=result, reason="asked the rail")

    assert env.finish(in_doubt.id).success
    assert money(loan) == PAID


def test_a_person_who_found_out_that_it_was_not_paid_has_it_undone(env, loan, in_doubt):
    lift(party=RAIL)

    engine.resolve_step(in_doubt.id, doubtful(in_doubt), outcome="not_done", reason="asked the rail")

    assert ended(env, in_doubt) == "compensated"
    assert (undone(in_doubt), money(loan)) == (WHOLE_PLAN, UNTOUCHED)


def test_an_undo_that_cannot_ask_the_rail_either_waits_for_a_person(env, loan, in_doubt):
    """The rail had paid and gives nothing back any more, so the books need its word before they follow."""
    engine.resolve_step(in_doubt.id, doubtful(in_doubt), outcome="not_done", reason="misread the statement")

    assert ended(env, in_doubt) == "held: compensation_failed"
    assert money(loan) == ["97904.00", "2096.00", "0.00", "0.00"]


@pytest.mark.parametrize("error", [TRANSIENT, TimeoutError("too slow"), MemoryError()])
def test_an_error_nobody_knows_the_meaning_of_is_a_doubt_and_the_rail_is_asked(env, loan, monkeypatch, error):
    with failing(monkeypatch, "transfer_funds", error):
        run = start(env, loan)
        assert ended(env, run) == "compensated"

    assert attempts(run, "transfer_funds") == [1]
    assert money(loan) == UNTOUCHED


def test_a_zombie_that_wakes_after_the_plan_ran_moves_nothing(env, loan, monkeypatch):
    """Its transfer timed out before it did anything, its undo ran, then it executes."""
    with failing(monkeypatch, "transfer_funds", TimeoutError("too slow")):
        run = start(env, loan)
        ended(env, run)
    (disbursement,) = loan_now(loan).disbursements

    with pytest.raises(NonRetryable) as refused:
        operations.transfer_funds(transaction_id=disbursement.id, run_id=run.id)

    assert refused.value.code == "key_voided"
    assert money(loan) == UNTOUCHED


# --- Cancels ---------------------------------------------------------------------------------------------------------


def test_a_cancel_before_anything_happened_moves_nothing(env, loan):
    run = start(env, loan)

    engine.cancel_run(run.id, reason="entered twice")

    assert (status(run), money(loan)) == ("cancelled", UNTOUCHED)


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("reserve_funds", []),
        ("create_disbursement", ["release_reservation"]),
        ("complete_disbursement", WHOLE_PLAN),
    ],
)
def test_a_cancel_while_a_step_backs_off_undoes_what_was_done(env, loan, monkeypatch, name, plan):
    with failing(monkeypatch, name, TRANSIENT):
        run = start(env, loan)
        now(env)
        engine.cancel_run(run.id, reason="the borrower asked")
        assert ended(env, run) == "cancelled"

    assert (undone(run), money(loan)) == (plan, UNTOUCHED)


def test_a_run_in_doubt_is_not_cancelled_before_somebody_knows(env, in_doubt):
    with pytest.raises(Exception) as refused:
        engine.cancel_run(in_doubt.id, reason="never mind")

    assert refused.value.code == "not_allowed_in_state"


# --- What is refused at the start ------------------------------------------------------------------------------------


def refusal(env, loan):
    with pytest.raises(Exception) as refused:
        start(env, loan)
    return refused.value.code


def test_a_loan_that_was_paid_out_is_not_paid_out_again(env, loan):
    env.finish(start(env, loan).id)

    assert refusal(env, loan) == "disbursement_exists"


def test_a_loan_whose_offer_expired_is_not_paid_out(env, loan):
    env.now += timedelta(days=30)

    assert refusal(env, loan) == "offer_expired"


def test_of_two_runs_that_started_together_one_pays(env, loan):
    first, second = start(env, loan), start(env, loan)

    env.skip(timedelta(days=1))

    assert sorted([status(first), status(second)]) == ["completed", "failed"]
    assert money(loan) == PAID


def test_nothing_is_forgotten_when_the_worker_is_restarted(env, loan, monkeypatch):
    with failing(monkeypatch, "complete_disbursement", TRANSIENT):
        run = start(env, loan)
        now(env)
        env.restart()
        env.finish(run.id)

    assert money(loan) == PAID


def test_a_failed_payout_raises_for_whoever_waits(env, applicants):
    run = start(env, applicants.lent())

    with pytest.raises(WorkflowFailed):
        env.finish(run.id)

"""Assessment and mitigation as workflows: what they do, and that every failure leaves the books as they were."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from tests.treasury.factories import TreasuryAccountFactory, balances
from tests.treasury.instrument_table import have_instruments
from tests.treasury.risky import ALL, make_risky
from treasury import activities, operations, queries
from treasury.contracts import AccountStatus, RiskCause, RiskMeasure
from treasury.events import RiskAssessmentCompleted
from treasury.models import RiskAssessment, TreasuryAggregate
from treasury.workflows import RiskAssessmentWorkflow, RiskMitigationWorkflow
from workflows import NonRetryable, WorkflowFailed
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db

NOW = timedelta(0)
#: The measures of an aggressive account in order, each with its undo.
MEASURES = [
    (activities.freeze_allocations, activities.allow_allocations),
    (activities.rebalance_allocations, activities.undo_rebalance),
    (activities.raise_liquidity, activities.undo_raised_liquidity),
    (activities.hedge_equities, activities.close_hedge),
]
AFTER_MEASURES = [*(measure for measure, _ in MEASURES), activities.assess_risk]
AGGRESSIVE = {
    "operating": "0.00",
    "allocated_cash": "1000000.00",
    "allocated_bonds": "2000000.00",
    "allocated_equities": "7000000.00",
}


@pytest.fixture
def env(workflow_env):
    have_instruments()
    workflow_env.now = datetime(2026, 7, 15, 9, 0, tzinfo=UTC)
    return workflow_env


@pytest.fixture
def account(env):
    account = TreasuryAccountFactory(balance=str(ALL.amount))
    make_risky(account)
    return account


def failed(env, workflow, *args):
    """Run it, expect it to fail, and give the run as it ended."""
    with pytest.raises(WorkflowFailed) as failure:
        env.run(workflow, *args)
    return runs.get_run(failure.value.run_id)


def undone(run):
    """Names of the undos that completed, in order."""
    return [step.name for step in runs.list_steps(run.id) if step.kind == "compensation" and step.status == "completed"]


def untouched(account):
    return (
        balances(account) == AGGRESSIVE
        and queries.list_hedges(account.id) == []
        and queries.get_account(account.id).status is AccountStatus.ACTIVE
    )


# --- Assessment ------------------------------------------------------------------------------------------------------


def test_an_assessment_gives_the_score_and_records_it_as_made_by_its_run(env, account):
    run = env.start(RiskAssessmentWorkflow, account.id)
    found = env.finish(run.id)

    assert (found.score, found.cause, found.run_id) == (Decimal("70.38"), RiskCause.REQUEST, run.id)
    (event,) = [
        event
        for event in TreasuryAggregate.retrieve(account.id).recorded_events
        if isinstance(event, RiskAssessmentCompleted)
    ]
    assert (event.run_id, event.score) == (run.id, found.score)


def test_an_assessment_is_found_by_its_account_and_score(env, account):
    run = env.start(RiskAssessmentWorkflow, account.id)
    env.finish(run.id)

    found = runs.list_runs(attributes={"account_id": account.id, "risk_score__gt": Decimal(70)})

    assert [item.id for item in found] == [run.id]


@pytest.mark.parametrize("workflow", [RiskAssessmentWorkflow, RiskMitigationWorkflow, "treasury.RiskManagementSaga"])
def test_a_start_on_an_unknown_account_is_refused_and_nothing_is_written(env, workflow):
    with pytest.raises(Exception) as refused:
        env.start(workflow, uuid.UUID(int=7))

    assert refused.value.code == "unknown_account"
    assert runs.list_runs() == []


def test_an_assessment_that_keeps_failing_is_tried_three_times_and_records_nothing(env, account):
    env.mock(activities.assess_risk).raises(ConnectionError("no answer"))

    run = failed(env, RiskAssessmentWorkflow, account.id)

    assert run.status == "failed"
    assert len(env.calls(activities.assess_risk)) == 3
    assert RiskAssessment.objects.count() == 0


def test_an_assessment_that_is_cancelled_before_it_begins_records_nothing(env, account):
    run = env.start(RiskAssessmentWorkflow, account.id)

    engine.cancel_run(run.id, reason="not needed")
    env.skip(NOW)

    assert runs.get_run(run.id).status == "cancelled"
    assert RiskAssessment.objects.count() == 0


# --- Mitigation ------------------------------------------------------------------------------------------------------


def test_a_mitigation_takes_every_measure_that_fits_and_lowers_the_score(env, account):
    run = env.start(RiskMitigationWorkflow, account.id)
    result = env.finish(run.id)

    assert result.measures == tuple(RiskMeasure)
    assert (result.score_before, result.score_after) == (Decimal("70.38"), Decimal("33.63"))
    assert balances(account) == {
        "operating": "500000.00",
        "allocated_cash": "2000000.00",
        "allocated_bonds": "4000000.00",
        "allocated_equities": "3500000.00",
    }
    (hedge,) = queries.list_hedges(account.id)
    assert (str(hedge.notional), hedge.run_id) == ("909681.25 USD", run.id)
    assert queries.get_account(account.id).status is AccountStatus.FROZEN


def test_an_account_without_reasons_is_left_alone(env):
    account = TreasuryAccountFactory(balance="50000.00")
    operations.allocate(key="a", account_id=account.id, strategy="conservative", amount=Money(50_000, "USD"))

    result = env.run(RiskMitigationWorkflow, account.id)

    assert result.measures == ()
    assert result.score_after == result.score_before < 50


@pytest.mark.parametrize("at", range(len(AFTER_MEASURES)))
def test_whatever_fails_the_measures_before_it_are_undone_newest_first(env, account, at):
    env.mock(AFTER_MEASURES[at]).raises(NonRetryable("refused", code="refused"))

    run = failed(env, RiskMitigationWorkflow, account.id)

    assert run.status == ("failed" if at == 0 else "compensated")
    assert undone(run) == [undo.name for _, undo in reversed(MEASURES[:at])]
    assert untouched(account)


@pytest.mark.parametrize("at", range(len(AFTER_MEASURES)))
def test_a_technical_failure_is_tried_again_first(env, account, at):
    env.mock(AFTER_MEASURES[at]).raises(ConnectionError("no answer"))

    failed(env, RiskMitigationWorkflow, account.id)

    assert len(env.calls(AFTER_MEASURES[at])) == 3
    assert untouched(account)


def test_a_plan_that_cannot_be_made_changes_nothing(env, account):
    env.mock(activities.plan_mitigation).raises(NonRetryable("no", code="refused"))

    assert failed(env, RiskMitigationWorkflow, account.id).status == "failed"
    assert untouched(account)


@pytest.mark.parametrize("at", range(len(AFTER_MEASURES)))
def test_a_cancel_between_two_measures_undoes_those_that_were_taken(env, account, at):
    """The measure waits for its next try when the cancel comes: the one await at which a worker is not busy."""
    env.mock(AFTER_MEASURES[at]).raises(ConnectionError("no answer"))
    run = env.start(RiskMitigationWorkflow, account.id)
    env.skip(NOW)
    assert runs.get_run(run.id).status == "waiting"

    engine.cancel_run(run.id, reason="called off")
    env.skip(NOW)

    assert runs.get_run(run.id).status == "cancelled"
    assert undone(run) == [undo.name for _, undo in reversed(MEASURES[:at])]
    assert untouched(account)


def test_a_cancel_before_the_plan_changes_nothing(env, account):
    run = env.start(RiskMitigationWorkflow, account.id)

    engine.cancel_run(run.id, reason="called off")
    env.skip(NOW)

    assert runs.get_run(run.id).status == "cancelled"
    assert untouched(account)


@pytest.mark.parametrize(("measure", "undo"), MEASURES)
def test_an_undo_that_fails_holds_the_run_for_an_operator_and_goes_on_when_told(env, account, measure, undo):
    run = env.start(RiskMitigationWorkflow, account.id)
    env.finish(run.id)
    env.mock(undo).raises(NonRetryable("the money is gone", code="insufficient_funds"))

    engine.compensate_run(run.id, reason="taken too soon")
    env.skip(NOW)

    held = runs.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "compensation_failed")
    assert measure.name not in undone(run)


def test_a_completed_mitigation_can_be_undone_by_an_operator(env, account):
    run = env.start(RiskMitigationWorkflow, account.id)
    env.finish(run.id)

    engine.compensate_run(run.id, reason="taken too soon")
    env.skip(NOW)

    assert runs.get_run(run.id).status == "compensated"
    assert undone(run) == [undo.name for _, undo in reversed(MEASURES)]
    assert untouched(account)


def test_an_undo_leaves_the_freeze_of_somebody_else_standing(env, account):
    run = env.start(RiskMitigationWorkflow, account.id)
    env.finish(run.id)
    operations.freeze_account(key="compliance", account_id=account.id, cause="compliance")

    engine.compensate_run(run.id, reason="taken too soon")
    env.skip(NOW)

    assert queries.get_account(account.id).status is AccountStatus.FROZEN


def test_money_that_left_between_plan_and_measure_undoes_the_freeze(env, account):
    plan = queries.plan_mitigation(account.id)
    operations.reverse_allocation(key="r", undone_key="aggressive-1", account_id=account.id, amount=ALL)
    env.mock(activities.plan_mitigation).returns(plan)

    run = failed(env, RiskMitigationWorkflow, account.id)

    assert (run.status, undone(run)) == ("compensated", ["treasury.allow_allocations"])
    assert balances(account)["operating"] == "10000000.00"
    assert queries.get_account(account.id).status is AccountStatus.ACTIVE


def test_nothing_is_forgotten_when_the_worker_is_restarted(env, account):
    run = env.start(RiskMitigationWorkflow, account.id)
    env.restart()

    assert env.finish(run.id).measures == tuple(RiskMeasure)

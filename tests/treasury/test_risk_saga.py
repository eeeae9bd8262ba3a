"""The risk management saga: started by the opening of an account, watching it, acting above the limit, undone whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from tests.treasury.factories import TreasuryAccountFactory, balances
from tests.treasury.instrument_table import have_instruments
from tests.treasury.risky import HALF, make_risky, open_account
from treasury import activities, queries
from treasury.contracts import MONITORING_PERIOD, REMEMBERED_STEPS, AccountStatus, RiskCause, RiskSagaState, SagaStatus
from treasury.models import RiskAssessment
from workflows import NonRetryable
from workflows import operations as engine
from workflows import queries as runs
from workflows.models import EventDelivery
from workflows.runtime import faults

pytestmark = pytest.mark.django_db

NOW = timedelta(0)
SAGA = "treasury.RiskManagementSaga"
MITIGATION = "treasury.RiskMitigation"
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


def saga(account):
    """The present run of the account's saga."""
    return runs.list_runs(workflow=SAGA, key=f"risk:{account.id}")[0]


def state(account):
    return queries.get_risk_state(account.id)


def steps(account):
    return [(step.name, step.score) for step in state(account).steps]


def mitigated(env):
    """An account that was risky from the beginning."""
    account = open_account()
    make_risky(account)
    env.skip(NOW)
    return account


def ends(env, account, status):
    env.skip(NOW)
    return runs.get_run(saga(account).id).status == status


# --- Starting --------------------------------------------------------------------------------------------------------


def test_opening_an_account_starts_its_saga_which_assesses_it(env):
    account = open_account()
    env.skip(NOW)

    assert saga(account).status == "waiting"
    assert steps(account) == [("assessment", Decimal("35.00"))]
    (assessment,) = RiskAssessment.objects.all()
    assert (assessment.cause, assessment.run_id) == (RiskCause.OPENING, state(account).steps[0].run_id)


def test_the_state_names_the_saga_its_status_its_steps_and_its_runs(env):
    account = open_account()
    env.skip(NOW)

    found = state(account)

    assert (found.id, found.workflow_id, found.account_id) == (saga(account).id, saga(account).id, account.id)
    assert (found.status, found.created_at, found.mitigation_workflow) == (SagaStatus.MONITORING, env.now, None)


def test_an_opening_that_is_rolled_back_starts_nothing(env):
    with pytest.raises(RuntimeError), transaction.atomic():
        open_account()
        raise RuntimeError("taken back")
    env.skip(NOW)

    assert runs.list_runs() == []


def test_the_event_delivered_again_starts_no_second_saga(env):
    account = open_account()
    env.skip(NOW)
    EventDelivery.objects.update(status="pending")  # as if nobody had noted that it was made

    env.skip(NOW)

    assert len(runs.list_runs(workflow=SAGA)) == 1
    assert steps(account) == [("assessment", Decimal("35.00"))]


def test_opening_the_same_account_twice_starts_one_saga(env):
    open_account()
    open_account()
    env.skip(NOW)

    assert len(runs.list_runs(workflow=SAGA)) == 1


def test_a_death_between_taking_the_event_and_starting_the_saga_loses_nothing(env):
    faults.local[f"event.taken@{SAGA}"] = "raise"
    try:
        account = open_account()
        env.skip(NOW)
        assert runs.list_runs(workflow=SAGA) == []
    finally:
        faults.local.clear()

    env.skip(NOW)

    assert steps(account) == [("assessment", Decimal("35.00"))]


def test_an_account_that_was_not_opened_has_no_saga(env):
    account = TreasuryAccountFactory()

    assert state(account) is None
    assert queries.get_risk_overview(account.id).run_status is None


def test_a_saga_that_has_not_begun_has_no_state(env):
    account = TreasuryAccountFactory()
    env.start(SAGA, account.id, key=f"risk:{account.id}")

    assert state(account) is None
    assert queries.get_risk_overview(account.id).run_status == "pending"


def test_a_link_that_has_not_begun_tells_what_was_handed_over(env):
    account = TreasuryAccountFactory()
    handed = RiskSagaState(
        id=account.id, account_id=account.id, status=SagaStatus.MONITORING, steps=(), created_at=env.now,
        workflow_id=account.id, mitigation_workflow=None,
    )  # fmt: skip
    env.start(SAGA, account.id, state=handed, key=f"risk:{account.id}")

    assert state(account) == handed


# --- Acting and watching ---------------------------------------------------------------------------------------------


def test_a_score_above_the_limit_is_mitigated_by_a_child(env):
    account = mitigated(env)

    (child,) = runs.list_runs(parent=saga(account).id, workflow=MITIGATION)
    assert child.status == "completed"
    assert steps(account) == [("assessment", Decimal("70.38")), ("mitigation", Decimal("33.63"))]
    assert state(account).mitigation_workflow == child.id
    assert balances(account)["operating"] == "500000.00"


def test_a_mitigation_under_way_is_named_by_the_state(env):
    env.mock(activities.hedge_equities).raises(ConnectionError("no answer"))
    account = mitigated(env)

    (child,) = runs.list_runs(parent=saga(account).id, workflow=MITIGATION)
    assert (state(account).status, state(account).mitigation_workflow) == (SagaStatus.MITIGATING, child.id)


def test_an_account_below_the_limit_is_assessed_again_each_day(env):
    account = open_account()
    env.skip(NOW)
    first = saga(account).id

    env.skip(3 * MONITORING_PERIOD)

    assert steps(account) == [("assessment", Decimal("35.00"))] * 4
    assert (state(account).id, saga(account).link) == (first, 4)
    assert saga(account).id == state(account).workflow_id != first
    assert runs.list_runs(workflow=MITIGATION) == []


def test_nothing_is_assessed_before_the_day_is_over(env):
    account = open_account()

    env.skip(MONITORING_PERIOD - timedelta(seconds=1))
    assert len(steps(account)) == 1

    env.skip(timedelta(seconds=1))
    assert len(steps(account)) == 2


def test_an_officer_need_not_wait_for_the_day(env):
    account = open_account()
    env.skip(NOW)
    make_risky(account)

    engine.signal_run(saga(account).id, "assess_now")
    env.skip(NOW)

    assert [name for name, _ in steps(account)] == ["assessment", "assessment", "mitigation"]


def test_crossing_the_limit_later_starts_mitigation(env):
    account = open_account()
    make_risky(account, amount=HALF, key="a-1")
    env.skip(MONITORING_PERIOD)
    assert runs.list_runs(workflow=MITIGATION) == []

    make_risky(account, amount=HALF, key="a-2")
    env.skip(MONITORING_PERIOD)

    assert [name for name, _ in steps(account)] == ["assessment"] * 3 + ["mitigation"]
    assert queries.get_account(account.id).status is AccountStatus.FROZEN


def test_watching_goes_on_after_a_mitigation(env):
    account = mitigated(env)
    done = state(account).mitigation_workflow

    env.skip(MONITORING_PERIOD)

    assert steps(account)[2:] == [("assessment", Decimal("33.63"))]
    assert (state(account).status, state(account).mitigation_workflow) == (SagaStatus.MONITORING, done)


def test_the_state_stays_small_however_long_the_account_is_watched(env):
    account = open_account()

    env.skip((REMEMBERED_STEPS + 5) * MONITORING_PERIOD)

    assert len(state(account).steps) == REMEMBERED_STEPS


def test_a_restarted_worker_goes_on_watching(env):
    account = open_account()
    env.skip(NOW)
    env.restart()

    env.skip(MONITORING_PERIOD)

    assert len(steps(account)) == 2


# --- Failing and undoing ---------------------------------------------------------------------------------------------


def test_an_assessment_that_fails_ends_the_saga_with_nothing_to_undo(env):
    env.mock(activities.assess_risk).raises(NonRetryable("no", code="refused"))
    account = open_account()

    assert ends(env, account, "failed")
    assert saga(account).error["code"] == "refused"


def test_a_mitigation_that_fails_undoes_itself_and_ends_the_saga(env):
    env.mock(activities.hedge_equities).raises(NonRetryable("no", code="refused"))
    account = mitigated(env)

    (child,) = runs.list_runs(workflow=MITIGATION)
    assert child.status == "compensated"
    assert saga(account).status in ("failed", "compensated")
    assert balances(account) == AGGRESSIVE
    assert queries.get_account(account.id).status is AccountStatus.ACTIVE


def test_an_assessment_that_fails_on_a_later_day_is_noted_and_leaves_what_was_done_alone(env):
    account = mitigated(env)
    measured = balances(account)
    refusing = env.mock(activities.assess_risk).raises(NonRetryable("no", code="refused"))

    env.skip(MONITORING_PERIOD)

    assert steps(account)[-1] == ("assessment_failed", None)
    assert (saga(account).status, balances(account)) == ("waiting", measured)
    assert runs.get_run(runs.list_runs(workflow=MITIGATION)[0].id).status == "completed"

    refusing.outcomes.clear()
    env.skip(MONITORING_PERIOD)
    assert steps(account)[-1][0] == "assessment"


def test_a_mitigation_that_fails_days_after_another_undoes_both(env):
    account = mitigated(env)
    made = RiskAssessment.objects.filter(account_id=account.id).first().as_contract()
    env.mock(activities.assess_risk).returns(replace(made, score=Decimal("95.00")))
    env.mock(activities.plan_mitigation).raises(NonRetryable("no", code="refused"))

    env.skip(MONITORING_PERIOD)

    assert saga(account).status == "compensated"
    first = min(runs.list_runs(workflow=MITIGATION), key=lambda run: run.created_at)
    assert first.status == "compensated"
    assert balances(account) == AGGRESSIVE


def test_a_cancel_while_it_watches_undoes_the_mitigation_in_reverse(env):
    account = mitigated(env)
    (child,) = runs.list_runs(workflow=MITIGATION)

    engine.cancel_run(saga(account).id, reason="account is being closed")

    assert ends(env, account, "cancelled")
    undos = [step.name for step in runs.list_steps(child.id) if step.kind == "compensation"]
    assert undos == [
        "treasury.close_hedge", "treasury.undo_raised_liquidity", "treasury.undo_rebalance",
        "treasury.allow_allocations",
    ]  # fmt: skip
    assert balances(account) == AGGRESSIVE
    assert queries.list_hedges(account.id) == []


def test_a_cancel_while_it_watches_an_account_below_the_limit_has_nothing_to_undo(env):
    account = open_account()
    env.skip(NOW)

    engine.cancel_run(saga(account).id, reason="account is being closed")

    assert ends(env, account, "cancelled")


def test_a_cancel_during_an_assessment_reaches_it(env):
    env.mock(activities.assess_risk).raises(ConnectionError("no answer"))
    account = open_account()
    env.skip(NOW)

    engine.cancel_run(saga(account).id, reason="account is being closed")

    assert ends(env, account, "cancelled")
    assert [run.status for run in runs.list_runs(workflow="treasury.RiskAssessment")] == ["cancelled"]


def test_a_cancel_during_a_mitigation_reaches_it_and_its_measures_are_undone(env):
    env.mock(activities.hedge_equities).raises(ConnectionError("no answer"))
    account = mitigated(env)

    engine.cancel_run(saga(account).id, reason="account is being closed")

    assert ends(env, account, "cancelled")
    assert [run.status for run in runs.list_runs(workflow=MITIGATION)] == ["cancelled"]
    assert balances(account) == AGGRESSIVE
    assert queries.get_account(account.id).status is AccountStatus.ACTIVE


def test_a_cancel_before_it_has_begun_does_nothing(env):
    account = TreasuryAccountFactory()
    env.start(SAGA, account.id, key=f"risk:{account.id}")

    engine.cancel_run(saga(account).id, reason="account is being closed")

    assert ends(env, account, "cancelled")
    assert RiskAssessment.objects.count() == 0

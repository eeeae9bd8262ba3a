"""The cash management workflow: what it does, and that every failure leaves the books as they were."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from finaegis.shared.money import Money
from tests.treasury.factories import TreasuryAccountFactory, balances
from tests.treasury.instrument_table import have_instruments
from treasury import activities, operations
from treasury.contracts import AllocationStatus, Constraints
from treasury.events import AllocationReversed, CashAllocated, TreasuryAccountCreated, YieldOptimizationStarted
from treasury.models import Allocation, TreasuryAggregate
from treasury.workflows import CashManagementWorkflow
from workflows import NonRetryable, WorkflowFailed
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db

AMOUNT = Money(Decimal("100000.00"), "USD")
UNTOUCHED = {
    "operating": "1000000.00",
    "allocated_cash": "0.00",
    "allocated_bonds": "0.00",
    "allocated_equities": "0.00",
}


@pytest.fixture
def env(workflow_env):
    have_instruments()
    workflow_env.now = datetime(2026, 7, 15, 9, 0, tzinfo=UTC)
    return workflow_env


@pytest.fixture
def account(env):
    return TreasuryAccountFactory()


def manage(env, account, strategy="balanced", amount=AMOUNT, **constraints):
    return env.run(CashManagementWorkflow, account.id, amount, strategy, Constraints(**constraints))


def fail(env, account, **options):
    """Run it, expect it to fail, and give the run as it ended."""
    with pytest.raises(WorkflowFailed) as failed:
        manage(env, account, **options)
    return runs.get_run(failed.value.run_id)


def events(account):
    return TreasuryAggregate.retrieve(account.id).recorded_events


def steps(run):
    return [(step.name, step.status) for step in runs.list_steps(run.id) if step.name.startswith("treasury.")]


def kinds(run, *wanted):
    return [entry.kind for entry in runs.get_history(run.id) if entry.kind in wanted]


def test_the_amount_is_allocated_and_a_portfolio_proposed(env, account):
    result = manage(env, account)

    assert result.success is True
    assert [(part.type.value, str(part.amount)) for part in result.allocation.allocations] == [
        ("cash", "20000.00 USD"),
        ("bonds", "40000.00 USD"),
        ("equities", "40000.00 USD"),
    ]
    assert result.allocation.total_allocated == AMOUNT
    assert result.allocation.timestamp == env.now
    assert result.optimization.reached_yield == Decimal("5.760500")
    assert balances(account) == {
        "operating": "900000.00",
        "allocated_cash": "20000.00",
        "allocated_bonds": "40000.00",
        "allocated_equities": "40000.00",
    }


def test_a_successful_run_records_exactly_two_events(env, account):
    run = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced")
    env.finish(run.id)

    recorded = events(account)

    assert [type(event) for event in recorded] == [CashAllocated, YieldOptimizationStarted]
    assert {event.run_id for event in recorded} == {run.id}


def test_an_opened_account_begins_its_stream_with_its_opening(env):
    account = operations.open_treasury_account(
        name="Main", currency="USD", initial_balance=Money(1_000_000, "USD"), key="open-1"
    )

    run = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced")
    env.finish(run.id)

    # Those of the risk saga, which the opening starts, carry the ids of its own runs.
    recorded = [event for event in events(account) if event.run_id in (None, run.id)]
    assert [type(event) for event in recorded] == [
        TreasuryAccountCreated,
        CashAllocated,
        YieldOptimizationStarted,
    ]


def test_the_steps_come_in_order(env, account):
    run = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced")
    env.finish(run.id)

    assert steps(run) == [
        ("treasury.validate_prerequisites", "completed"),
        ("treasury.allocate_cash", "completed"),
        ("treasury.optimise_yield", "completed"),
    ]


@pytest.mark.parametrize(
    ("constraints", "shortfall"),
    [
        ({"target_yield": Decimal(20)}, "14.239500"),
        ({"min_yield": Decimal("5.0"), "target_yield": Decimal("6.0")}, "0.239500"),
        ({"min_yield": Decimal("5.0"), "target_yield": Decimal("5.5")}, "0.000000"),
    ],
)
def test_a_target_out_of_reach_completes_with_its_shortfall(env, account, constraints, shortfall):
    assert str(manage(env, account, **constraints).optimization.shortfall) == shortfall


def test_an_unknown_strategy_keeps_cash_and_says_so_in_the_history(env, account):
    run = env.start(CashManagementWorkflow, account.id, AMOUNT, "yolo")
    result = env.finish(run.id)

    assert balances(account)["allocated_cash"] == "100000.00"
    (warning,) = result.allocation.warnings
    tracked = [entry.data for entry in runs.get_history(run.id) if entry.kind == "Tracked"]
    assert any(warning in str(data) for data in tracked)


def test_a_minimum_that_cannot_be_met_is_compensated(env, account):
    env.expect_compensation(activities.reverse_allocation)

    run = fail(env, account, min_yield=Decimal(50))

    assert run.status == "compensated"
    assert run.error["code"] == "activity_failed" or run.error["code"] == "infeasible"
    assert "min_yield (50)" in str(run.error)
    assert balances(account) == UNTOUCHED
    assert [type(event) for event in events(account)] == [CashAllocated, AllocationReversed]
    assert {event.run_id for event in events(account)} == {run.id}
    assert Allocation.objects.get().status == AllocationStatus.REVERSED
    assert kinds(run, "CompensationCompleted", "CompensationFailed") == ["CompensationCompleted"]


def test_the_plan_shows_the_amount_it_brings_back(env, account):
    run = fail(env, account, min_yield=Decimal(50))

    (item,) = runs.get_compensation_plan(run.id)

    assert item.activity == "treasury.reverse_allocation"
    assert item.amounts == ({"amount": "100000.00", "currency": "USD"},)
    assert item.status == "completed"


def test_a_failed_allocation_shows_its_reversal_as_a_recorded_no_op(env, account):
    env.mock(activities.allocate_cash).raises(NonRetryable("the ledger is closed", code="ledger_closed"))
    env.expect_compensation(activities.reverse_allocation)

    run = fail(env, account)

    assert run.status == "compensated"
    assert balances(account) == UNTOUCHED
    assert events(account) == []
    (undo,) = [step for step in runs.list_steps(run.id) if step.kind == "compensation"]
    assert undo.result == {"outcome": "void", "amount": None}


def test_an_allocation_that_keeps_failing_is_tried_again_first(env, account):
    env.mock(activities.allocate_cash).raises(ConnectionError("no answer"))

    run = fail(env, account)

    assert run.status == "compensated"
    assert len(env.calls(activities.allocate_cash)) == 3
    assert balances(account) == UNTOUCHED


def test_a_proposal_that_fails_for_a_technical_reason_undoes_the_allocation_too(env, account):
    env.mock(activities.optimise_yield).raises(ConnectionError("no answer"))

    run = fail(env, account)

    assert run.status == "compensated"
    assert balances(account) == UNTOUCHED


def test_prerequisites_that_fail_in_the_run_leave_nothing_to_undo(env, account):
    run = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced")
    env.mock(activities.validate_prerequisites).raises(NonRetryable("frozen meanwhile", code="account_frozen"))

    with pytest.raises(WorkflowFailed):
        env.finish(run.id)

    assert runs.get_run(run.id).status == "failed"
    assert balances(account) == UNTOUCHED
    assert events(account) == []


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(0, "USD"), "amount_not_positive"),
        (Money(-1, "USD"), "amount_not_positive"),
        (Money(1, "EUR"), "currency_mismatch"),
        (Money(Decimal("1000000.01"), "USD"), "insufficient_funds"),
    ],
)
def test_a_start_that_cannot_succeed_is_refused_and_nothing_is_written(env, account, amount, code):
    with pytest.raises(Exception) as refused:
        env.start(CashManagementWorkflow, account.id, amount, "balanced")

    assert refused.value.code == code
    assert runs.list_runs() == []
    assert balances(account) == UNTOUCHED


def test_a_start_on_an_unknown_account_is_refused(env):
    with pytest.raises(Exception) as refused:
        env.start(CashManagementWorkflow, uuid.UUID(int=7), AMOUNT, "balanced")

    assert refused.value.code == "unknown_account"


@pytest.mark.parametrize(
    "constraints", [{"min_yield": "NaN"}, {"issuer_limit": "2"}, {"unknown": "1"}, ["min_yield"], None]
)
def test_constraints_that_do_not_fit_are_refused_and_nothing_is_written(env, account, constraints):
    with pytest.raises(Exception) as refused:
        env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced", constraints)

    assert refused.value.code == "invalid_input"
    assert runs.list_runs() == []


def test_the_same_key_and_input_is_the_same_run(env, account):
    first = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced", key="cash:1")
    env.finish(first.id)

    again = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced", key="cash:1")

    assert again.id == first.id
    assert balances(account)["operating"] == "900000.00"


def test_a_completed_run_can_be_undone_by_an_operator(env, account):
    run = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced")
    env.finish(run.id)

    engine.compensate_run(run.id, reason="wrong account")
    with pytest.raises(WorkflowFailed):
        env.finish(run.id)

    assert runs.get_run(run.id).status == "compensated"
    assert balances(account) == UNTOUCHED


def test_the_money_spent_meanwhile_holds_the_undo_for_an_operator(env, account):
    env.mock(activities.reverse_allocation).raises(NonRetryable("the money is gone", code="insufficient_funds"))

    run = fail(env, account, min_yield=Decimal(50))

    assert (run.status, run.hold_reason) == ("held", "compensation_failed")
    assert balances(account)["operating"] == "900000.00"


def test_nothing_is_forgotten_when_the_worker_is_restarted(env, account):
    run = env.start(CashManagementWorkflow, account.id, AMOUNT, "balanced")
    env.restart()

    env.finish(run.id)

    assert [type(event) for event in events(account)] == [CashAllocated, YieldOptimizationStarted]

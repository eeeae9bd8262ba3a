"""Histories of earlier builds: the code of today replays each of them, so runs that are open at a deploy go on.

A file is never edited. `RECORD_HISTORIES=1 .venv/bin/pytest tests/histories` records the scenarios that have none yet:
a workflow that is added, or changed behind `patched` or a new version, brings its own beside those of before.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchange.contracts import BatchOrder
from exchange.workflows import OrderBatchWorkflow
from finaegis.shared.money import Money
from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from lending import operations as lending
from lending import queries as lending_queries
from lending.workflows import FirstLoanApplicationWorkflow, LoanApplicationWorkflow, LoanDisbursementWorkflow
from reporting import activities as reporting
from reporting.contracts import ReportFormat, ReportKind
from reporting.workflows import ReportGenerationWorkflow
from tests.exchange import factories as market
from tests.exchange import flows as exchange
from tests.lending.applying import GOOD, RISKY, Applicants, fund, given
from tests.treasury import compliance
from tests.treasury.factories import TreasuryAccountFactory
from tests.treasury.instrument_table import have_instruments
from tests.treasury.risky import make_risky, open_account
from tests.wallet import flows as wallet
from treasury.contracts import Constraints, HolderFacts
from treasury.workflows import CashManagementWorkflow, RiskAssessmentWorkflow, RiskMitigationWorkflow
from wallet import operations as wallet_operations
from workflows import NonDeterminismError, operations, queries
from workflows.core.definitions import registry
from workflows.core.histories import RecordedHistory, replay_history
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parent
RECORDED = sorted(FOLDER.glob("*.jsonl"))
RECORDING = "RECORD_HISTORIES" in os.environ
ENDS = {"RunCompleted", "RunCompensated", "RunCancelled"}
DAY = timedelta(days=1)


def recorded(path: Path) -> RecordedHistory:
    return queries.parse_history(path.read_text(encoding="utf-8").splitlines())


def manage_cash(env: WorkflowEnvironment, **constraints: Any) -> Any:
    have_instruments()
    account = TreasuryAccountFactory()
    run = env.start(CashManagementWorkflow, account.id, Money(100000, "USD"), "balanced", Constraints(**constraints))
    env.skip(DAY)
    return run


def apply(env: WorkflowEnvironment, workflow: Any, ending: str) -> Any:
    run = env.start(workflow, **given(ending))
    env.skip(timedelta(0))
    found = lending_queries.find_by_run(run.id)
    if ending == RISKY and workflow is LoanApplicationWorkflow:
        assert found is not None
        lending.decide_application(found.id, decision="decline", reason="too much", actor="os:olga")
        env.skip(timedelta(0))
    return run


def disburse(env: WorkflowEnvironment, *, refused: bool) -> Any:
    fund()
    loan = Applicants().lent()
    if refused:
        impose(party="disbursement_rail", call="submit", failure=Failure.NOT_TAKEN, times=None)
    run = env.start(LoanDisbursementWorkflow, loan.id)
    env.skip(DAY)
    return run


def risky_account() -> Any:
    have_instruments()
    account = open_account()
    make_risky(account)
    return account


def assess(env: WorkflowEnvironment) -> Any:
    run = env.start(RiskAssessmentWorkflow, risky_account().id)
    env.skip(timedelta(0))
    return run


def mitigate(env: WorkflowEnvironment, *, undone: bool) -> Any:
    run = env.start(RiskMitigationWorkflow, risky_account().id)
    env.skip(timedelta(0))
    if undone:
        operations.compensate_run(run.id, reason="taken too soon")
        env.skip(timedelta(0))
    return run


def watch(env: WorkflowEnvironment, *, links: int, cancelled: bool = False) -> Any:
    """A link of the saga of a risky account: the first mitigates and goes on, the second waits or is cancelled."""
    key = f"risk:{risky_account().id}"
    env.skip(DAY * (links - 1))
    run = queries.list_runs(workflow="treasury.RiskManagementSaga", key=key)[0]
    if cancelled:
        operations.cancel_run(run.id, reason="account is being closed")
        env.skip(timedelta(0))
    return run


def comply(env: WorkflowEnvironment, decision: str | None, *, undone: bool = False) -> Any:
    """An account with a case about its opening and one about a movement, of which the first grows overdue."""
    account = compliance.open_account(facts=HolderFacts(), balance="20000.00")
    env.skip(31 * DAY)
    run = compliance.saga_of(account)
    if decision is None:
        operations.cancel_run(run.id, reason="opened by mistake")
    else:
        for case in compliance.cases_of(account)[:1]:
            compliance.decide(case.id, decision)
    env.skip(timedelta(0))
    if undone:
        operations.compensate_run(run.id, reason="the wrong person")
        env.skip(timedelta(0))
    return run


SCENARIOS: dict[str, Callable[[WorkflowEnvironment, Any, Any], Any]] = {
    "treasury.CashManagement-1-completed": lambda env, *_: manage_cash(env),
    "treasury.CashManagement-1-compensated": lambda env, *_: manage_cash(env, min_yield="50.0"),
    "treasury.RiskAssessment-1-completed": lambda env, *_: assess(env),
    "treasury.RiskMitigation-1-completed": lambda env, *_: mitigate(env, undone=False),
    "treasury.RiskMitigation-1-compensated": lambda env, *_: mitigate(env, undone=True),
    "treasury.ComplianceSaga-1-cleared": lambda env, *_: comply(env, "clear"),
    "treasury.ComplianceSaga-1-rejected": lambda env, *_: comply(env, "reject"),
    "treasury.ComplianceSaga-1-cancelled": lambda env, *_: comply(env, None),
    "treasury.ComplianceSaga-1-compensated": lambda env, *_: comply(env, "reject", undone=True),
    "treasury.RiskManagementSaga-1-mitigated": lambda env, *_: watch(env, links=1),
    "treasury.RiskManagementSaga-1-watching": lambda env, *_: watch(env, links=2),
    "treasury.RiskManagementSaga-1-cancelled": lambda env, *_: watch(env, links=2, cancelled=True),
    "lending.LoanApplication-1-completed": lambda env, *_: apply(env, FirstLoanApplicationWorkflow, GOOD),
    "lending.LoanApplication-2-completed": lambda env, *_: apply(env, LoanApplicationWorkflow, GOOD),
    "lending.LoanApplication-2-reviewed": lambda env, *_: apply(env, LoanApplicationWorkflow, RISKY),
    "lending.LoanDisbursement-1-completed": lambda env, *_: disburse(env, refused=False),
    "lending.LoanDisbursement-1-compensated": lambda env, *_: disburse(env, refused=True),
    "wallet.Withdrawal-1-settled": lambda env, *of: settle(env, *of),
    "wallet.Withdrawal-1-in-transit": lambda env, *of: wallet.confirmed(env, *of),
    "wallet.Withdrawal-1-timed-out": lambda env, *of: time_out(env, *of),
    "wallet.Withdrawal-1-cancelled": lambda env, *of: cancel(env, *of),
    "exchange.OrderMatching-1-completed": lambda env, *_: trade(env, "OrderMatching"),
    "exchange.OrderMatching-1-compensated": lambda env, *_: withdraw(env),
    "exchange.FindMatchingOrders-1-completed": lambda env, *_: trade(env, "FindMatchingOrders"),
    "exchange.ExecuteTrade-1-completed": lambda env, *_: trade(env, "ExecuteTrade"),
    "exchange.ExecuteTrade-1-held": lambda env, *_: trade(env, "ExecuteTrade", seller=exchange.full_seller()),
    "exchange.OrderBatch-1-completed": lambda env, *_: trade_many(env),
    "reporting.ReportGeneration-1-completed": lambda env, *_: make_report(env),
    "reporting.ReportGeneration-1-compensated": lambda env, *_: make_report(env, fails=True),
}


def make_report(env: WorkflowEnvironment, *, fails: bool = False) -> Any:
    TreasuryAccountFactory()
    if fails:
        env.mock(reporting.generate_report).raises(RuntimeError("the storage is away"))
    run = env.start(ReportGenerationWorkflow, ReportKind.TREASURY_POSITIONS, ReportFormat.CSV)
    env.skip(DAY)
    return run


def settle(env: WorkflowEnvironment, account: Any, destination: Any) -> Any:
    run = wallet.confirmed(env, account, destination)
    env.skip(10 * DAY)
    return run


def time_out(env: WorkflowEnvironment, account: Any, destination: Any) -> Any:
    run = wallet.begin(env, account, destination)
    env.skip(DAY)
    return run


def cancel(env: WorkflowEnvironment, account: Any, destination: Any) -> Any:
    run = wallet.begin(env, account, destination)
    found = wallet.withdrawal_of(run)
    wallet_operations.cancel_withdrawal(found.id, actor="os:olga", detail="the customer asked")
    env.skip(DAY)
    return run


def trade(env: WorkflowEnvironment, workflow: str, *, seller: Any = None) -> Any:
    """An order that meets two others and rests; gives the run of this workflow that began first."""
    market.list_btc()
    seller, buyer = seller or market.open_account(), market.open_account()
    market.submit(seller, "sell", "0.10", "30000")
    market.submit(seller, "sell", "0.10", "30001")
    _, run = exchange.ordered(env, buyer, "buy", "0.30", "30005")
    runs = [run, *queries.list_runs(parent=run.id)]
    return next(item for item in reversed(runs) if item.workflow == f"exchange.{workflow}")


def withdraw(env: WorkflowEnvironment) -> Any:
    """An order that rests, and is withdrawn by its run's plan."""
    market.list_btc()
    _, run = exchange.ordered(env, market.open_account(), "buy", "0.30", "30005")
    operations.compensate_run(run.id, reason="the customer called")
    env.skip(timedelta(0))
    return run


def trade_many(env: WorkflowEnvironment) -> Any:
    market.list_btc()
    account = market.open_account()
    given = {"account_id": str(account.id), "symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "0.01"}
    run = env.start(OrderBatchWorkflow, tuple(BatchOrder(**given, price=price) for price in ("30000", "0.5")))
    env.skip(timedelta(0))
    return run


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_is_recorded_and_ends_today_as_it_did_then(
    name: str, env: WorkflowEnvironment, account: Any, destination: Any
) -> None:
    path = FOLDER / f"{name}.jsonl"

    run = SCENARIOS[name](env, account, destination)

    if RECORDING and not path.exists():
        path.write_text("".join(f"{line}\n" for line in queries.export_history(run.id)), encoding="utf-8")
    assert path.exists(), "RECORD_HISTORIES=1 records it"
    assert queries.get_history(run.id)[-1].kind == recorded(path).events[-1].kind


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_history_is_replayed_by_the_code_of_today(workflow_env: WorkflowEnvironment, path: Path) -> None:
    """Up to where it stands: the code has ended exactly where the recorded run was closed."""
    workflow_env.replay(path)

    history = recorded(path)
    machine = replay_history(history)
    ended = machine.ended
    machine.dispose()
    assert ended == (history.events[-1].kind in ENDS)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_history_is_refused_where_a_step_has_another_name(
    workflow_env: WorkflowEnvironment, path: Path, tmp_path: Path
) -> None:
    """So that the test above can fail."""
    name = path.stem.split(".")[0]
    changed = tmp_path / path.name
    changed.write_text(path.read_text(encoding="utf-8").replace(f'"name":"{name}.', f'"name":"{name}.other_'))

    with pytest.raises(NonDeterminismError):
        workflow_env.replay(changed)


def test_every_version_of_every_shipped_workflow_has_a_recorded_history() -> None:
    shipped = {
        f"{name}-{version}"
        for name, versions in registry.workflows.items()
        for version, code in versions.items()
        if code.__module__.split(".")[0] in ("treasury", "lending", "exchange", "wallet", "reporting")
        and "tests" not in code.__module__
    }

    have = {"-".join(path.stem.split("-")[:2]) for path in RECORDED}

    assert len(shipped) >= 5
    assert shipped - have == set()

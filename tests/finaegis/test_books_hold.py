"""Whatever is done in whatever order, and whatever fails: the books of all domains together hold.

Sums are zero per currency, nobody is below zero, holds are covered and belong to somebody who is still at it, a
compensated run has moved nothing, and no order is filled beyond what it asked for.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange import operations as exchange
from exchange.contracts import OrderFacts, OrderType, Side
from exchange.models import Order
from finaegis.shared.money import Money
from ledger import queries as ledger
from ledger.contracts import HoldStatus
from ledger.models import Hold
from ledger.panels import money_of_runs
from lending import operations as lending
from lending.contracts import ApplicationStatus
from lending.models import Application, Loan
from tests.bounds import bounded
from tests.lending.applying import form
from tests.treasury.instrument_table import have_instruments
from tests.wallet import factories as wallets
from treasury import operations as treasury
from treasury.contracts import Constraints
from wallet import operations as wallet
from wallet import queries as wallet_queries
from wallet.models import ConfirmationToken, Withdrawal
from workflows import NonRetryable, Sensitive, operations
from workflows.core.definitions import registry
from workflows.core.errors import EngineError
from workflows.core.status import CLOSED
from workflows.models import Run
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.django_db

#: Where a failure is injected: steps with effects on money, and those between them.
FAILING = (
    "treasury.allocate_cash", "treasury.optimise_yield", "treasury.reverse_allocation",
    "lending.reserve_funds", "lending.create_transaction", "lending.transfer_funds", "lending.update_status",
    "wallet.capture_withdrawal", "wallet.submit_payment", "wallet.settle_withdrawal",
    "exchange.place_order", "exchange.match_order", "exchange.settle_trade",
)  # fmt: skip


class World:
    """One of each: a treasury, a lender, customers with money, traders."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self.env = env
        self.number = 0
        have_instruments()
        lending.fund_lending(amount=Money("50000.00", "EUR"), key="world:lending")
        self.treasury = treasury.open_treasury_account(
            name="World", currency="USD", initial_balance=Money("10000.00", "USD"), key="world:treasury"
        )
        self.wallet = wallets.open_account("900.00")
        self.destinations = [
            wallets.add_destination(self.wallet, ending=ending).id for ending in ("1000", "9001", "9003", "9006")
        ]
        exchange.list_demo_instrument()
        self.traders = [
            exchange.open_trading_account(
                key=f"world:trader:{holder}", holder=holder, name=holder,
                initial_balances=[Money("3000.00", "USD"), Money("0.05", "BTC")],
            ).id
            for holder in ("maker", "taker")
        ]  # fmt: skip
        env.skip(timedelta(0))

    def key(self) -> str:
        self.number += 1
        return f"world:{self.number}"

    # --- What is done ------------------------------------------------------------------------------------------------

    def allocate(self, draw: int) -> None:
        constraints = Constraints(min_yield=Decimal("60")) if draw % 3 == 0 else Constraints()
        amount = Money(f"{draw % 4000 + 1}.00", "USD")
        strategy = ("conservative", "balanced", "aggressive")[draw % 3]
        operations.start_run("treasury.CashManagement", self.treasury.id, amount, strategy, constraints, key=self.key())

    def withdraw(self, draw: int) -> None:
        wallet.request_withdrawal(
            key=self.key(), account_id=self.wallet.id, amount=Money(f"{draw % 400 + 1}.00", "USD"),
            destination_id=self.destinations[draw % len(self.destinations)],
        )  # fmt: skip

    def answer(self, draw: int) -> None:
        rows = list(Withdrawal.objects.filter(status="awaiting_confirmation").order_by("requested_at", "id"))
        if not rows:
            return
        row = rows[draw % len(rows)]
        token = ConfirmationToken.objects.filter(withdrawal_id=row.pk).order_by("-serial").first()
        if draw % 4 and token is not None:
            wallet.confirm_withdrawal(wallet_queries.derive_token(token, wallet_queries.get_withdrawal(row.pk)))
        else:
            wallet.cancel_withdrawal(row.pk)

    def apply(self, draw: int) -> None:
        ending = ("2002", "2001", "9001")[draw % 3]
        lending.submit_application(form(ssn=Sensitive(f"900-{10 + self.number % 80:02d}-{ending}")), key=self.key())

    def pay_out(self, draw: int) -> None:
        for row in Application.objects.filter(status=ApplicationStatus.APPROVED):
            lending.accept_offer(application_id=row.pk, accepted_by="world")
        loans = list(Loan.objects.order_by("accepted_at", "id"))
        if loans:
            operations.start_run("lending.LoanDisbursement", loan_id=loans[draw % len(loans)].pk, key=self.key())

    def order(self, draw: int) -> None:
        side = Side.BUY if draw % 2 else Side.SELL
        facts = OrderFacts(
            account_id=self.traders[draw // 2 % 2], symbol="BTC-USD", side=side, type=OrderType.LIMIT,
            quantity=Decimal("0.01") * (draw % 3 + 1), price=Decimal(50_000 + draw % 5 * 10),
        )  # fmt: skip
        exchange.request_order(facts, key=self.key())

    def cancel_order(self, draw: int) -> None:
        rows = list(Order.objects.filter(status__in=["open", "partially_filled"]).order_by("received_at", "id"))
        if rows:
            exchange.cancel_order(rows[draw % len(rows)].pk)

    def cancel_run(self, draw: int) -> None:
        sagas = ["treasury.RiskManagementSaga", "treasury.ComplianceSaga"]
        open_runs = Run.objects.exclude(status__in=list(CLOSED)).exclude(workflow__in=sagas)
        self._operate(draw, open_runs, operations.cancel_run)

    def compensate_run(self, draw: int) -> None:
        mended = Run.objects.filter(workflow__in=["treasury.CashManagement", "lending.LoanDisbursement"])
        self._operate(draw, mended.filter(status="completed"), operations.compensate_run)

    def retry_run(self, draw: int) -> None:
        self._operate(draw, Run.objects.filter(status__in=["failed", "held"]), operations.retry_run)

    @staticmethod
    def _operate(draw: int, rows: Any, act: Any) -> None:
        ids = list(rows.order_by("-created_at", "-id").values_list("id", flat=True)[:2])
        if ids:
            act(ids[draw % len(ids)], reason="the world goes on")

    def wait(self, draw: int) -> None:
        self.env.skip(timedelta(hours=(1, 30, 100)[draw % 3]))

    # --- What must hold ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        assert [str(finding) for finding in ledger.verify(run_is_open=_is_open)] == []
        for order in Order.objects.exclude(quantity_minor=None):
            assert 0 <= order.filled_minor <= order.quantity_minor
        resting = {f"{order.pk}" for order in Order.objects.exclude(status__in=["filled", "cancelled", "rejected"])}
        for hold in Hold.objects.filter(status=HoldStatus.HELD):
            belongs = hold.run_id is not None or any(order in hold.key for order in resting)
            assert belongs, f"hold {hold.key} is nobody's"
        for run_id in Run.objects.filter(status="compensated").values_list("id", flat=True):
            money = ledger_money(run_id)
            assert all(not effect.balance and not effect.held for effect in money), f"{run_id} moved {money}"


def _is_open(run_id: UUID) -> bool:
    return not Run.objects.filter(pk=run_id, status__in=list(CLOSED)).exists()


def ledger_money(run_id: UUID) -> Any:
    """What a run's transfers and open holds changed, by account."""
    return money_of_runs([run_id]).net


BEGINNINGS = ("allocate", "withdraw", "apply", "pay_out", "order", "order", "cancel_order", "wait")
#: What is done to what was just begun, and to what else there is.
SEQUELS = ("cancel_run", "compensate_run", "retry_run", "answer", "wait", None)
episodes = st.lists(
    st.tuples(
        st.sampled_from(BEGINNINGS),
        st.integers(0, 10_000),
        st.sampled_from((None, None, *FAILING)),
        st.booleans(),
        st.sampled_from(SEQUELS),
    ),
    min_size=4,
    max_size=bounded(8, thorough=25),
)


def _do(world: World, act: str, draw: int) -> None:
    """One act; what is refused is taken back, and the next may come."""
    with suppress(EngineError), transaction.atomic():
        getattr(world, act)(draw)
    world.env.skip(timedelta(minutes=5))
    world.check()


@settings(
    max_examples=bounded(15, thorough=300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(episodes)
def test_the_books_hold_after_each_act(workflow_env: WorkflowEnvironment, drawn: list[Any]) -> None:
    workflow_env.now = datetime(2026, 7, 15, tzinfo=UTC)
    with transaction.atomic():
        world = World(workflow_env)
        for beginning, draw, failing, refuses, sequel in drawn:
            mock = workflow_env.mock(registry.activities[failing]) if failing else None
            if mock is not None:
                mock.raises(NonRetryable("injected") if refuses else RuntimeError("injected"))
            _do(world, beginning, draw)
            if mock is not None:
                mock.outcomes.clear()
            if sequel is not None:
                _do(world, sequel, draw)
        workflow_env.skip(timedelta(days=6))
        world.check()
        transaction.set_rollback(True)
    workflow_env.restart()


@pytest.mark.parametrize("beginning", dict.fromkeys(BEGINNINGS))
def test_the_books_hold_after_every_sequel_of_a_beginning(workflow_env: WorkflowEnvironment, beginning: str) -> None:
    workflow_env.now = datetime(2026, 7, 15, tzinfo=UTC)
    world = World(workflow_env)
    for number, sequel in enumerate(SEQUELS, start=1):
        _do(world, "apply", 3 * number)
        # Even: of the newest runs the one that was begun. Divisible by three: an allocation that is undone.
        for draw in (12 * number, 12 * number + 4):
            _do(world, beginning, draw)
            if sequel is not None:
                _do(world, sequel, draw)


def test_the_judge_finds_a_hold_that_nobody_needs(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.now = datetime(2026, 7, 15, tzinfo=UTC)
    world = World(workflow_env)
    world.withdraw(1)
    workflow_env.skip(timedelta(0))
    Hold.objects.filter(status=HoldStatus.HELD).update(run_id=None)

    with pytest.raises(AssertionError, match="nobody's"):
        world.check()

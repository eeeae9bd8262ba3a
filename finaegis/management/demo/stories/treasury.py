"""Treasury accounts with allocations of every strategy, one of them reversed, one that waits for an operator."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from finaegis.management.demo.pace import Pace
from finaegis.shared.money import Money
from treasury import operations
from treasury.contracts import Constraints
from workflows import NonRetryable, queries
from workflows import operations as engine
from workflows.core.errors import Refused

_ACCOUNTS = (
    ("Payroll reserve", "2400000.00"),
    ("Tax provision", "860000.00"),
    ("Acquisition fund", "7500000.00"),
    ("Supplier float", "430000.00"),
)
_STRATEGIES = ("conservative", "balanced", "aggressive")


def tell(pace: Pace, chance: Random, *, seed: int) -> None:
    """Open the accounts and allocate from each."""
    runs = []
    for number, (name, balance) in enumerate(_ACCOUNTS, start=1):
        pace.check()
        account = operations.open_treasury_account(
            name=name, currency="USD", initial_balance=Money(balance, "USD"), key=f"story:{seed}:treasury:{number}"
        )
        for place in range(1, 4):
            share = Decimal(chance.randrange(4, 16)) / 100
            amount = Money((Decimal(balance) * share).quantize(Decimal("0.01")), "USD")
            strategy = chance.choice(_STRATEGIES)
            # One in six asks for a yield that no instrument has: it is undone.
            constraints = Constraints(min_yield=Decimal("60.0")) if chance.random() < 0.17 else Constraints()
            try:
                run = engine.start_run(
                    "treasury.CashManagement", account.id, amount, strategy, constraints,
                    key=f"story:{seed}:cash:{number}:{place}", actor="operator", reason="demo data",
                )  # fmt: skip
            except (NonRetryable, Refused):
                continue  # told again after the account was frozen, say
            runs.append(run.id)
    pace.settle(runs)
    _take_risk(pace, seed=seed)


def _take_risk(pace: Pace, *, seed: int) -> None:
    """An account that puts all it has into risk, and whose saga acts on it: shifts, a hedge, a freeze."""
    balance = Money("10000000.00", "USD")
    account = operations.open_treasury_account(
        name="Venture pool", currency="USD", initial_balance=balance, key=f"story:{seed}:treasury:venture"
    )
    pace.settle_sagas()
    known = queries.list_runs(key=f"story:{seed}:cash:venture")
    if known:
        return
    run = engine.start_run(
        "treasury.CashManagement", account.id, balance, "aggressive", Constraints(),
        key=f"story:{seed}:cash:venture", actor="operator", reason="demo data",
    )  # fmt: skip
    pace.settle([run.id])
    for saga in queries.list_runs(workflow="treasury.RiskManagementSaga", key=f"risk:{account.id}"):
        engine.signal_run(saga.id, "assess_now", actor="operator", reason="everything was put into risk")
    pace.settle_sagas()

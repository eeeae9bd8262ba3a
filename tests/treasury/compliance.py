"""What tests of compliance share: opened accounts, movements, cases, and officers who decide them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from finaegis.shared.money import Money
from treasury import contracts, operations, queries
from treasury.contracts import CaseStatus, Document, HolderFacts
from workflows import operations as engine
from workflows import queries as runs
from workflows.contracts import WorkflowRun
from workflows.testing import WorkflowEnvironment

NOW = timedelta(0)
#: Nothing is found about whoever shows this.
PROVEN = HolderFacts(documents=(Document(kind="passport", reference="P-100"),))
_numbers = count(1)


def holder(ending: str = "100", country: str | None = None) -> HolderFacts:
    """A holder with one document whose number ends so."""
    return HolderFacts(country=country, documents=(Document(kind="passport", reference=f"P-{ending}"),))


def open_account(
    name: str = "Ada Byron", facts: HolderFacts = PROVEN, balance: str | None = None, currency: str = "USD"
) -> contracts.TreasuryAccount:
    """An account that `clerk` opened."""
    return operations.open_treasury_account(
        name=name,
        currency=currency,
        initial_balance=None if balance is None else Money(balance, currency),
        holder=facts,
        opened_by="clerk",
        key=f"compliance-test:{next(_numbers)}",
    )


def move(account: contracts.TreasuryAccount, amount: str, direction: str = "in", **facts: Any) -> contracts.Movement:
    """A movement that `teller` recorded."""
    return operations.record_movement(
        key=f"compliance-test:{next(_numbers)}",
        account_id=account.id,
        direction=direction,
        amount=Money(amount, account.currency),
        recorded_by="teller",
        **facts,
    )


def saga_of(account: contracts.TreasuryAccount) -> WorkflowRun:
    """The present link of the account's saga."""
    return max(runs.list_runs(key=f"compliance:{account.id}"), key=lambda run: run.link)


def state_of(account: contracts.TreasuryAccount) -> Any:
    """What the account's saga answers."""
    return engine.query_run(saga_of(account).id, "state")


def cases_of(account: contracts.TreasuryAccount) -> list[contracts.ComplianceCase]:
    """The account's cases, that of its opening first, then oldest first."""
    found, _ = queries.page_cases(limit=100, account_id=account.id)
    return sorted(found, key=lambda case: (case.movement_id is not None, case.opened_at))


def kinds_of(case: contracts.ComplianceCase) -> list[str]:
    return [item.kind.value for item in case.findings]


def only_case(account: contracts.TreasuryAccount) -> contracts.ComplianceCase:
    """The one case of the account."""
    (case,) = cases_of(account)
    return case


def decide(case_id: UUID, decision: str, reason: str = "looked into", actor: Any = "os:olga") -> Any:
    """Decide as an officer who is not involved."""
    return operations.decide_case(case_id, decision=decision, reason=reason, actor=actor)


def in_review(env: WorkflowEnvironment) -> tuple[contracts.TreasuryAccount, contracts.ComplianceCase]:
    """An account whose opening gave a case, since it showed no documents."""
    account = open_account(facts=HolderFacts())
    env.skip(NOW)
    case = only_case(account)
    assert case.status is CaseStatus.OPEN
    return account, case

"""The client process of the fault tests, answering about lending too: `python -m tests.lending.worker_client`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.faults import client  # sets Django up, so it comes first  # isort: skip
from lending import operations, queries
from tests.lending.applying import balance, form, fund
from workflows import operations as engine
from workflows import queries as runs


def apply(ending: str, amount: str, term_months: int) -> Any:
    made = operations.submit_application(
        form(ending, amount=Decimal(amount), term_months=term_months), key=f"workers:{ending}", actor="os:enter"
    )
    return {"id": str(made.id), "run_id": str(made.run_id)}


def steps(run_id: str) -> Any:
    return {step.name.removeprefix("lending."): step.attempts for step in runs.list_steps(UUID(run_id))}


def decide(application_id: str, decision: str) -> Any:
    decided = operations.decide_application(
        UUID(application_id), decision=decision, reason="looked at it", actor="os:decide"
    )
    return {"status": decided.application.status, "pending": decided.pending}


def pay_out(application_id: str) -> Any:
    loan = operations.accept_offer(application_id=UUID(application_id), accepted_by="os:enter")
    run = engine.start_run("lending.LoanDisbursement", loan.id, key=f"workers:{loan.id}")
    return {"loan_id": str(loan.id), "owner": loan.ledger_owner, "run_id": str(run.id)}


def undo(run_id: str) -> Any:
    return engine.compensate_run(UUID(run_id), reason="wrong borrower").status


def books(owner: str) -> Any:
    return [balance("lending", "funding"), balance("lending", "in_transit"), balance(owner, "current")]


def schedule(loan_id: str) -> Any:
    return len(queries.get_loan_overview(UUID(loan_id)).schedule)


client.HANDLERS.update(
    fund=fund,
    apply=apply,
    steps=steps,
    decide=decide,
    pay_out=pay_out,
    undo=undo,
    books=books,
    schedule=schedule,
)

if __name__ == "__main__":
    client.serve()

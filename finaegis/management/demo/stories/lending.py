"""Real applications from the credit data: decided by the scorecard, reviewed, accepted, paid out.

A third of what is in review stays there, some offers stay open, some loans wait for their money.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from uuid import UUID

from django.contrib.auth import get_user_model

from finaegis.management.demo.pace import Driving, Pace, few_at_a_time
from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from lending import operations, queries
from lending.contracts import CURRENT, ApplicationStatus, DisbursementStatus, OfficerDecision
from lending.models import Disbursement
from lending.rules import german_credit
from lending.rules.synthetic import form_of, key_of
from workflows import operations as engine

_APPROVALS = (
    "Income verified by payslip and employer",
    "Long-standing customer, all credits paid back duly",
    "Guarantor accepted, collateral sufficient",
)
_DECLINES = (
    "Instalment too high for the disposable income",
    "Open arrears with another bank",
    "Employment could not be verified",
)


def tell(pace: Pace, chance: Random, *, seed: int, applications: int) -> None:
    """Submit, decide, accept and pay out; each part finds by its rows what the one before it left."""
    ids = _submit(pace, chance, applications)
    _decide(pace, chance, ids)
    loans = _accept(pace, chance, ids)
    _pay_out(pace, chance, loans, seed=seed)


def _submit(pace: Pace, chance: Random, applications: int) -> list[UUID]:
    """Gives the applications, each of them decided or in review."""
    rows = german_credit.read_rows()
    taken_in = []
    with few_at_a_time(pace) as begun:
        for position in sorted(chance.sample(range(len(rows)), min(applications, len(rows)))):
            pace.check()
            row = rows[position]
            application = operations.submit_application(
                form_of(row, position),
                key=key_of(row, position),
                actor="operator",
                reason="demo data; SSN and income are synthetic",
            )
            taken_in.append(application.id)
            begun(application.run_id)
    return taken_in


def _decide(pace: Pace, chance: Random, ids: Sequence[UUID]) -> None:
    """Two of three reviews are decided, by somebody else than who entered the application."""
    approver = get_user_model().objects.get(username="approver")
    with few_at_a_time(pace) as decided:
        for application_id in ids:
            draw, approves, why = chance.random(), chance.random() < 0.6, chance.randrange(3)
            application = queries.get_application(application_id)
            if application.status is not ApplicationStatus.IN_REVIEW or draw > 0.66:
                continue
            pace.check()
            verdict = OfficerDecision.APPROVE if approves else OfficerDecision.DECLINE
            reason = (_APPROVALS if approves else _DECLINES)[why]
            if isinstance(pace, Driving):
                with pace.answering(application.run_id):
                    operations.decide_application(application_id, decision=verdict, reason=reason, actor=approver)
            else:
                operations.decide_application(application_id, decision=verdict, reason=reason, actor=approver)
            decided(application.run_id)


def _accept(pace: Pace, chance: Random, ids: Sequence[UUID]) -> list[UUID]:
    """Most applicants take their offer; gives the loans."""
    loans = []
    for application_id in ids:
        takes = chance.random() < 0.7
        status = queries.get_application(application_id).status
        if takes and status in (ApplicationStatus.APPROVED, ApplicationStatus.ACCEPTED):
            pace.check()
            loans.append(operations.accept_offer(application_id=application_id, accepted_by="operator").id)
    return loans


def _pay_out(pace: Pace, chance: Random, loans: Sequence[UUID], *, seed: int) -> None:
    runs = []
    with few_at_a_time(pace) as begun:
        for loan_id in loans:
            if chance.random() < 0.8:
                pace.check()
                run = engine.start_run(
                    "lending.LoanDisbursement", loan_id=loan_id, key=f"story:{seed}:payout:{loan_id}", actor="operator"
                )
                runs.append(run.id)
                begun(run.id)
    _call_back(pace, runs[:1], seed=seed)


def _call_back(pace: Pace, runs: Sequence[UUID], *, seed: int) -> None:
    """One payout is called back after its borrower has spent most of it: what is left of it is a receivable."""
    for row in Disbursement.objects.filter(run_id__in=runs, status=DisbursementStatus.COMPLETED).select_related("loan"):
        current = ledger_queries.find_account(owner=row.loan.ledger_owner, kind=CURRENT, currency=row.currency)
        if current is None or row.run_id is None:
            continue
        spent = Money.from_minor(row.amount_minor * 3 // 4, row.currency)
        shops = ledger.open_account(owner="external", kind="external", currency=row.currency, may_go_negative=True)
        ledger.transfer(
            key=f"story:{seed}:spent:{row.id}",
            legs=[Leg(current.id, -spent), Leg(shops.id, spent)],
            description="the borrower buys a car",
        )
        engine.compensate_run(row.run_id, actor="operator", reason="paid to the wrong borrower")
    pace.settle(runs)

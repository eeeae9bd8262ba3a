"""Two at once, on Postgres: one application, one loan, one disbursement, one officer's decision, one recovery."""

import threading

import pytest
from django.db import connection

from lending import operations
from lending.contracts import OfficerDecision
from lending.models import Decision, Disbursement, Loan, ReceivableCase
from lending.workflows import FirstLoanApplicationWorkflow
from tests.lending.applying import RISKY, balance, form, given, spend

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time"),
]

AT_ONCE = 4


def together(act):
    """Call `act(number)` from several threads at the same moment; what each gave, or the code of its refusal."""
    outcomes, ready = [], threading.Barrier(AT_ONCE)

    def run(number):
        try:
            ready.wait()
            outcomes.append(act(number))
        except Exception as refusal:
            outcomes.append(getattr(refusal, "code", repr(refusal)))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.fixture
def loan(funded, applicants):
    return applicants.lent()


def test_one_application_of_a_person_is_taken(env):
    outcomes = together(lambda number: operations.submit_application(form()).status)

    assert sorted(outcomes) == ["application_open"] * 3 + ["submitted"]


def test_one_loan_is_made_of_an_offer(applicants):
    application, _ = applicants.assessed()

    loans = together(lambda number: operations.accept_offer(application_id=application.id, accepted_by="x").id)

    assert len(set(loans)) == Loan.objects.count() == 1


def test_one_disbursement_of_a_loan_is_created(loan):
    reservation = operations.reserve_funds(key="r-1", loan_id=loan.id, run_id=None)

    outcomes = together(
        lambda number: str(
            operations.create_disbursement(
                key=f"c-{number}", loan_id=loan.id, reservation=reservation, run_id=None
            ).transaction_id
        )
    )

    assert outcomes.count("disbursement_exists") == 3
    assert Disbursement.objects.count() == 1


def test_one_officer_decides(env):
    run = env.start(FirstLoanApplicationWorkflow, **given(RISKY, amount="5951.00", term_months=48))
    result = env.finish(run.id)

    outcomes = together(
        lambda number: (
            operations.decide_application(
                result.application_id,
                decision=list(OfficerDecision)[number % 2],
                reason="because",
                actor=f"os:officer{number}",
            ).pending
        )
    )

    assert sorted(map(str, outcomes)) == ["False", *["already_decided"] * 3]
    assert Decision.objects.exclude(officer="").count() == 1


def test_a_payout_is_called_back_once_while_the_borrower_spends(loan):
    reservation = operations.reserve_funds(key="r-1", loan_id=loan.id, run_id=None)
    created = operations.create_disbursement(key="c-1", loan_id=loan.id, reservation=reservation, run_id=None)
    operations.transfer_funds(transaction_id=created.transaction_id, run_id=None)

    def act(number):
        if number == 0:
            spend(loan, "1000.00")
            return "spent"
        return operations.reverse_transfer(transaction_id=created.transaction_id, run_id=None).outcome

    outcomes = together(act)

    assert outcomes.count("reversed") == 3
    spent = "spent" in outcomes
    assert ReceivableCase.objects.count() == int(spent)
    assert balance("lending", "funding") == ("99000.00" if spent else "100000.00")
    assert balance(loan.ledger_owner, "current") == "0.00"

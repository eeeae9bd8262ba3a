"""Lending on the pages of others: an application, its loan and their runs find each other; an SSN finds nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest

from lending import operations, panels, queries
from lending.workflows import LoanApplicationWorkflow, LoanDisbursementWorkflow
from tests.lending.applying import RISKY, fund, given, spend, ssn_of
from tests.lending.doors import member
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db


class Everybody:
    """A user who may see everything."""

    def has_perm(self, permission):
        return True


@pytest.fixture
def loan(env):
    """A loan that was applied for; nothing is paid out yet."""
    result = env.run(LoanApplicationWorkflow, **given())
    return operations.accept_offer(application_id=result.application_id, accepted_by="olga")


def pay_out(env, loan):
    env.now += timedelta(seconds=1)
    run = env.start(LoanDisbursementWorkflow, loan.id)
    env.skip(timedelta(minutes=1))
    return runs.get_run(run.id)


def kinds_of(run):
    found = runs.list_related([runs.get_run(run.id)], user=Everybody())
    assert found.unread == ()
    return {record.kind: record.id for record in found.records}


def runs_of(kind, record_id):
    return [run.id for run in runs.list_runs_of(kind, record_id, user=Everybody()).runs]


def test_application_loan_and_payout_know_both_runs(env, loan):
    fund()
    paid = pay_out(env, loan)
    decided = queries.get_application(loan.application_id).run_id

    for run_id in (decided, paid.id):
        found = kinds_of(runs.get_run(run_id))
        assert (found["lending.application"], found["lending.loan"]) == (loan.application_id, loan.id)
    assert "lending.disbursement" in kinds_of(paid)
    for kind, record_id in (("lending.application", loan.application_id), ("lending.loan", loan.id)):
        assert runs_of(kind, record_id) == [paid.id, decided]
    (payout,) = queries.get_loan_overview(loan.id).disbursements
    assert runs_of("lending.disbursement", payout.id) == [paid.id]


def test_a_payout_that_failed_before_it_wrote_anything_is_the_loans_too(env, loan):
    failed = pay_out(env, loan)  # lending has no money

    assert failed.status == "failed"
    assert queries.get_loan_overview(loan.id).disbursements == ()
    assert failed.id in runs_of("lending.loan", loan.id)
    assert kinds_of(failed)["lending.loan"] == loan.id


def test_a_receivable_is_the_runs_and_waits_in_its_queue(env, loan):
    fund()
    paid = pay_out(env, loan)
    spend(loan, "2000.00")
    engine.compensate_run(paid.id, reason="wrong borrower")
    env.skip(timedelta(minutes=1))

    case_id = kinds_of(paid)["lending.receivablecase"]

    assert runs_of("lending.receivablecase", case_id) == [paid.id]
    waiting = {view.queue.name: view.count for view in runs.list_work_queues(user=Everybody())}
    assert waiting["lending.receivables"].number == 1


def test_the_money_of_a_loan_is_that_of_its_runs_by_the_names_of_people(env, loan):
    fund()
    pay_out(env, loan)

    body = member("viewer").get(f"/api/v1/records/lending.loan/{loan.id}/").json()

    net = {(item["account"]["owner_title"], item["account"]["kind"]): item["balance"] for item in body["money"]["net"]}
    assert net[("Ada Lovelace", "current")] == {"amount": "2096.00", "currency": "EUR"}
    assert net[(None, "funding")] == {"amount": "-2096.00", "currency": "EUR"}
    assert {item["kind"] for item in body["related"]} == {"lending.application", "lending.disbursement"}


@pytest.mark.parametrize("detail", ["loans", "applications"])
def test_a_detail_tells_its_runs(env, loan, detail):
    fund()
    paid = pay_out(env, loan)
    record_id = loan.id if detail == "loans" else loan.application_id

    body = member("viewer").get(f"/api/v1/lending/{detail}/{record_id}/").json()

    assert [run["id"] for run in body["runs"]] == [
        str(paid.id),
        str(queries.get_application(loan.application_id).run_id),
    ]


def hits(term):
    return {(record.kind, record.id) for record in runs.search_records(term, user=Everybody()).records}


def test_a_name_finds_the_application_and_the_loan(env, loan):
    found = {("lending.application", loan.application_id), ("lending.loan", loan.id)}

    assert hits("Ada Lovelace") == found
    assert hits("Ada") == set()


def test_an_id_finds_its_record(env, loan):
    assert hits(str(loan.id)) == {("lending.loan", loan.id)}


@pytest.mark.parametrize("write", [str, lambda ssn: ssn.replace("-", ""), lambda ssn: ssn[-4:]])
def test_an_ssn_finds_nothing(env, loan, write):
    assert hits(write(ssn_of("2002"))) == set()


def test_no_record_tells_an_ssn(env, loan):
    fund()
    paid = pay_out(env, loan)
    everything = runs.list_related([paid], user=Everybody()).records

    assert len(everything) == 3
    assert "900-55" not in repr(everything) and "2002" not in repr([record.title for record in everything])


def test_reviews_wait_since_the_oldest_was_submitted_and_some_are_overdue(env):
    env.start(LoanApplicationWorkflow, **given(RISKY, amount="5951.00", term_months=48))
    env.skip(timedelta(0))
    began = env.now
    assert (panels._reviews().number, panels._reviews().overdue) == (1, 0)

    env.skip(timedelta(days=31))

    count = panels._reviews()
    assert (count.number, count.oldest_at, count.overdue) == (1, began, 1)


def test_owners_that_are_no_borrowers_are_nobodys(env, loan):
    owners = [loan.ledger_owner, f"borrower:{uuid4()}", "borrower:nobody", "lending"]

    assert set(runs.owners_of(owners, user=Everybody())) == {loan.ledger_owner}

"""Lending in the console: what is looked at, the queue of reviews, and dialogs that call one operation each."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from lending import operations, queries
from lending.contracts import ApplicationStatus, CaseStatus
from lending.models import (
    Application,
    Decision,
    Disbursement,
    Letter,
    Loan,
    ReceivableCase,
    Review,
)
from lending.workflows import LoanApplicationWorkflow, LoanDisbursementWorkflow
from tests.lending.applying import RISKY, fund, given, spend, ssn_of
from workflows import operations as engine

pytestmark = pytest.mark.django_db

LISTS = [Application, Disbursement, Letter, Loan, ReceivableCase]


def url(model, page, *args):
    return reverse(f"admin:lending_{model._meta.model_name}_{page}", args=args)


def signed_in(role, name):
    user = User.objects.create_user(name, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(env):
    return signed_in("operator", "olga")


@pytest.fixture
def approver(env):
    return signed_in("approver", "otto")


@pytest.fixture
def viewer(env):
    return signed_in("viewer", "vera")


@pytest.fixture
def content(env):
    """One row of each kind: a loan paid out, called back in part, and its letter."""
    fund()
    result = env.run(LoanApplicationWorkflow, **given())
    loan = operations.accept_offer(application_id=result.application_id, accepted_by="olga")
    run = env.start(LoanDisbursementWorkflow, loan.id)
    env.finish(run.id)
    spend(loan, "2000.00")
    engine.compensate_run(run.id, reason="wrong borrower")
    env.skip(timedelta(minutes=1))
    return loan


@pytest.fixture
def review(env):
    """An application that `os:enter` entered and that waits for an officer."""
    run = env.start(LoanApplicationWorkflow, **given(RISKY, amount="5951.00", term_months=48), actor="os:enter")
    env.skip(timedelta(0))
    return queries.find_by_run(run.id)


def status(application):
    return queries.get_application(application.id).status


@pytest.mark.parametrize("model", LISTS)
def test_lists_and_rows_open(viewer, content, model):
    row = model.objects.first()

    assert viewer.get(url(model, "changelist")).status_code == 200
    page = viewer.get(url(model, "change", row.pk))
    assert page.status_code == 200
    assert ssn_of("2002") not in page.content.decode()


@pytest.mark.parametrize("model", [*LISTS, Review])
def test_what_operations_write_cannot_be_added_changed_or_deleted(admin_client, content, review, model):
    row = model.objects.first()
    before = list(model.objects.order_by("pk").values())

    answers = [
        admin_client.get(url(model, "add")),
        admin_client.post(url(model, "change", row.pk), {"name": "changed"}),
        admin_client.post(url(model, "delete", row.pk), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(model.objects.order_by("pk").values()) == before


def test_an_application_shows_what_was_found_and_decided(viewer, review):
    page = viewer.get(url(Application, "change", review.id)).content.decode()

    assert str(review.risk_score) in page
    assert "To be decided by a person: score" in page
    assert "0 to 200 (A12)" in page


def test_a_loan_shows_terms_schedule_payouts_and_receivables(viewer, content):
    page = viewer.get(url(Loan, "change", content.id)).content.decode()

    assert "8.10 % a year" in page
    assert "voided" in page
    assert "2,000.00 EUR" in page


def test_the_schedule_is_shown_once_it_binds(viewer, env):
    fund()
    result = env.run(LoanApplicationWorkflow, **given())
    loan = operations.accept_offer(application_id=result.application_id, accepted_by="olga")
    assert "It is made on the day" in viewer.get(url(Loan, "change", loan.id)).content.decode()

    env.run(LoanDisbursementWorkflow, loan.id)

    assert "2026-02-05" in viewer.get(url(Loan, "change", loan.id)).content.decode()


def test_a_letter_is_shown_as_it_was_written(viewer, content):
    letter = Letter.objects.get()

    assert "Our offer stands until" in viewer.get(url(Letter, "change", letter.pk)).content.decode()


# --- The queue -------------------------------------------------------------------------------------------------------


def test_the_queue_holds_what_waits_for_a_decision_and_nothing_else(approver, content, review):
    page = approver.get(url(Review, "changelist")).content.decode()

    assert page.count("/decide/") == page.count(url(Review, "decide", review.id)) == 1


def test_the_queue_offers_no_dialog_to_who_may_only_look(viewer, review):
    page = viewer.get(url(Review, "changelist")).content.decode()

    assert review.facts.applicant in page
    assert "/decide/" not in page


def test_the_queue_says_why_and_how_long_there_is_left(viewer, review, env):
    env.now += timedelta(days=28)
    page = viewer.get(url(Review, "changelist")).content.decode()
    assert "2 d" in page

    env.now += timedelta(days=3)
    assert "overdue" in viewer.get(url(Review, "changelist")).content.decode()


def decide(client, review, model=Review, **changes):
    given = {"decision": "approve", "reason": "income confirmed", **changes}
    return client.post(url(model, "decide", review.id), given)


def test_the_dialog_shows_the_application_and_changes_nothing(approver, review):
    page = approver.get(url(Review, "decide", review.id))

    assert page.status_code == 200
    assert str(review.risk_score) in page.content.decode()
    assert status(review) is ApplicationStatus.IN_REVIEW


@pytest.mark.parametrize("model", [Review, Application])
@pytest.mark.parametrize(("decision", "after"), [("approve", "approved"), ("decline", "declined")])
def test_an_officer_decides(approver, review, model, decision, after):
    answer = decide(approver, review, model, decision=decision)

    assert answer.status_code == 302
    assert answer["Location"] == url(Application, "change", review.id)
    assert status(review) == after
    assert Decision.objects.get(officer="otto").reason == "income confirmed"


def test_a_dialog_that_is_sent_twice_decides_once(approver, review):
    answers = [decide(approver, review) for _ in range(2)]

    assert answers[0].status_code == 302
    assert Decision.objects.exclude(officer="").count() == 1


def test_a_decision_without_a_reason_is_sent_back(approver, review):
    answer = decide(approver, review, reason=" ")

    assert answer.status_code == 200
    assert "This field is required" in answer.content.decode()
    assert status(review) is ApplicationStatus.IN_REVIEW


def test_who_entered_it_is_told_that_somebody_else_decides(operator, env):
    run = engine.start_run(
        "lending.LoanApplication",
        **given(RISKY, amount="5951.00", term_months=48),
        actor=User.objects.get(username="olga"),
    )
    env.skip(timedelta(0))
    review = queries.find_by_run(run.id)

    answer = decide(operator, review)

    assert answer.status_code == 200
    assert "same_officer" in answer.content.decode()
    assert status(review) is ApplicationStatus.IN_REVIEW


def test_who_entered_it_is_offered_no_decision(operator, env):
    run = engine.start_run(
        "lending.LoanApplication",
        **given(RISKY, amount="5951.00", term_months=48),
        actor=User.objects.get(username="olga"),
    )
    env.skip(timedelta(0))
    dialog = url(Review, "decide", queries.find_by_run(run.id).id)

    queue = operator.get(url(Review, "changelist")).content.decode()
    page = operator.get(url(Review, "change", queries.find_by_run(run.id).id)).content.decode()

    assert dialog not in queue and "entered by you" in queue
    assert dialog not in page


def test_a_decision_that_came_too_late_is_told(approver, review):
    operations.decide_application(review.id, decision="decline", reason="no", actor="os:first")

    answer = decide(approver, review, Application)

    assert answer.status_code == 200
    assert "already_decided" in answer.content.decode()


def test_a_viewer_finds_no_button_and_no_dialog(viewer, review):
    assert (
        url(Application, "decide", review.id) not in viewer.get(url(Application, "change", review.id)).content.decode()
    )
    assert viewer.get(url(Review, "decide", review.id)).status_code == 403
    assert decide(viewer, review).status_code == 403
    assert status(review) is ApplicationStatus.IN_REVIEW


def test_a_dialog_of_a_row_that_is_not_there_is_not_found(approver, env):
    assert approver.get(url(Review, "decide", "00000000-0000-0000-0000-000000000001")).status_code == 404
    assert approver.get(url(Review, "decide", "nonsense")).status_code == 404


def test_a_dialog_takes_no_other_method(approver, review):
    assert approver.put(url(Review, "decide", review.id)).status_code == 405


# --- Offers, payouts, cases ------------------------------------------------------------------------------------------


def test_an_offer_is_accepted_from_the_applications_page(operator, env):
    result = env.run(LoanApplicationWorkflow, **given())
    accept = url(Application, "accept", result.application_id)
    assert accept in operator.get(url(Application, "change", result.application_id)).content.decode()

    assert operator.get(accept).status_code == 200
    assert Loan.objects.count() == 0
    assert operator.post(accept, {}).status_code == 302

    assert Loan.objects.get().accepted_by == "olga"


def test_a_loan_leads_to_the_dialog_that_pays_it_out(operator, viewer, env):
    result = env.run(LoanApplicationWorkflow, **given())
    loan = operations.accept_offer(application_id=result.application_id, accepted_by="olga")

    page = operator.get(url(Loan, "change", loan.id)).content.decode()

    link = f"{reverse('admin:workflows_run_start')}?workflow=lending.LoanDisbursement&amp;loan_id={loan.id}"
    assert link in page
    assert str(loan.id) in operator.get(link.replace("&amp;", "&")).content.decode()
    assert link not in viewer.get(url(Loan, "change", loan.id)).content.decode()


def test_a_case_is_closed_with_a_reason(operator, content):
    case = ReceivableCase.objects.get()
    close = url(ReceivableCase, "close", case.pk)

    assert operator.post(close, {"reason": ""}).status_code == 200
    assert operator.post(close, {"reason": "paid in cash"}).status_code == 302

    closed = queries.get_case(case.pk)
    assert (closed.status, closed.closed_by, closed.reason) == (CaseStatus.CLOSED, "olga", "paid in cash")
    assert "case_closed" in operator.post(close, {"reason": "again"}).content.decode()


def test_a_case_is_not_closed_by_who_may_only_look(viewer, content):
    case = ReceivableCase.objects.get()

    assert viewer.post(url(ReceivableCase, "close", case.pk), {"reason": "x"}).status_code == 403
    assert queries.get_case(case.pk).status is CaseStatus.OPEN


def test_a_list_costs_the_same_however_long_it_is(viewer, env, django_assert_max_num_queries):
    for ending in ("2001", "2009", "2018", "2029"):
        env.start(LoanApplicationWorkflow, **given(ending, documents=()))
    env.skip(timedelta(0))

    with django_assert_max_num_queries(12):
        viewer.get(url(Review, "changelist"))

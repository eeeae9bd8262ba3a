"""The application workflow: checks side by side, score, approval with an offer and its letter, and every failure."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail

from finaegis.simulators.conditions import impose
from finaegis.simulators.models import Failure
from lending import activities, operations, queries
from lending.contracts import ApplicationStatus, DocumentStatus, LetterKind, ReviewCause
from lending.models import Application
from lending.workflows import FirstLoanApplicationWorkflow, LoanApplicationWorkflow
from tests.lending.applying import FRAUD, GOOD, NO_FILE, OUTAGE, RISKY, form, given, ssn_of
from tests.lending.failing import attempts, failing, status, steps, undone
from workflows import NonRetryable, Sensitive
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db

TRANSIENT = ConnectionError("no answer")
PERMANENT = NonRetryable("it never works", code="broken")
LARGE = {"amount": Decimal("5951.00"), "term_months": 48}


def start(env, ending=GOOD, **changes):
    return env.start(LoanApplicationWorkflow, **given(ending, **changes))


def application(run):
    return queries.get_overview(queries.find_by_run(run.id).id)


def test_a_good_application_is_approved_and_its_offer_sent(env):
    run = start(env)

    result = env.finish(run.id)

    assert (result.approved, result.decision) == (True, "approved")
    assert result.risk_score == result.results.score.score <= 70
    assert result.results.credit.file_found and not result.results.fraud.hit
    assert result.results.documents.status is DocumentStatus.VERIFIED
    assert (result.application_id, result.offer_id) == (application(run).id, application(run).offer.id)
    (letter,) = application(run).letters
    assert (letter.kind, letter.sent_at) == (LetterKind.OFFER, env.now)
    assert [item.subject for item in mail.outbox] == [letter.subject]


def test_the_result_at_the_doors_says_approved_risk_score_and_results(env):
    run = start(env)
    env.finish(run.id)

    shown = runs.get_run(run.id).result_json

    assert shown["approved"] is True
    assert Decimal(shown["risk_score"]) <= 70
    assert set(shown["results"]) == {"credit", "fraud", "documents", "score", "review"}


def test_the_checks_run_side_by_side_and_the_steps_in_order(env):
    run = start(env)
    env.finish(run.id)

    assert steps(run) == [
        (name, "completed")
        for name in (
            "register_application", "pull_credit", "screen_fraud", "verify_documents", "assess_application",
            "send_letter",
        )
    ]  # fmt: skip
    began = [entry.data["name"] for entry in runs.get_history(run.id) if entry.kind == "StepScheduled"]
    assert began[1:4] == ["lending.pull_credit", "lending.screen_fraud", "lending.verify_documents"]


def test_an_application_that_was_submitted_is_carried_by_its_run(env):
    submitted = operations.submit_application(form(), key="a-1")

    result = env.finish(submitted.run_id)

    assert result.application_id == submitted.id
    assert Application.objects.count() == 1


@pytest.mark.parametrize(
    ("ending", "changes", "cause"),
    [
        (RISKY, LARGE, ReviewCause.SCORE),
        (NO_FILE, {}, ReviewCause.NO_CREDIT_FILE),
        (OUTAGE, {}, ReviewCause.BUREAU_UNAVAILABLE),
        (FRAUD, {}, ReviewCause.FRAUD),
        (GOOD, {"documents": ()}, ReviewCause.DOCUMENTS_INCOMPLETE),
        (GOOD, {"documents": [{"kind": "payslip", "reference": "DOC-9001"}]}, ReviewCause.DOCUMENTS_FAILED),
    ],
)
def test_what_a_person_has_to_look_at_waits_for_a_person(env, ending, changes, cause):
    run = start(env, ending, **changes)

    env.skip(timedelta(days=1))

    assert status(run) == "waiting"
    assert application(run).status is ApplicationStatus.IN_REVIEW
    assert cause in application(run).causes
    assert mail.outbox == []


@pytest.mark.parametrize("party", ["credit_bureau", "fraud_scoring", "document_verification"])
def test_a_check_that_fails_once_is_made_again(env, party):
    impose(party=party, failure=Failure.NOT_TAKEN)
    run = start(env)

    assert env.finish(run.id).approved


@pytest.mark.parametrize(
    ("party", "cause"),
    [
        ("credit_bureau", ReviewCause.BUREAU_UNAVAILABLE),
        ("fraud_scoring", ReviewCause.FRAUD_UNAVAILABLE),
        ("document_verification", ReviewCause.DOCUMENTS_UNAVAILABLE),
    ],
)
def test_a_check_that_cannot_be_made_is_for_a_person_and_stops_no_other(env, party, cause):
    impose(party=party, failure=Failure.NOT_TAKEN, times=None)
    run = start(env)

    env.skip(timedelta(minutes=10))

    assert cause in application(run).causes
    assert sum(found is not None for found in vars_of(application(run).checks)) == 2
    assert [outcome for _, outcome in steps(run)].count("failed") == 1


def vars_of(checks):
    return checks.credit, checks.fraud, checks.documents


def test_a_check_is_tried_three_times(env):
    run = start(env, OUTAGE)

    env.skip(timedelta(minutes=10))

    assert attempts(run, "pull_credit") == [3]


STEPS = ["register_application", "assess_application", "send_letter"]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_fails_once_is_tried_again(env, monkeypatch, name):
    with failing(monkeypatch, name, TRANSIENT):
        run = start(env)
        assert env.finish(run.id).approved

    assert attempts(run, name) == [2]


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_fails_for_good_waits_for_an_operator_who_has_it_tried_again(env, monkeypatch, name):
    with failing(monkeypatch, name, PERMANENT):
        run = start(env)
        env.skip(timedelta(minutes=10))
    assert status(run) == "held: failure"
    assert runs.get_run(run.id).error["code"] in ("broken", "activity_failed")

    engine.retry_run(run.id, reason="it works again")

    assert env.finish(run.id).approved
    assert len(mail.outbox) == 1


def test_a_review_that_cannot_be_requested_waits_for_an_operator_too(env, monkeypatch):
    with failing(monkeypatch, "request_review", PERMANENT):
        run = start(env, RISKY, **LARGE)
        env.skip(timedelta(minutes=10))
    assert status(run) == "held: failure"

    engine.retry_run(run.id, reason="it works again")
    env.skip(timedelta(0))

    assert application(run).status is ApplicationStatus.IN_REVIEW


def test_a_failed_application_that_is_given_up_is_withdrawn(env, monkeypatch):
    env.expect_compensation(activities.withdraw_application)
    with failing(monkeypatch, "assess_application", PERMANENT):
        run = start(env)
        env.skip(timedelta(minutes=10))

    engine.compensate_run(run.id, reason="the applicant asked")
    env.skip(timedelta(minutes=10))

    assert (status(run), undone(run)) == ("compensated", ["withdraw_application"])
    assert application(run).status is ApplicationStatus.WITHDRAWN


def test_a_mail_system_that_is_away_for_a_day_gets_the_letter_once(env, monkeypatch):
    with failing(monkeypatch, "send_letter", *[TRANSIENT] * 20):
        run = start(env)
        env.finish(run.id)

    assert len(mail.outbox) == 1
    assert env.now > runs.get_run(run.id).created_at + timedelta(hours=10)


def test_a_cancel_while_a_check_backs_off_withdraws_the_application(env):
    run = start(env, OUTAGE)
    env.skip(timedelta(0))

    engine.cancel_run(run.id, reason="the applicant asked")
    env.skip(timedelta(minutes=10))

    assert status(run) == "cancelled"
    assert application(run).status is ApplicationStatus.WITHDRAWN


@pytest.mark.parametrize("name", ["assess_application", "send_letter"])
def test_a_cancel_while_a_step_backs_off_withdraws_the_application_and_its_offer(env, monkeypatch, name):
    with failing(monkeypatch, name, *[TRANSIENT] * 2):
        run = start(env)
        env.skip(timedelta(0))
        engine.cancel_run(run.id, reason="the applicant asked")
        env.skip(timedelta(hours=10))

    assert status(run) == "cancelled"
    overview = application(run)
    assert overview.status is ApplicationStatus.WITHDRAWN
    assert overview.offer is None or overview.offer.status == "withdrawn"
    assert mail.outbox == []


def test_a_cancel_before_anything_happened_ends_at_once(env):
    run = start(env)

    engine.cancel_run(run.id, reason="entered twice")

    assert status(run) == "cancelled"
    assert queries.find_by_run(run.id) is None


def test_a_start_for_a_person_with_an_open_application_is_refused(env):
    start(env)
    env.skip(timedelta(0))

    with pytest.raises(Exception) as refused:
        start(env)

    assert refused.value.code == "application_open"
    assert len(runs.list_runs()) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ssn": Sensitive("000-12-3456")}, "invalid_ssn"),
        ({"amount": Decimal(0)}, "amount_not_positive"),
        ({"currency": "XXX"}, "currency_not_lent"),
        ({"term_months": 0}, "invalid_input"),
        ({"amount": "1e5"}, "invalid_input"),
        ({"attributes": {"telephone": "yes"}}, "invalid_input"),
    ],
)
def test_a_start_that_makes_no_application_is_refused_and_nothing_is_written(env, changes, code):
    with pytest.raises(Exception) as refused:
        start(env, **changes)

    assert refused.value.code == code
    assert runs.list_runs() == []


def test_nothing_is_forgotten_when_the_worker_is_restarted(env):
    run = start(env, RISKY, **LARGE)
    env.skip(timedelta(0))
    env.restart()

    operations.decide_application(application(run).id, decision="decline", reason="too risky", actor="os:olga")

    assert env.finish(run.id).decision == "declined"


# --- The first form --------------------------------------------------------------------------------------------------


def first(env, ending=GOOD, **changes):
    return env.start(FirstLoanApplicationWorkflow, **given(ending, **changes))


def test_the_first_form_approves_too_and_writes_no_letter(env):
    run = first(env)

    result = env.finish(run.id)

    assert (result.approved, runs.get_run(run.id).version) == (True, 1)
    assert mail.outbox == []


def test_the_first_form_ends_when_a_review_is_requested(env):
    run = first(env, RISKY, **LARGE)

    result = env.finish(run.id)

    assert (result.approved, result.decision, result.offer_id) == (False, "review", None)
    assert result.risk_score > 70
    assert application(run).status is ApplicationStatus.IN_REVIEW


def test_the_first_form_undoes_its_application_when_a_step_fails_for_good(env, monkeypatch):
    with failing(monkeypatch, "assess_application", PERMANENT):
        run = first(env)
        env.skip(timedelta(minutes=10))

    assert (status(run), undone(run)) == ("compensated", ["withdraw_application"])
    assert application(run).status is ApplicationStatus.WITHDRAWN


def test_a_new_application_takes_the_second_form_and_the_first_can_be_asked_for(env):
    second = operations.submit_application(form())
    operations.withdraw_application(application_id=second.id)
    older = operations.submit_application(form(), version=1)

    assert [runs.get_run(item.run_id).version for item in (second, older)] == [2, 1]


def test_the_ssn_is_shown_nowhere_in_a_run(env):
    run = start(env)
    env.finish(run.id)

    shown = repr((runs.get_run(run.id), runs.list_steps(run.id), runs.get_history(run.id)))

    assert ssn_of(GOOD) not in shown
    assert ssn_of(GOOD).replace("-", "") not in shown

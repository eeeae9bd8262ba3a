"""Lending over REST: applications, decisions, offers, loans and payouts; who may, what is refused, what is written."""

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from ledger.models import Transfer
from lending import queries
from lending.models import Application, Loan
from tests.lending.applying import balance, fund
from tests.lending.doors import BODY, RISKY, holder, member, problem
from workflows.models import AuditEntry, HistoryEvent, Run

pytestmark = pytest.mark.django_db

APPLICATIONS = "/api/v1/lending/applications/"
LOANS = "/api/v1/lending/loans/"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()


@pytest.fixture
def operator(env):
    return member("operator", "olga")


@pytest.fixture
def approver(env):
    return member("approver", "otto")


def counted():
    kinds = (Run, HistoryEvent, AuditEntry, Transfer, Application, Loan)
    return {kind.__name__: kind.objects.count() for kind in kinds}


def apply(client, body=BODY, **headers):
    return client.post(APPLICATIONS, body, format="json", headers=headers)


def url(application, act=""):
    return f"{APPLICATIONS}{application['id']}/{act}"


def in_review(env, client):
    application = apply(client, RISKY).json()
    env.skip(timedelta(0))
    return application


def lent(env, client):
    fund()
    application = apply(client).json()
    env.skip(timedelta(0))
    return client.post(url(application, "accept/"), {}, format="json").json()


def disburse(client, loan, key="pay-1", **headers):
    return client.post(f"{LOANS}{loan['id']}/disburse/", {}, format="json", headers={"Idempotency-Key": key, **headers})


# --- Applying --------------------------------------------------------------------------------------------------------


def test_an_application_is_made_and_read_at_once(operator):
    made = apply(operator)

    assert made.status_code == 201
    body = made.json()
    assert (body["status"], body["risk_score"], body["entered_by"]) == ("submitted", None, "olga")
    assert body["amount"] == {"amount": "2096.00", "currency": "EUR"}
    assert made["Location"].endswith(url(body))
    assert operator.get(url(body)).json()["run_id"] == body["run_id"]


def test_no_answer_shows_the_ssn(operator, env):
    made = apply(operator)
    env.skip(timedelta(0))
    answers = [
        made,
        operator.get(url(made.json())),
        operator.get(APPLICATIONS),
        operator.get(f"/api/v1/runs/{made.json()['run_id']}/"),
        operator.get(f"/api/v1/runs/{made.json()['run_id']}/history/"),
        operator.get(f"/api/v1/runs/{made.json()['run_id']}/steps/"),
    ]

    for answer in answers:
        assert answer.status_code in (200, 201)
        assert "900-55-2002" not in answer.content.decode()
        assert "900552002" not in answer.content.decode()


def test_the_same_key_gives_the_same_application(operator):
    first, again = (apply(operator, **{"Idempotency-Key": "a-1"}) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


def test_the_same_key_with_another_body_is_a_conflict(operator):
    apply(operator, **{"Idempotency-Key": "a-1"})

    answer = apply(operator, {**BODY, "amount": "2097.00"}, **{"Idempotency-Key": "a-1"})

    assert problem(answer) == (409, "key_conflict")


def test_an_application_that_was_waited_for_shows_its_decision(operator):
    answer = apply(operator, Prefer="wait=10")

    assert answer.status_code == 201
    assert answer["Preference-Applied"] == "wait=10"
    assert answer.json()["status"] == "approved"


def test_one_that_a_person_has_to_decide_is_accepted_and_open(operator):
    answer = apply(operator, RISKY, Prefer="wait=0")

    assert answer.status_code == 202
    assert answer.json()["status"] in ("submitted", "in_review")


def test_an_applicant_with_an_open_application_is_refused_and_nothing_is_written(operator):
    apply(operator)
    before = counted()

    assert problem(apply(operator)) == (422, "application_open")
    assert counted() == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ssn": "000-12-3456"}, "invalid_ssn"),
        ({"ssn": 900552002}, "invalid_input"),
        ({"amount": "0.00"}, "amount_not_positive"),
        ({"amount": "10.005"}, "amount_too_precise"),
        ({"amount": "1e3"}, "invalid_input"),
        ({"amount": 10.5}, "invalid_input"),
        ({"currency": "XXX"}, "currency_not_lent"),
        ({"term_months": 0}, "invalid_input"),
        ({"term_months": "12"}, "invalid_input"),
        ({"attributes": {"age": 40}}, "invalid_input"),
        ({"documents": "payslip"}, "invalid_input"),
        ({"email": "nobody"}, "invalid_input"),
        ({"sex": "f"}, "invalid_input"),
        ({"applicant": ""}, "invalid_input"),
    ],
)
def test_a_body_that_makes_no_application_is_refused_and_nothing_is_written(operator, changes, code):
    before = counted()

    answer = apply(operator, {**BODY, **changes})

    assert problem(answer) == (422, code)
    assert "900-55-2002" not in answer.content.decode()
    assert counted() == before


def test_a_field_that_does_not_fit_is_told_in_plain_words(operator):
    answer = apply(operator, {**BODY, "amount": "-5.00"})

    assert answer.json()["detail"] == "amount: must be a plain decimal text such as 1500.00"


def test_applications_are_listed_newest_first_by_status_and_page(operator, env):
    first = apply(operator).json()
    env.now += timedelta(minutes=1)
    second = apply(operator, RISKY).json()
    env.skip(timedelta(0))

    listed = operator.get(APPLICATIONS, {"limit": 1}).json()

    assert [item["id"] for item in listed["results"]] == [second["id"]]
    assert [item["id"] for item in operator.get(listed["next"]).json()["results"]] == [first["id"]]
    in_review = operator.get(APPLICATIONS, {"status": "in_review"}).json()["results"]
    assert [item["id"] for item in in_review] == [second["id"]]


def test_an_application_shows_checks_score_decisions_and_offer(operator, env):
    application = apply(operator).json()
    env.skip(timedelta(0))

    shown = operator.get(url(application)).json()

    assert shown["checks"]["credit"]["file_found"] is True
    assert shown["score"]["policy_version"]
    assert [item["verdict"] for item in shown["decisions"]] == ["approve"]
    assert shown["offer"]["terms"]["principal"] == {"amount": "2096.00", "currency": "EUR"}
    assert [item["kind"] for item in shown["letters"]] == ["offer"]


def test_an_unknown_application_is_not_found(operator):
    nowhere = {"id": uuid.UUID(int=7)}

    assert problem(operator.get(url(nowhere)))[0] == 404
    assert problem(operator.get(f"{APPLICATIONS}nonsense/"))[0] == 404
    assert problem(operator.post(url(nowhere, "accept/"), {}, format="json"))[0] == 404
    body = {"decision": "approve", "reason": "x"}
    assert problem(operator.post(url(nowhere, "decision/"), body, format="json"))[0] == 404


# --- Deciding --------------------------------------------------------------------------------------------------------


def decide(client, application, decision="approve", **changes):
    body = {"decision": decision, "reason": "income confirmed", **changes}
    return client.post(url(application, "decision/"), body, format="json")


def test_an_approver_decides_what_an_operator_entered(operator, approver, env):
    application = in_review(env, operator)

    answer = decide(approver, application)

    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert operator.get(url(application)).json()["decisions"][-1]["actor"] == "otto"


def test_a_decline_is_told(operator, approver, env):
    application = in_review(env, operator)

    assert decide(approver, application, "decline").json()["status"] == "declined"


def test_who_entered_it_does_not_decide_it(operator, env):
    application = in_review(env, operator)

    assert problem(decide(operator, application)) == (403, "same_officer")
    assert operator.get(url(application)).json()["status"] == "in_review"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": " "}, "reason_required"),
        ({"decision": "maybe"}, "invalid_decision"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(operator, approver, env, changes, code):
    application = in_review(env, operator)
    before = counted()

    assert problem(decide(approver, application, **changes))[1] == code
    assert counted() == before


def test_a_decided_application_is_not_decided_again(operator, approver, env):
    application = in_review(env, operator)
    decide(approver, application)

    assert problem(decide(member("approver"), application, "decline"))[1] == "already_decided"


def test_the_engines_own_door_does_not_decide(operator, env):
    application = in_review(env, operator)
    body = {"args": ["approve", "because", "otto", "forged"]}

    answer = operator.post(f"/api/v1/runs/{application['run_id']}/updates/decide/", body, format="json")

    assert answer.status_code >= 400
    assert operator.get(url(application)).json()["status"] == "in_review"


# --- Offers, loans, payouts ------------------------------------------------------------------------------------------


def test_accepting_makes_the_loan_once(operator, env):
    application = apply(operator).json()
    env.skip(timedelta(0))

    first, again = (operator.post(url(application, "accept/"), {}, format="json") for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    loan = first.json()
    assert (loan["status"], loan["run_id"], loan["application_id"]) == ("accepted", None, application["id"])
    assert again.json() == loan
    assert first["Location"].endswith(f"{LOANS}{loan['id']}/")
    assert operator.get(url(application)).json()["loan_id"] == loan["id"]


def test_an_expired_offer_is_not_accepted(operator, env):
    application = apply(operator).json()
    env.skip(timedelta(days=30))

    assert problem(operator.post(url(application, "accept/"), {}, format="json"))[1] == "offer_expired"


def test_a_loan_is_paid_out_and_shows_its_schedule(operator, env):
    loan = lent(env, operator)

    answer = disburse(operator, loan, Prefer="wait=10")

    assert (answer.status_code, answer.json()["status"]) == (201, "completed")
    assert answer.json()["result"]["success"] is True
    assert answer.json()["result"]["disbursed_amount"] == {"amount": "2096.00", "currency": "EUR"}
    shown = operator.get(f"{LOANS}{loan['id']}/").json()
    assert (shown["status"], len(shown["schedule"])) == ("active", 12)
    assert shown["disbursements"][0]["id"] == answer.json()["result"]["transaction_id"]
    assert balance(shown["ledger_owner"], "current") == "2096.00"


def test_a_payout_needs_a_key(operator, env):
    loan = lent(env, operator)

    answer = operator.post(f"{LOANS}{loan['id']}/disburse/", {}, format="json")

    assert problem(answer) == (400, "idempotency_key_required")


def test_a_payout_that_is_repeated_pays_once(operator, env):
    loan = lent(env, operator)

    first, again = disburse(operator, loan), disburse(operator, loan)
    env.skip(timedelta(0))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert balance("lending", "funding") == "97904.00"


def test_a_loan_that_was_paid_out_is_not_paid_out_under_another_key(operator, env):
    loan = lent(env, operator)
    disburse(operator, loan, Prefer="wait=10")

    assert problem(disburse(operator, loan, "pay-2"))[1] == "disbursement_exists"


def test_an_unknown_loan_is_not_found(operator):
    nowhere = {"id": uuid.UUID(int=7)}

    assert problem(operator.get(f"{LOANS}{nowhere['id']}/"))[0] == 404
    assert problem(disburse(operator, nowhere))[0] == 404


def test_loans_are_listed(operator, env):
    loan = lent(env, operator)

    assert [item["id"] for item in operator.get(LOANS).json()["results"]] == [loan["id"]]
    assert operator.get(LOANS, {"status": "active"}).json()["results"] == []


# --- Who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_viewers_and_auditors_read_and_write_nothing(operator, env, role):
    loan, client = lent(env, operator), member(role)
    application = in_review(env, operator)
    before = counted()

    reads = (APPLICATIONS, url(application), LOANS, f"{LOANS}{loan['id']}/")
    assert [client.get(path).status_code for path in reads] == [200] * 4
    answers = [
        apply(client),
        decide(client, application),
        client.post(url(application, "accept/"), {}, format="json"),
        disburse(client, loan),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert counted() == before


def test_an_approver_reads_and_decides_and_no_more(operator, approver, env):
    loan, application = lent(env, operator), in_review(env, operator)

    assert approver.get(url(application)).status_code == 200
    assert [apply(approver).status_code, disburse(approver, loan).status_code] == [403, 403]
    assert decide(approver, application).status_code == 200


def test_each_act_asks_for_its_own_permission(env):
    client = holder("lending.view_application")

    assert client.get(APPLICATIONS).status_code == 200
    assert client.get(LOANS).status_code == 403
    assert apply(client).status_code == 403


def test_nobody_gets_in_without_a_name(env):
    assert problem(APIClient().get(APPLICATIONS))[0] == 401


def test_the_overview_is_that_of_the_queries(operator, env):
    application = apply(operator).json()
    env.skip(timedelta(0))

    assert (
        str(queries.get_overview(uuid.UUID(application["id"])).risk_score)
        == (operator.get(url(application)).json()["risk_score"])
    )

"""Risk over REST: assessments started and listed, and the saga of an account."""

import uuid
from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem
from tests.treasury.risky import make_risky, open_account

pytestmark = pytest.mark.django_db

NOW = timedelta(0)


@pytest.fixture
def env(workflow_env):
    workflow_env.now = workflow_env.now.replace(month=7, day=15)
    return workflow_env


@pytest.fixture
def risky(env, account):
    """An account that its saga has assessed and mitigated."""
    account = open_account()
    make_risky(account)
    env.skip(NOW)
    return account


def address(account_id, what):
    return f"/api/v1/treasury/accounts/{account_id}/{what}/"


def assess(client, account_id, body=None, key="k"):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(address(account_id, "risk-assessments"), body or {}, headers=headers)


def test_an_assessment_is_started_and_read_when_it_is_done(operator, env, account):
    started = assess(operator, account.id)
    env.skip(NOW)

    body = started.json()
    assert (started.status_code, body["id"] == body["run_id"], body["status"]) == (201, True, "pending")
    (listed,) = operator.get(address(account.id, "risk-assessments")).json()["results"]
    assert listed["run_id"] == body["run_id"]
    assert (listed["score"], listed["cause"], listed["reasons"]) == ("30.00", "request", ["concentration"])
    assert listed["inputs"]["operating"] == {"amount": "1000000.00", "currency": "USD"}
    assert [item["reason"] for item in listed["components"]] == ["concentration", "liquidity", "volatility", "size"]


def test_the_same_key_is_the_same_run(operator, env, account, written):
    first = assess(operator, account.id)
    before = written()

    again = assess(operator, account.id)

    assert (again.status_code, again.json()["run_id"]) == (200, first.json()["run_id"])
    assert written() == before


def test_the_key_of_another_account_is_a_conflict(operator, env, account, risky):
    assess(operator, account.id)

    assert_problem(assess(operator, risky.id), 409, "key_conflict")


@pytest.mark.parametrize(
    ("body", "key", "status", "code"),
    [
        ({}, None, 400, "idempotency_key_required"),
        ({"score": 1}, "k", 422, "invalid_input"),
        ({"reason": 7}, "k", 422, "invalid_input"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_and_nothing_is_written(
    operator, env, account, written, body, key, status, code
):
    before = written()

    answer = assess(operator, account.id, body, key)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert written() == before


@pytest.mark.parametrize("what", ["risk", "risk-assessments"])
def test_an_unknown_account_is_not_found(operator, env, written, what):
    before = written()

    assert operator.get(address(uuid.UUID(int=7), what)).status_code == 404
    if what == "risk-assessments":
        assert assess(operator, uuid.UUID(int=7)).status_code == 404
    assert written() == before


def test_assessments_are_read_page_by_page(operator, env, risky):
    first = operator.get(address(risky.id, "risk-assessments"), {"limit": 1}).json()
    second = operator.get(first["next"]).json()

    assert {first["results"][0]["cause"], second["results"][0]["cause"]} == {"opening", "mitigation"}
    assert second["next"] is None


def test_the_saga_of_an_account_is_read(operator, env, risky):
    risk = operator.get(address(risky.id, "risk")).json()

    saga = risk["saga"]
    assert (risk["run_status"], saga["status"], saga["workflow_id"]) == ("waiting", "monitoring", saga["id"])
    assert [(step["name"], step["score"]) for step in saga["steps"]] == [
        ("assessment", "70.38"),
        ("mitigation", "33.63"),
    ]
    assert saga["mitigation_workflow"] == saga["steps"][1]["run_id"]
    assert [hedge["notional"]["amount"] for hedge in risk["hedges"]] == ["909681.25"]


def test_an_account_without_saga_has_none(operator, env, account):
    risk = operator.get(address(account.id, "risk")).json()

    assert risk == {
        "account_id": str(account.id), "run_status": None, "saga": None, "assessment": None, "hedges": [],
    }  # fmt: skip


def test_who_may_only_look_starts_nothing(viewer, env, account, written):
    before = written()

    assert assess(viewer, account.id).status_code == 403
    assert viewer.get(address(account.id, "risk")).status_code == 200
    assert written() == before


@pytest.mark.parametrize(
    ("permissions", "what"),
    [
        ((), "risk-assessments"),
        (("treasury.view_riskassessment",), "risk"),
        (("treasury.view_riskassessment", "treasury.view_hedgeposition"), "risk"),
    ],
)
def test_each_permission_is_needed(client_with, env, account, permissions, what):
    assert client_with(*permissions).get(address(account.id, what)).status_code == 403


def test_nobody_is_told_anything(anonymous, env, account):
    assert anonymous.get(address(account.id, "risk")).status_code == 401
    assert assess(anonymous, account.id).status_code == 401

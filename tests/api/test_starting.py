"""POST runs/: what a start answers, and what a key means."""

import uuid
from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem
from workflows.models import AuditEntry, Run

pytestmark = pytest.mark.django_db


def start(client, workflow="rest.Addition", input=None, headers=None, **more):
    body = {"workflow": workflow, "input": {"n": 1} if input is None else input, **more}
    return client.post("/api/v1/runs/", body, headers=headers or {})


def test_a_start_is_201_with_the_run_and_where_it_is(operator):
    response = start(operator, key="k")

    body = response.json()
    assert response.status_code == 201
    assert response["Location"] == body["url"] == f"http://testserver/api/v1/runs/{body['id']}/"
    assert (body["workflow"], body["version"], body["key"], body["status"]) == ("rest.Addition", 1, "k", "pending")
    assert (body["input"], body["result"], body["error"]) == ({"n": 1, "note": ""}, None, None)
    assert (body["requested"], body["hold_reason"], body["closed_at"], body["rerun_of"]) == (None, None, None, None)
    assert (body["actor"], body["attempt"]) == ("operator", 1)
    assert body["created_at"].endswith("Z")


def test_the_id_is_found_in_the_same_second(operator):
    body = start(operator).json()

    assert operator.get(f"/api/v1/runs/{body['id']}/").json() == body


def test_the_act_is_recorded_with_who_and_why(operator):
    start(operator, reason="month end")

    (entry,) = AuditEntry.objects.all()
    assert (entry.act, entry.actor, entry.reason) == ("start", "operator", "month end")


def test_without_input_the_workflow_takes_none(operator):
    response = operator.post("/api/v1/runs/", {"workflow": "rest.Nap"})

    assert response.status_code == 201


def test_a_known_key_with_the_same_input_is_200_with_the_same_run(operator, written):
    first = start(operator, key="k").json()
    before = written()

    again = start(operator, key="k")

    assert (again.status_code, again.json()) == (200, first)
    assert written() == before


def test_equal_inputs_are_told_by_value_not_by_spelling(operator):
    first = start(operator, key="k", input={"n": 1})

    again = start(operator, key="k", input={"note": "", "n": 1})

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_a_known_key_with_another_input_is_a_conflict_that_names_the_run(operator, written):
    first = start(operator, key="k").json()
    before = written()

    response = start(operator, key="k", input={"n": 2})

    assert assert_problem(response, 409, "key_conflict")["run_id"] == first["id"]
    assert written() == before


def test_a_key_belongs_to_one_workflow(operator):
    start(operator, key="k")

    assert start(operator, "rest.Booking", key="k").status_code == 201


def test_the_header_is_the_key_where_the_body_has_none(operator):
    first = start(operator, headers={"Idempotency-Key": "from-header"})

    again = start(operator, key="from-header")

    assert first.json()["key"] == "from-header"
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_header_and_body_may_name_the_same_key(operator):
    response = start(operator, key="k", headers={"Idempotency-Key": "k"})

    assert (response.status_code, response.json()["key"]) == (201, "k")


def test_header_and_body_with_different_keys_are_400(operator, written):
    before = written()

    response = start(operator, key="k", headers={"Idempotency-Key": "other"})

    assert_problem(response, 400, "idempotency_key_mismatch")
    assert written() == before


@pytest.mark.parametrize("key", ["", " ", "ä", "x" * 256])
def test_a_header_that_is_no_key_is_400(operator, key):
    assert_problem(start(operator, headers={"Idempotency-Key": key}), 400, "invalid_idempotency_key")


def test_a_null_key_is_no_key(operator):
    assert start(operator, key=None).json()["key"] is None


def test_a_delay_is_in_seconds(operator):
    body = start(operator, delay=3600).json()

    run = Run.objects.get(pk=body["id"])
    assert run.wake_at - run.created_at == timedelta(hours=1)


def test_a_version_that_is_not_registered_is_refused(operator):
    assert_problem(start(operator, version=9), 422, "unknown_workflow")


def test_a_start_check_refuses_with_its_own_code(operator, account, written):
    before = written()
    input = {"account_id": str(uuid.uuid4()), "amount": {"amount": "1.00", "currency": "USD"}, "strategy": "balanced"}

    response = start(operator, "treasury.CashManagement", input)

    assert_problem(response, 422, "unknown_account")
    assert written() == before


@pytest.mark.parametrize("name", ["key", "actor", "reason", "delay", "version", "workflow", "self"])
def test_an_input_cannot_reach_the_operations_own_arguments(operator, written, name):
    before = written()

    response = start(operator, input={"n": 1, name: "root"})

    assert_problem(response, 422, "invalid_input")
    assert written() == before


def test_a_sensitive_value_is_masked_in_every_answer(operator, workflow_env):
    body = start(operator, "rest.Secret", {"secret": "123-45-6789"}).json()
    workflow_env.skip(timedelta(0))

    shown = [operator.get(f"/api/v1/runs/{body['id']}/{part}").content.decode() for part in ("", "steps/", "history/")]
    assert "123-45-6789" not in "".join([str(body), *shown])


def test_a_sensitive_value_is_not_echoed_by_a_refusal(operator):
    response = start(operator, "rest.Secret", {"secret": "123-45-6789", "n": "123-45-6789"})

    assert_problem(response, 422, "invalid_input")
    assert "123-45-6789" not in response.content.decode()


def test_a_start_needs_its_permission(viewer, written):
    before = written()

    assert_problem(start(viewer), 403, "permission_denied")
    assert written() == before


def test_a_start_needs_a_user(anonymous, written):
    before = written()

    assert_problem(start(anonymous), 401, "not_authenticated")
    assert written() == before

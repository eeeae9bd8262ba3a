"""`Prefer: wait=`: the closed run if it closes in time, else 202 and where to look."""

from datetime import timedelta
from threading import BoundedSemaphore

import pytest
from rest_framework.test import APIRequestFactory

from workflows.api import answers
from workflows.api.headers import preferred_wait

pytestmark = pytest.mark.django_db


def start(client, workflow="rest.Addition", input=None, prefer="wait=10", **more):
    body = {"workflow": workflow, "input": {"n": 1} if input is None else input, **more}
    return client.post("/api/v1/runs/", body, headers={"Prefer": prefer})


def test_a_run_that_closes_in_time_is_answered_closed(operator, workflow_env):
    response = start(operator)

    assert response.status_code == 201
    assert (response.json()["status"], response.json()["result"]) == ("completed", 2)
    assert response["Preference-Applied"] == "wait=10"


def test_the_run_of_a_known_key_is_waited_for_too(operator, workflow_env):
    operator.post("/api/v1/runs/", {"workflow": "rest.Addition", "input": {"n": 1}, "key": "k"})

    response = start(operator, key="k")

    assert (response.status_code, response.json()["status"]) == (200, "completed")


def test_a_run_that_stays_open_is_202_with_its_address(operator, workflow_env):
    response = start(operator, "rest.Refused", prefer="wait=1")

    assert response.status_code == 202
    assert (response.json()["status"], response.json()["hold_reason"]) == ("held", "failure")
    assert response["Location"] == response.json()["url"]
    assert operator.get(response["Location"]).json()["id"] == response.json()["id"]


def test_waiting_no_time_at_all_is_a_look(operator, workflow_env):
    response = start(operator, prefer="wait=0")

    assert (response.status_code, response.json()["status"]) == (202, "pending")


def test_where_too_many_wait_the_run_is_told_as_it_stands(operator, workflow_env, monkeypatch):
    monkeypatch.setattr(answers, "WAITING", BoundedSemaphore(1))
    monkeypatch.setattr(answers, "PATIENCE", timedelta(0))

    with answers.WAITING:
        response = start(operator)

    assert (response.status_code, response.json()["status"]) == (202, "pending")
    assert "Preference-Applied" not in response
    assert start(operator)["Preference-Applied"] == "wait=10"


def test_an_act_is_answered_with_the_closed_run(operator, workflow_env):
    run_id = start(operator, "rest.Booking").json()["id"]

    response = operator.post(f"/api/v1/runs/{run_id}/compensate/", {"reason": "wrong"}, headers={"Prefer": "wait=5"})

    assert (response.status_code, response.json()["status"]) == (200, "compensated")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("respond-async, wait=10", 10),
        ("WAIT = 10; foo=bar", 10),
        ('wait="10"', 10),
        ("wait=600", 30),
        ("wait=99999999", 30),
        ("wait=-1", None),
        ("wait=abc", None),
        ("wait=1.5", None),
        ("nowait=10", None),
        ("", None),
    ],
)
def test_what_is_legible_is_honoured_up_to_thirty_seconds(header, seconds):
    request = APIRequestFactory().post("/", headers={"Prefer": header})

    assert preferred_wait(request) == (None if seconds is None else timedelta(seconds=seconds))

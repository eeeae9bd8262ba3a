"""Updates over REST: answered, pending, rejected, failed, repeated; and starts that bring a message along."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem
from tests.talking import HaggleWorkflow
from workflows import operations, queries

RUNS = "/api/v1/runs/"
NOW = {"Prefer": "wait=0"}


@pytest.fixture
def env(workflow_env):
    return workflow_env


@pytest.fixture
def run(env):
    run = operations.start_run(HaggleWorkflow)
    env.skip(timedelta(0))
    return queries.get_run(run.id)


def path(run):
    return f"/api/v1/runs/{run.id}/updates/offer/"


def offer(client, run, amount, *, headers=None, **body):
    return client.post(path(run), {"input": {"amount": amount}, **body}, headers=headers or {})


def kinds(run):
    return [entry.kind for entry in queries.get_history(run.id)]


def test_an_update_is_answered(operator, run):
    response = offer(operator, run, 3, id="o-1", reason="to begin with", headers={"Prefer": "wait=5"})

    body = response.json()
    assert (response.status_code, response["Preference-Applied"]) == (200, "wait=5")
    assert (body["id"], body["name"], body["status"]) == ("o-1", "offer", "completed")
    assert (body["result"], body["error"], body["run_id"]) == ("3 is thought about", None, str(run.id))
    assert response["Location"] == body["url"]


def test_it_is_answered_without_being_asked_to_wait(operator, run):
    response = offer(operator, run, 3)

    assert (response.status_code, response.json()["result"]) == (200, "3 is thought about")
    assert "Preference-Applied" not in response


def test_an_argument_named_like_one_of_the_operation_is_the_messages(operator, run):
    operator.post(path(run), {"input": {"amount": 3, "reason": "mine"}, "reason": "the sender's"})

    (received,) = [entry for entry in queries.get_history(run.id) if entry.kind == "UpdateReceived"]
    assert (received.data["args"]["reason"], received.data["reason"]) == ("mine", "the sender's")


def test_one_that_is_not_answered_in_time_is_found_by_its_id(operator, env, run):
    pending = offer(operator, run, 3, id="o 1/2", headers=NOW)
    before = operator.get(pending["Location"]).json()
    env.skip(timedelta(0))
    after = operator.get(pending["Location"])

    assert (pending.status_code, pending.json()["status"], pending.json()["id"]) == (202, "waiting", "o 1/2")
    assert before == pending.json()
    assert (after.status_code, after.json()["status"], after.json()["result"]) == (
        200,
        "completed",
        "3 is thought about",
    )


def test_one_without_an_id_gets_one(operator, run):
    pending = offer(operator, run, 3, headers=NOW).json()

    assert operator.get(pending["url"]).json()["id"] == pending["id"]


@pytest.mark.parametrize("again", [{"id": "o-1"}, {"headers": {"Idempotency-Key": "o-1"}}])
def test_a_known_id_gets_its_stored_answer(operator, run, left, again):
    offer(operator, run, 3, id="o-1")
    before = left()

    response = offer(operator, run, 4, **again)

    assert (response.status_code, response.json()["result"]) == (200, "3 is thought about")
    assert left() == before


def test_a_known_id_gets_its_answer_after_the_runs_end_too(operator, run):
    offer(operator, run, 10, id="last")

    assert offer(operator, run, 10, id="last").json()["result"] == "10 is taken"
    assert queries.get_run(run.id).status == "completed"


def test_one_that_the_validator_rejects_leaves_no_trace_and_its_id_is_asked_anew(operator, run):
    history = kinds(run)

    assert_problem(offer(operator, run, 0, id="o-1"), 422, "too_small")

    assert kinds(run) == history
    assert operator.get(path(run) + "?id=o-1").json()["status"] == "rejected"
    assert offer(operator, run, 3, id="o-1").json()["result"] == "3 is thought about"


def test_one_whose_method_fails_tells_its_code_and_keeps_it(operator, run):
    first, second = offer(operator, run, 13, id="o-1"), offer(operator, run, 13, id="o-1")

    assert_problem(first, 422, "unlucky")
    assert_problem(second, 422, "unlucky")
    stored = operator.get(path(run) + "?id=o-1").json()
    assert (stored["status"], stored["error"]["code"]) == ("failed", "unlucky")
    assert kinds(run).count("UpdateCompleted") == 1


@pytest.mark.parametrize("given", [{}, {"amount": "three"}, {"amount": 3, "currency": "USD"}, []])
def test_arguments_that_do_not_fit_are_refused(operator, run, left, given):
    before = left()

    response = operator.post(path(run), {"input": given})

    assert_problem(response, 422, "invalid_input")
    assert left() == before


def test_a_closed_run_takes_no_update(operator, run, left):
    offer(operator, run, 10)
    before = left()

    body = assert_problem(offer(operator, run, 11), 409, "not_allowed_in_state")

    assert body["state"] == "completed"
    assert left() == before


def test_a_held_run_takes_no_update(operator, run, left):
    operations.pause_run(run.id, reason="lunch")
    before = left()

    assert_problem(offer(operator, run, 3), 409, "not_allowed_in_state")
    assert left() == before


def test_one_that_the_run_ended_without_answering_has_failed(operator, env):
    run = operations.start_run(HaggleWorkflow)
    pending = offer(operator, run, 3, id="o-1", headers=NOW)
    operations.cancel_run(run.id, reason="entered twice")

    body = operator.get(pending["Location"]).json()

    assert (body["status"], body["error"]["code"]) == ("failed", "run_closed")
    assert_problem(offer(operator, run, 3, id="o-1"), 409, "run_closed")


def test_an_update_that_nobody_sent_is_404(operator, run):
    assert_problem(operator.get(path(run) + "?id=none"), 404, "not_found")


@pytest.mark.parametrize("query", ["", "?id=", "?id=a&id=b", "?key=a"])
def test_an_update_is_looked_up_by_one_id(operator, run, query):
    assert_problem(operator.get(path(run) + query), 400, "invalid_query")


def test_a_viewer_may_look_an_update_up(operator, viewer, run):
    offer(operator, run, 3, id="o-1")

    assert viewer.get(path(run) + "?id=o-1").json()["result"] == "3 is thought about"


# --- Starts that bring a message along -------------------------------------------------------------------------------


def start(client, *, headers=None, **body):
    return client.post(RUNS, {"workflow": "talk.Haggle", "input": {"least": 5}, **body}, headers=headers or {})


def test_a_start_brings_a_signal_along(operator, env):
    said = {"name": "say", "input": {"text": "hello"}, "key": "first"}

    first = start(operator, key="h-1", signal=said)
    second = start(operator, key="h-1", signal={**said, "input": {"text": "again"}, "key": "second"})
    third = start(operator, key="h-1", signal=said)
    env.skip(timedelta(0))

    assert [response.status_code for response in (first, second, third)] == [201, 200, 200]
    assert len({response.json()["id"] for response in (first, second, third)}) == 1
    assert operator.get(f"{first.json()['url']}queries/said/").json()["result"] == [
        "hello (none, 0)",
        "again (none, 0)",
    ]


def test_a_start_brings_an_update_along(operator, env):
    response = start(operator, key="h-1", update={"name": "offer", "input": [7], "id": "o-1"})

    body = response.json()
    assert (response.status_code, body["workflow"], body["key"], body["status"]) == (
        200,
        "talk.Haggle",
        "h-1",
        "completed",
    )
    assert (body["update"]["status"], body["update"]["result"]) == ("completed", "7 is taken")
    assert response["Location"] == body["url"]


def test_an_update_of_a_start_that_is_not_answered_in_time_is_found_by_its_id(operator, env):
    response = start(operator, key="h-1", update={"name": "offer", "input": [7]}, headers=NOW)
    env.skip(timedelta(0))

    assert (response.status_code, response.json()["status"]) == (202, "pending")
    assert operator.get(response.json()["update"]["url"]).json()["result"] == "7 is taken"


def test_a_refused_update_of_a_start_names_the_run_that_stands(operator, env):
    body = assert_problem(start(operator, key="h-1", update={"name": "offer", "input": [0]}), 422, "too_small")

    assert queries.get_run(body["run_id"]).key == "h-1"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"signal": {"name": "shout"}}, "unknown_signal"),
        ({"update": {"name": "say"}}, "unknown_update"),
        ({"signal": {"name": "say", "input": {"text": 7}}}, "invalid_input"),
        ({"signal": {"input": {"text": "x"}}}, "invalid_input"),
        ({"signal": {"name": "say", "input": {"text": "x"}, "loud": True}}, "invalid_input"),
        ({"signal": {"name": "say", "input": ["x"]}, "update": {"name": "offer", "input": [7]}}, "invalid_input"),
        ({"signal": {"name": "say", "input": ["x"]}, "key": None}, "invalid_input"),
        ({"signal": {"name": "say", "input": ["x"]}, "input": {"least": "few"}}, "invalid_input"),
        ({"update": {"name": "offer", "input": [7]}, "version": 9}, "unknown_workflow"),
    ],
)
def test_a_start_with_a_message_that_does_not_fit_starts_nothing(operator, env, left, more, code):
    before = left()

    assert_problem(start(operator, **{"key": "h-1", **more}), 422, code)
    assert left() == before


def test_a_message_for_a_run_that_is_closed_starts_and_sends_nothing(operator, env, left):
    start(operator, key="h-1", update={"name": "offer", "input": [7]})
    before = left()

    assert_problem(start(operator, key="h-1", signal={"name": "say", "input": ["x"]}), 409, "not_allowed_in_state")
    assert left() == before


@pytest.mark.parametrize("held", ["workflows.start_run", "workflows.signal_run"])
def test_a_start_with_a_signal_needs_both_permissions(client_with, env, left, held):
    before = left()

    response = start(client_with(held), key="h-1", signal={"name": "say", "input": ["x"]})

    assert_problem(response, 403, "permission_denied")
    assert left() == before

"""Signals and queries over REST: what each answers, what each refuses, who may."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem
from tests.talking import HaggleWorkflow
from workflows import operations, queries
from workflows.core.definitions import registry
from workflows.models import AuditEntry


@pytest.fixture
def env(workflow_env):
    return workflow_env


@pytest.fixture
def run(env):
    """A run that waits."""
    run = operations.start_run(HaggleWorkflow)
    env.skip(timedelta(0))
    return queries.get_run(run.id)


def path(run, kind, name):
    return f"/api/v1/runs/{run.id}/{kind}/{name}/"


def say(client, run, *, headers=None, **body):
    return client.post(path(run, "signals", "say"), body, headers=headers or {})


def heard(run):
    return operations.query_run(run.id, "said")


# --- Signals ---------------------------------------------------------------------------------------------------------


def test_a_signal_is_accepted_and_delivered(operator, env, run):
    response = say(operator, run, input={"text": "good day"})
    env.skip(timedelta(0))

    assert response.status_code == 202
    assert (response.json()["id"], response["Location"]) == (str(run.id), response.json()["url"])
    assert heard(run) == ["good day (none, 0)"]


def test_arguments_are_given_by_name_or_in_order(operator, env, run):
    say(operator, run, input=["first", "why", 1])
    say(operator, run, input={"key": 2, "text": "second", "reason": "because"})
    env.skip(timedelta(0))

    assert heard(run) == ["first (why, 1)", "second (because, 2)"]


def test_an_argument_named_like_one_of_the_operation_is_the_messages(operator, run):
    say(operator, run, input={"text": "x", "reason": "the message's"}, reason="the sender's")

    entry = AuditEntry.objects.get(act="signal")
    assert (entry.actor, entry.reason, entry.run_id) == ("operator", "the sender's", run.id)


@pytest.mark.parametrize("again", [{"key": "k"}, {"headers": {"Idempotency-Key": "k"}}])
def test_a_key_signals_once(operator, env, run, left, again):
    say(operator, run, input={"text": "once"}, key="k")
    before = left()

    response = say(operator, run, input={"text": "once"}, **again)
    env.skip(timedelta(0))

    assert (response.status_code, left()["InboxItem"]) == (202, before["InboxItem"])
    assert heard(run) == ["once (none, 0)"]


def test_two_keys_that_differ_are_refused(operator, run, left):
    before = left()

    response = say(operator, run, input={"text": "x"}, key="a", headers={"Idempotency-Key": "b"})

    assert_problem(response, 400, "idempotency_key_mismatch")
    assert left() == before


def test_a_signal_reaches_a_run_that_has_not_begun(operator, env):
    run = operations.start_run(HaggleWorkflow)

    say(operator, run, input={"text": "early"})
    env.skip(timedelta(0))

    assert heard(run) == ["early (none, 0)"]


def test_a_signal_may_be_waited_for_until_the_run_is_closed(operator, env, run):
    env.skip(timedelta(hours=1, minutes=59, seconds=57))

    response = say(operator, run, input={"text": "last"}, headers={"Prefer": "wait=5"})

    assert (response.status_code, response.json()["status"]) == (200, "completed")


@pytest.mark.parametrize(
    "body", [{"input": {}}, {"input": {"text": 7}}, {"input": {"text": "x", "loud": True}}, {"input": ["a", "b", 1, 2]}]
)
def test_arguments_that_do_not_fit_are_refused(operator, run, left, body):
    before = left()

    assert_problem(say(operator, run, **body), 422, "invalid_input")
    assert left() == before


@pytest.mark.parametrize("given", ["text", 7, None, True])
def test_arguments_are_an_object_or_a_list(operator, run, left, given):
    before = left()

    assert_problem(say(operator, run, input=given), 422, "invalid_input")
    assert left() == before


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        ("signals", "shout", "unknown_signal"),
        ("signals", "said", "unknown_signal"),
        ("queries", "say", "unknown_query"),
        ("updates", "say", "unknown_update"),
        ("updates", "execute", "unknown_update"),
    ],
)
def test_a_name_that_the_workflow_does_not_have_is_404(operator, run, left, kind, name, code):
    before = left()

    assert_problem(operator.post(path(run, kind, name), {}), 404, code)
    assert left() == before


def test_a_closed_run_takes_no_signal(operator, env, run, left):
    operations.update_run(run.id, "offer", 10)
    before = left()

    body = assert_problem(say(operator, run, input={"text": "x"}), 409, "not_allowed_in_state")

    assert body["state"] == "completed"
    assert left() == before


@pytest.mark.parametrize("kind", ["signals", "queries", "updates"])
def test_a_message_to_an_unknown_run_is_404(operator, kind):
    assert_problem(operator.post(f"/api/v1/runs/{uuid.uuid4()}/{kind}/say/", {}), 404, "not_found")


def test_a_run_whose_code_is_not_here_cannot_be_talked_to(operator, run, left, monkeypatch):
    monkeypatch.delitem(registry.workflows, "talk.Haggle")
    before = left()

    for kind, name in (("signals", "say"), ("queries", "said"), ("updates", "offer")):
        assert_problem(operator.post(path(run, kind, name), {"input": {}}), 409, "code_missing")
    assert left() == before


@pytest.mark.parametrize(("kind", "name"), [("signals", "say"), ("updates", "offer")])
def test_a_viewer_may_not_send(viewer, run, left, kind, name):
    before = left()

    assert_problem(viewer.post(path(run, kind, name), {"input": ["x"]}), 403, "permission_denied")
    assert left() == before


@pytest.mark.parametrize(("kind", "act"), [("signals", "signal"), ("queries", "query"), ("updates", "update")])
def test_every_message_needs_its_own_permission(client_with, run, left, kind, act):
    others = [f"workflows.{other}_run" for other in ("view", "start", "signal", "query", "update") if other != act]
    before = left()

    assert_problem(client_with(*others).post(path(run, kind, "say"), {}), 403, "permission_denied")
    assert left() == before


@pytest.mark.parametrize("kind", ["signals", "queries", "updates"])
def test_every_message_needs_a_user(anonymous, run, kind):
    assert_problem(anonymous.post(path(run, kind, "say"), {}), 401, "not_authenticated")


def test_a_signal_is_a_post(operator, run):
    assert_problem(operator.get(path(run, "signals", "say")), 405, "method_not_allowed")


def test_what_nobody_may_see_is_masked_in_every_answer(operator, env, run):
    operator.post(path(run, "signals", "confide"), {"input": {"secret": "planted-4711"}})
    env.skip(timedelta(0))

    answers = [
        operator.get(path(run, "queries", "secret")),
        operator.get(f"/api/v1/runs/{run.id}/"),
        operator.get(f"/api/v1/runs/{run.id}/history/"),
    ]

    assert answers[0].json() == {"result": "•••"}
    assert not [answer for answer in answers if b"planted" in answer.content]


def test_what_does_not_fit_is_not_told_back(operator, run):
    response = operator.post(path(run, "signals", "confide"), {"input": {"secret": ["planted-4711"]}})

    assert_problem(response, 422, "invalid_input")
    assert b"planted" not in response.content


# --- Queries ---------------------------------------------------------------------------------------------------------


def test_a_viewer_may_query(viewer, env, run, left):
    operations.signal_run(run.id, "say", "a")
    operations.signal_run(run.id, "say", "b")
    env.skip(timedelta(0))
    before = left()

    asked, limited = viewer.get(path(run, "queries", "said")), viewer.post(path(run, "queries", "said"), {"input": [1]})

    assert (asked.status_code, asked.json()) == (200, {"result": ["a (none, 0)", "b (none, 0)"]})
    assert (limited.status_code, limited.json()) == (200, {"result": ["b (none, 0)"]})
    assert left() == before


def test_a_closed_run_answers_still(viewer, run):
    operations.update_run(run.id, "offer", 10)

    assert viewer.get(path(run, "queries", "said")).json() == {"result": []}


def test_a_run_that_has_not_begun_has_no_answer(viewer, env):
    run = operations.start_run(HaggleWorkflow)

    assert_problem(viewer.get(path(run, "queries", "said")), 409, "not_begun")


def test_a_query_that_fails_tells_its_own_code(viewer, run):
    assert_problem(viewer.get(path(run, "queries", "broken")), 422, "too_small")


def test_a_query_that_asks_for_something_is_stopped(viewer, run, left):
    before = left()

    assert_problem(viewer.get(path(run, "queries", "writing")), 409, "nondeterminism")
    assert left() == before


@pytest.mark.parametrize("given", [{"last": "two"}, {"first": 1}, [1, 2]])
def test_a_question_that_does_not_fit_is_refused(viewer, run, given):
    assert_problem(viewer.post(path(run, "queries", "said"), {"input": given}), 422, "invalid_input")


def test_a_type_tells_what_its_runs_take(viewer):
    types = viewer.get("/api/v1/workflows/").json()["results"]
    (haggle,) = [item for item in types if item["name"] == "talk.Haggle"]

    signals = {item["name"]: item for item in haggle["signals"]}
    (offer,) = haggle["updates"]
    assert set(signals) == {"say", "confide"}
    assert signals["say"]["input_schema"]["required"] == ["text"]
    assert signals["say"]["result_schema"] is None
    assert [item["name"] for item in haggle["queries"]] == ["said", "secret", "broken", "writing"]
    assert (offer["name"], offer["result_schema"]) == ("offer", {"type": "string"})
    assert offer["summary"] == "Offer an amount; one that is large enough ends the haggling."

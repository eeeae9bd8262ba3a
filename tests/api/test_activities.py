"""Steps that somebody outside ends over REST: the token decides, works once, and stands in no log."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from tests import talking
from tests.api.conftest import assert_problem
from tests.talking import LetterWorkflow
from workflows import operations, queries
from workflows.api import unlogged
from workflows.models import AuditEntry, Step

ACTS = ("complete", "fail", "heartbeat")
PATH = "/api/v1/activities/TOKEN/fail/"
BODIES = {"complete": {"result": 3}, "fail": {"error": "out of paper"}, "heartbeat": {"details": {"page": 2}}}


@pytest.fixture
def env(workflow_env):
    talking.tokens.clear()
    return workflow_env


@pytest.fixture
def run(env):
    """A run whose letter is with the printer."""
    run = operations.start_run(LetterWorkflow, "dear sir")
    env.skip(timedelta(0))
    return queries.get_run(run.id)


def send(client, act, *, token=None, **body):
    return client.post(f"/api/v1/activities/{token or talking.tokens[-1]}/{act}/", {**BODIES[act], **body})


def step_of(run):
    return queries.list_steps(run.id)[0]


def test_a_step_gets_its_result(client_with, env, run):
    response = send(client_with(), "complete", reason="picked up")
    env.skip(timedelta(0))

    assert (response.status_code, response.json()) == (200, {"received": "complete"})
    assert queries.get_run(run.id).result == 3
    entry = AuditEntry.objects.get(act="complete_step")
    assert (entry.reason, entry.run_id) == ("picked up", run.id)


def test_the_step_tells_whom_it_waits_for(viewer, run):
    (step,) = viewer.get(f"/api/v1/runs/{run.id}/steps/").json()["results"]

    assert (step["awaits_token"], step["worker"], step["queue"]) == (True, None, "")
    assert step["deadline_at"] == "2026-01-05T13:00:00Z"
    assert step["beat_by"] == "2026-01-05T12:05:00Z"


def test_a_failed_attempt_is_tried_again_with_what_the_heartbeat_told(operator, env, run):
    send(operator, "heartbeat")
    send(operator, "fail")
    env.skip(timedelta(minutes=1))

    step = step_of(run)
    assert (step.attempts, step.heartbeat) == (2, {"page": 2})
    assert step.tries[0].error["message"] == "out of paper"
    assert len(talking.tokens) == 2


def test_a_failure_for_good_has_its_code(operator, env, run):
    send(operator, "fail", error="no such customer", code="unknown_customer", retryable=False)
    env.skip(timedelta(0))

    failed = queries.get_run(run.id)
    assert (failed.status, failed.error["code"], step_of(run).attempts) == ("failed", "unknown_customer", 1)


def test_a_heartbeat_moves_the_time_at_which_it_is_missed(operator, env, run):
    env.now += timedelta(minutes=4)

    response = send(operator, "heartbeat")

    assert response.json() == {"received": "heartbeat"}
    assert Step.objects.get(run_id=run.id).beat_by == env.now + timedelta(minutes=5)


def test_a_result_of_the_wrong_type_leaves_the_token_open(operator, env, run, written):
    before = written()

    assert_problem(send(operator, "complete", result="three"), 422, "invalid_input")
    assert written() == before
    assert send(operator, "complete").status_code == 200


@pytest.mark.parametrize("act", ACTS)
def test_a_token_that_is_none_is_unknown(operator, run, written, act):
    before = written()

    assert_problem(send(operator, act, token="x" * 43), 404, "token_unknown")
    assert written() == before


@pytest.mark.parametrize("act", ACTS)
def test_a_used_token_is_unknown(operator, env, run, written, act):
    send(operator, "complete")
    before = written()

    assert_problem(send(operator, act), 404, "token_unknown")
    assert written() == before


@pytest.mark.parametrize("act", ACTS)
def test_a_late_token_is_unknown(operator, env, run, act):
    token = talking.tokens[-1]
    env.skip(timedelta(minutes=6))

    assert_problem(send(operator, act, token=token), 404, "token_unknown")


@pytest.mark.parametrize("act", ACTS)
def test_a_token_is_no_login(anonymous, run, written, act):
    before = written()

    assert_problem(send(anonymous, act), 401, "not_authenticated")
    assert written() == before


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("complete", {"outcome": 3}),
        ("fail", {"error": None}),
        ("fail", {"error": ""}),
        ("fail", {"code": "No Code"}),
        ("fail", {"retryable": "no"}),
        ("heartbeat", {"page": 2}),
    ],
)
def test_a_body_that_does_not_fit_leaves_the_token_open(operator, run, written, act, body):
    before = written()

    assert_problem(send(operator, act, **body), 422, "invalid_input")
    assert written() == before
    assert send(operator, "complete").status_code == 200


@pytest.mark.parametrize("act", [*ACTS, "finish"])
@pytest.mark.parametrize("end", ["/", ""])
def test_no_log_and_no_answer_holds_a_token(operator, run, caplog, act, end):
    token = talking.tokens[-1]
    caplog.set_level(logging.DEBUG)

    answers = [
        operator.post(f"/api/v1/activities/{token}/{act}{end}", body)
        for body in ({"unknown": 1}, BODIES.get(act, {}), BODIES.get(act, {}))
    ]

    assert any(answer.status_code >= 400 for answer in answers)
    assert token not in caplog.text
    assert not [answer for answer in answers if token.encode() in answer.content]


class Atoms(dict):
    """What gunicorn's access log is given: names that it does not hold are dashes."""

    def __missing__(self, name):
        return "-"


@pytest.mark.parametrize(
    ("logger", "message", "arguments"),
    [
        ("gunicorn.access", "%(h)s %(r)s %({x-id}i)s", [Atoms(h="::1", r=f"POST {PATH} HTTP/1.1")]),
        ("uvicorn.access", '%s - "%s %s HTTP/%s" %d', ["::1", "POST", f"{PATH}?a=b", "1.1", 200]),
        ("django.server", '"%s" %s %s', [f"POST {PATH} HTTP/1.1", "200", "5"]),
        ("granian.access", f"POST {PATH}", []),
    ],
)
def test_access_logs_of_servers_hold_none(caplog, logger, message, arguments):
    caplog.set_level(logging.INFO, logger=logger)
    logging.getLogger(logger).addHandler(caplog.handler)
    try:
        logging.getLogger(logger).info(message, *arguments)
    finally:
        logging.getLogger(logger).removeHandler(caplog.handler)

    assert "/api/v1/activities/•••/" in caplog.text
    assert "TOKEN" not in caplog.text


def test_the_loggers_that_name_paths_have_the_filter():
    for name in unlogged.LOGGERS:
        assert [item for item in logging.getLogger(name).filters if isinstance(item, unlogged.TokensUnseen)], name

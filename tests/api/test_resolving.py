"""A step in doubt over REST: what is told of it, and saying what happened."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.api.conftest import assert_problem
from tests.talking import PaymentWorkflow, pay
from workflows import Outcome, operations, queries
from workflows.models import AuditEntry, Step

WHY = "the bank's statement shows it"
PAID = {"reference": "R-1", "fee": "0.50"}


@pytest.fixture
def env(workflow_env):
    return workflow_env


@pytest.fixture
def run(env):
    """A run that is held because nobody knows whether it paid."""
    env.mock(pay).raises(ConnectionError("the line is dead"))
    run = operations.start_run(PaymentWorkflow, 7)
    env.skip(timedelta(0))
    return queries.get_run(run.id)


def resolve(client, run, seq=1, **body):
    return client.post(f"/api/v1/runs/{run.id}/steps/{seq}/resolve/", {"reason": WHY, **body})


def test_the_step_tells_that_it_is_in_doubt(viewer, run):
    (step,) = viewer.get(f"/api/v1/runs/{run.id}/steps/").json()["results"]

    assert (run.status, run.hold_reason) == ("held", "in_doubt")
    assert (step["in_doubt"], step["status"], step["attempts"]) == (True, "failed", 1)
    assert (step["evidence"], step["error"]["message"]) == (None, "the line is dead")


def test_late_evidence_is_told(viewer, env, run):
    told = '{"result":{"reference":"R-1","fee":"0.50"},"error":null,"at":"2026-01-05T12:00:03+00:00"}'
    Step.objects.filter(run_id=run.id).update(evidence=told)

    (step,) = viewer.get(f"/api/v1/runs/{run.id}/steps/").json()["results"]

    assert step["evidence"] == {"at": "2026-01-05T12:00:03Z", "result": PAID, "error": None}


def test_what_happened_has_its_result(operator, env, run):
    response = resolve(operator, run, outcome="happened", result=PAID)
    env.skip(timedelta(0))

    assert (response.status_code, response.json()["status"]) == (200, "pending")
    assert queries.get_run(run.id).result == "R-1"
    assert len(env.calls(pay)) == 1
    entry = AuditEntry.objects.get(act="resolve")
    assert (entry.actor, entry.reason) == ("operator", WHY)


def test_what_was_not_done_is_a_failure(operator, env, run):
    resolve(operator, run, outcome="not_done")
    env.skip(timedelta(0))

    assert (queries.get_run(run.id).status, len(env.calls(pay))) == ("failed", 1)


def test_its_end_can_be_waited_for(operator, env, run):
    response = operator.post(
        f"/api/v1/runs/{run.id}/steps/1/resolve/",
        {"reason": WHY, "outcome": "happened", "result": PAID},
        headers={"Prefer": "wait=5"},
    )

    assert (response.status_code, response.json()["result"]) == (200, "R-1")


@pytest.mark.parametrize(
    "body",
    [
        {"outcome": "happened"},
        {"outcome": "happened", "result": {"reference": "R-1"}},
        {"outcome": "happened", "result": "R-1"},
        {"outcome": "not_done", "result": PAID},
        {"outcome": "perhaps"},
        {},
    ],
)
def test_an_outcome_that_does_not_fit_is_refused(operator, run, written, body):
    before = written()

    assert_problem(resolve(operator, run, **body), 422, "invalid_input")
    assert written() == before


def test_a_step_that_is_not_in_doubt_is_404(operator, run, written):
    before = written()

    for seq in (2, 2**40):
        assert_problem(resolve(operator, run, seq, outcome="not_done"), 404, "not_found")
    assert written() == before


def test_a_run_that_is_not_held_in_doubt_has_nothing_to_resolve(operator, env, run, written):
    resolve(operator, run, outcome="not_done")
    env.skip(timedelta(0))
    before = written()

    assert_problem(resolve(operator, run, outcome="not_done"), 409, "not_allowed_in_state")
    assert written() == before


def test_it_needs_a_reason(operator, run, written):
    before = written()

    assert_problem(resolve(operator, run, outcome="not_done", reason=""), 400, "reason_required")
    assert written() == before


def test_a_viewer_may_not(viewer, run, written):
    before = written()

    assert_problem(resolve(viewer, run, outcome="not_done"), 403, "permission_denied")
    assert written() == before


def test_a_counterparty_that_knows_leaves_nothing_to_resolve(operator, env):
    ask = pay.options_.reconcile
    env.mock(pay).raises(ConnectionError("the line is dead"))
    env.mock(ask).returns(Outcome.happened(PAID))

    run = operations.start_run(PaymentWorkflow, 7)
    env.skip(timedelta(0))

    assert operator.get(f"/api/v1/runs/{run.id}/").json()["result"] == "R-1"

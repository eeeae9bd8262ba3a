"""Operators' acts over REST: what each answers, what each refuses, who may."""

import uuid
from datetime import timedelta

import pytest

from tests.api.cast import BookingWorkflow, NapWorkflow, RefusedWorkflow
from tests.api.conftest import assert_problem
from workflows import clock, operations, queries
from workflows.models import AuditEntry, Process, Run

ACTS = ("cancel", "pause", "resume", "retry", "compensate", "rerun")
WHY = {"reason": "the desk asked"}


@pytest.fixture
def env(workflow_env):
    return workflow_env


def run_of(env, workflow, *args):
    """A run that went as far as it goes by itself."""
    run = operations.start_run(workflow, *args)
    env.skip(timedelta(0))
    return queries.get_run(run.id)


def act(client, run, name, **body):
    return client.post(f"/api/v1/runs/{run.id}/{name}/", {**WHY, **body})


def driven(run):
    """Make a living process drive it, as far as the rows tell."""
    now = clock.now()
    process = Process.objects.create(
        host="here", pid=1, capabilities="", started_at=now, expires_at=now + timedelta(days=36500)
    )
    Run.objects.filter(pk=run.id).update(driver=process.id)


def test_a_run_that_nobody_drives_is_cancelled_at_once(operator, env):
    run = operations.start_run(NapWorkflow)

    response = act(operator, run, "cancel")

    assert (response.status_code, response.json()["status"]) == (200, "cancelled")


@pytest.mark.parametrize("name", ["cancel", "pause"])
def test_an_act_on_a_driven_run_is_accepted_and_shown_as_requested(operator, env, name):
    run = run_of(env, NapWorkflow)
    driven(run)

    response = act(operator, run, name)

    assert (response.status_code, response.json()["requested"]) == (202, name)
    assert response["Location"].endswith(f"/api/v1/runs/{run.id}/")


def test_a_paused_run_is_held_and_a_resumed_one_goes_on(operator, env):
    run = run_of(env, NapWorkflow)

    paused = act(operator, run, "pause")
    resumed = act(operator, run, "resume")

    assert (paused.status_code, paused.json()["status"], paused.json()["hold_reason"]) == (200, "held", "paused")
    assert (resumed.status_code, resumed.json()["status"]) == (200, "pending")


def test_a_retry_goes_on_with_edited_input(operator, env):
    run = run_of(env, RefusedWorkflow, 1)

    response = act(operator, run, "retry", input={"n": 7})
    env.skip(timedelta(0))

    assert response.status_code == 200
    assert operator.get(f"/api/v1/runs/{run.id}/").json()["result"] == 7


@pytest.mark.parametrize("input", [{"n": "x"}, {"m": 1}])
def test_a_retry_with_input_that_does_not_fit_is_refused(operator, env, input):
    run = run_of(env, RefusedWorkflow, 1)

    assert_problem(act(operator, run, "retry", input=input), 422, "invalid_input")


def test_a_compensation_undoes_a_completed_run(operator, env):
    run = run_of(env, BookingWorkflow, 1)

    response = act(operator, run, "compensate")
    env.skip(timedelta(0))

    assert (response.status_code, response.json()["status"]) == (200, "compensating")
    assert operator.get(f"/api/v1/runs/{run.id}/").json()["status"] == "compensated"


def test_a_dry_run_gives_the_plan_and_changes_nothing(operator, env, written):
    run = run_of(env, BookingWorkflow, 1)
    before = written()

    response = act(operator, run, "compensate", dry_run=True)

    assert response.status_code == 200
    assert [item["activity"] for item in response.json()["results"]] == ["rest.take_back"]
    assert written() == before


@pytest.mark.parametrize("value", ["yes", "true", 1, None, []])
def test_a_dry_run_is_asked_for_by_true_alone(operator, env, written, value):
    run = run_of(env, BookingWorkflow, 1)
    before = written()

    assert_problem(act(operator, run, "compensate", dry_run=value), 422, "invalid_input")
    assert written() == before


def test_a_rerun_is_a_new_run_that_names_the_old_one(operator, env):
    run = run_of(env, BookingWorkflow, 1)

    response = act(operator, run, "rerun")

    body = response.json()
    assert response.status_code == 201
    assert (body["rerun_of"], body["key"], body["attempt"]) == (str(run.id), None, 2)
    assert response["Location"] == body["url"]


def test_an_act_is_recorded_with_who_and_why(operator, env):
    run = run_of(env, NapWorkflow)

    act(operator, run, "pause")

    entry = AuditEntry.objects.get(act="pause")
    assert (entry.run_id, entry.actor, entry.reason) == (run.id, "operator", "the desk asked")


@pytest.mark.parametrize(
    ("name", "state"),
    [("pause", "completed"), ("resume", "completed"), ("retry", "completed"), ("cancel", "completed")],
)
def test_an_act_that_does_not_fit_names_the_state_and_what_fits(operator, env, written, name, state):
    run = run_of(env, BookingWorkflow, 1)
    before = written()

    body = assert_problem(act(operator, run, name), 409, "not_allowed_in_state")

    assert (body["state"], body["allowed"]) == (state, ["compensate", "rerun"])
    assert written() == before


def test_there_is_nothing_to_compensate_without_a_plan(operator, env):
    run = operations.start_run(NapWorkflow)
    operations.cancel_run(run.id, reason="x")

    assert_problem(act(operator, run, "compensate"), 409, "nothing_to_compensate")


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}])
def test_every_act_needs_a_reason(operator, env, written, name, body):
    run = run_of(env, NapWorkflow)
    before = written()

    response = operator.post(f"/api/v1/runs/{run.id}/{name}/", body)

    assert_problem(response, 400, "reason_required")
    assert written() == before


@pytest.mark.parametrize("name", ACTS)
def test_no_body_at_all_is_no_reason(operator, env, name):
    run = run_of(env, NapWorkflow)

    assert_problem(operator.post(f"/api/v1/runs/{run.id}/{name}/"), 400, "reason_required")


@pytest.mark.parametrize("name", ACTS)
def test_every_act_needs_its_permission(client_with, env, written, name):
    run = run_of(env, NapWorkflow)
    others = [f"workflows.{other}_run" for other in (*ACTS, "view", "start") if other != name]
    before = written()

    assert_problem(act(client_with(*others), run, name), 403, "permission_denied")
    assert written() == before


@pytest.mark.parametrize("name", ACTS)
def test_every_act_needs_a_user(anonymous, env, name):
    run = run_of(env, NapWorkflow)

    assert_problem(act(anonymous, run, name), 401, "not_authenticated")


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize("run_id", [uuid.uuid4(), "42"])
def test_an_act_on_an_unknown_run_is_404(operator, name, run_id):
    assert_problem(operator.post(f"/api/v1/runs/{run_id}/{name}/", WHY), 404, "not_found")


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_a_post(operator, env, written, name):
    run = run_of(env, NapWorkflow)
    before = written()

    assert_problem(operator.get(f"/api/v1/runs/{run.id}/{name}/"), 405, "method_not_allowed")
    assert written() == before


@pytest.mark.parametrize("name", ACTS)
def test_a_field_that_the_act_does_not_know_is_refused(operator, env, written, name):
    run = run_of(env, NapWorkflow)
    before = written()

    assert_problem(act(operator, run, name, actor="root"), 422, "invalid_input")
    assert written() == before


@pytest.mark.parametrize("path", ["terminate", "reset"])
def test_acts_that_do_not_exist_yet_are_404(operator, env, path):
    run = run_of(env, NapWorkflow)

    assert_problem(operator.post(f"/api/v1/runs/{run.id}/{path}/", WHY), 404, "not_found")

"""Timers over REST: what is due, in which order, and moving one."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from tests.api.cast import NapWorkflow
from tests.api.conftest import assert_problem
from tests.api.test_acts import driven
from tests.talking import HaggleWorkflow, SleepWorkflow
from workflows import operations, queries
from workflows.models import AuditEntry

TIMERS = "/api/v1/timers/"
WHY = "the rail opens late"


@pytest.fixture
def env(workflow_env):
    return workflow_env


def asleep(env, hours=1, workflow=SleepWorkflow, *args):
    """A run that waits for time."""
    run = operations.start_run(workflow, *(args or ([hours] if workflow is SleepWorkflow else [])))
    env.skip(timedelta(0))
    return queries.get_run(run.id)


def listed(client, query=""):
    return client.get(TIMERS + query).json()["results"]


def move(client, run, seq=1, **body):
    return client.post(f"/api/v1/runs/{run.id}/timers/{seq}/move/", {"reason": WHY, **body})


def at(moment):
    return moment.isoformat().replace("+00:00", "Z")


def test_what_is_due_first_stands_first(viewer, env):
    late, waiting, early, retrying = (
        asleep(env, 3), asleep(env, workflow=HaggleWorkflow), asleep(env, 1), asleep(env, workflow=NapWorkflow)
    )  # fmt: skip

    found = listed(viewer)

    order = {str(run.id): run for run in (retrying, early, waiting, late)}
    assert [item["run_id"] for item in found] == list(order)
    assert [item["kind"] for item in found] == ["retry", "timer", "wait", "timer"]
    assert [item["is_movable"] for item in found] == [False, True, True, True]
    assert found[1]["due_at"] == at(env.now + timedelta(hours=1))
    assert (found[0]["name"], found[0]["attempts"]) == ("rest.never", 1)
    assert not any(item["is_overdue"] for item in found)


def test_one_whose_time_is_over_is_overdue(viewer, env):
    asleep(env, 5)
    stuck = asleep(env, 1)
    operations.pause_run(stuck.id, reason="lunch")
    env.now += timedelta(hours=2)

    assert [item["run_id"] for item in listed(viewer, "?overdue=true")] == [str(stuck.id)]
    assert [item["hold_reason"] for item in listed(viewer, "?overdue=true")] == ["paused"]
    assert len(listed(viewer, "?overdue=false")) == 1


def test_a_timer_of_a_closed_run_waits_for_nothing(viewer, env):
    run = asleep(env, 1)
    operations.cancel_run(run.id, reason="entered twice")
    env.skip(timedelta(0))

    assert listed(viewer) == []


def test_the_list_is_filtered(viewer, env):
    wanted, other = asleep(env, 1), asleep(env, workflow=HaggleWorkflow)

    assert [item["run_id"] for item in listed(viewer, f"?run={wanted.id}")] == [str(wanted.id)]
    assert [item["run_id"] for item in listed(viewer, "?workflow=talk.Haggle")] == [str(other.id)]
    assert [item["run_id"] for item in listed(viewer, "?kind=wait")] == [str(other.id)]
    before = at(env.now + timedelta(minutes=90))
    assert [item["run_id"] for item in listed(viewer, f"?due_before={before}")] == [str(wanted.id)]


def test_pages_hold_every_timer_once(viewer, env):
    runs = {str(asleep(env, hours).id) for hours in (1, 1, 1, 2, 2)}

    seen, address = [], f"{TIMERS}?limit=2"
    while address:
        body = viewer.get(address).json()
        seen += [item["run_id"] for item in body["results"]]
        address = body["next"]

    assert (len(seen), set(seen)) == (5, runs)


@pytest.mark.parametrize("query", ["?kind=alarm", "?overdue=perhaps", "?run=x", "?due_before=soon", "?status=due"])
def test_a_filter_that_is_none_is_refused(viewer, env, query):
    assert_problem(viewer.get(TIMERS + query), 400, "invalid_query")


def test_the_list_needs_the_permission_to_view_runs(client_with, env):
    assert_problem(client_with("workflows.reschedule_run").get(TIMERS), 403, "permission_denied")


def test_a_moved_timer_is_due_at_its_new_time(operator, env):
    run = asleep(env, 1)

    response = move(operator, run, due_at=at(env.now + timedelta(minutes=5)))
    env.skip(timedelta(minutes=5))

    assert (response.status_code, response.json()["id"]) == (200, str(run.id))
    assert queries.get_run(run.id).result == "awake"
    entry = AuditEntry.objects.get(act="reschedule")
    assert (entry.actor, entry.reason, entry.run_id) == ("operator", WHY, run.id)


def test_a_timer_moved_into_the_past_is_over_at_once(operator, env):
    run = asleep(env, 1)

    move(operator, run, due_at=at(env.now - timedelta(days=1)))
    env.skip(timedelta(0))

    assert queries.get_run(run.id).status == "completed"


def test_a_time_with_another_zone_is_that_instant(operator, env):
    run = asleep(env, 1)

    move(operator, run, due_at="2026-01-06T01:00:00+02:00")

    assert listed(operator)[0]["due_at"] == "2026-01-05T23:00:00Z"


def test_a_move_that_its_driver_carries_out_is_accepted(operator, env):
    run = asleep(env, 1)
    driven(run)

    response = move(operator, run, due_at=at(env.now + timedelta(hours=5)))

    assert response.status_code == 202
    assert listed(operator)[0]["due_at"] == at(env.now + timedelta(hours=1))


@pytest.mark.parametrize("due_at", ["soon", "2026-01-05T13:00:00", "2026-01-05", 7, None, "9999-12-31T23:59:59-23:59"])
def test_a_due_time_is_an_instant(operator, env, written, due_at):
    run = asleep(env, 1)
    before = written()

    assert_problem(move(operator, run, due_at=due_at), 422, "invalid_input")
    assert written() == before


@pytest.mark.parametrize("seq", [2, 99, 2**40])
def test_a_timer_that_is_none_is_404(operator, env, written, seq):
    run = asleep(env, 1)
    before = written()

    assert_problem(move(operator, run, seq, due_at=at(env.now)), 404, "not_found")
    assert written() == before


def test_a_back_off_is_not_moved(operator, env, written):
    run = asleep(env, workflow=NapWorkflow)
    before = written()

    assert_problem(move(operator, run, due_at=at(env.now)), 404, "not_found")
    assert written() == before


def test_a_timer_of_a_closed_run_is_not_moved(operator, env, written):
    run = asleep(env, 1)
    env.skip(timedelta(hours=1))
    before = written()

    assert_problem(move(operator, run, due_at=at(env.now)), 409, "not_allowed_in_state")
    assert written() == before


def test_a_move_needs_a_reason(operator, env, written):
    run = asleep(env, 1)
    before = written()

    assert_problem(move(operator, run, due_at=at(env.now), reason=" "), 400, "reason_required")
    assert written() == before


def test_a_viewer_may_not_move(viewer, env, written):
    run = asleep(env, 1)
    before = written()

    assert_problem(move(viewer, run, due_at=at(env.now)), 403, "permission_denied")
    assert written() == before


def test_a_timer_of_an_unknown_run_is_404(operator, env):
    response = operator.post(f"/api/v1/runs/{uuid.uuid4()}/timers/1/move/", {"reason": WHY, "due_at": at(env.now)})

    assert_problem(response, 404, "not_found")

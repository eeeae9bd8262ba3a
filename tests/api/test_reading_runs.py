"""Runs and their types as they are read: filters, pages, one run's steps, history and plan."""

import uuid
from datetime import timedelta

import pytest
from django.core.cache import cache
from jsonschema import Draft202012Validator

from tests.api.cast import AdditionWorkflow, BookingWorkflow, RefusedWorkflow
from tests.api.conftest import assert_problem
from workflows import operations

PARTS = ("", "steps/", "history/", "compensation-plan/")


@pytest.fixture
def env(workflow_env):
    return workflow_env


def ids(response):
    assert response.status_code == 200, response.json()
    return [item["id"] for item in response.json()["results"]]


def test_workflow_types_come_with_the_schema_of_their_input(viewer):
    types = {item["name"]: item for item in viewer.get("/api/v1/workflows/").json()["results"]}

    cash = types["treasury.CashManagement"]
    assert (cash["version"], cash["on_failure"]) == (1, "compensate")
    assert cash["summary"].startswith("Allocate")
    Draft202012Validator.check_schema(cash["input_schema"])
    assert cash["input_schema"]["required"] == ["account_id", "amount", "strategy"]
    assert cash["input_schema"]["additionalProperties"] is False


def test_runs_are_listed_newest_first(viewer, env):
    first = operations.start_run(AdditionWorkflow, 1)
    env.skip(timedelta(seconds=1))
    second = operations.start_run(AdditionWorkflow, 2)

    assert ids(viewer.get("/api/v1/runs/")) == [str(second.id), str(first.id)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("workflow=rest.Booking", ["booked"]),
        ("status=completed", ["added", "booked"]),
        ("status=held", ["refused"]),
        ("status=held&status=completed", ["added", "booked", "refused"]),
        ("hold_reason=failure", ["refused"]),
        ("key=booked", ["booked"]),
        ("text=added", ["added"]),
        ("created_from=2026-01-05T12:00:02Z", ["refused"]),
        ("created_to=2026-01-05T12:00:01Z", ["added"]),
        ("workflow=rest.Booking&status=held", []),
        ("workflow=nobody", []),
    ],
)
def test_a_filter_leaves_what_fits(viewer, env, query, expected):
    for workflow, key in ((AdditionWorkflow, "added"), (BookingWorkflow, "booked"), (RefusedWorkflow, "refused")):
        operations.start_run(workflow, 1, key=key)
        env.skip(timedelta(seconds=1))

    found = viewer.get(f"/api/v1/runs/?{query}").json()["results"]

    assert sorted(item["key"] for item in found) == expected


def test_text_finds_a_run_by_its_id(viewer, env):
    run = operations.start_run(AdditionWorkflow, 1)
    operations.start_run(AdditionWorkflow, 1)

    assert ids(viewer.get(f"/api/v1/runs/?text={run.id}")) == [str(run.id)]


@pytest.mark.parametrize(
    "query",
    ["status=nonsense", "limit=0", "limit=201", "limit=x", "created_from=yesterday", "sttaus=held", "key=%00"],
)
def test_a_query_that_does_not_fit_is_400(viewer, query):
    body = assert_problem(viewer.get(f"/api/v1/runs/?{query}"), 400, "invalid_query")
    assert body["errors"][0]["field"] == query.split("=")[0]


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WzEsMl0", "WyIyMDI2LTAxLTA1IiwiYSJd", "é", "W1tbW1tbW1tb"])
def test_a_cursor_that_is_none_is_400(viewer, cursor):
    assert_problem(viewer.get("/api/v1/runs/", {"cursor": cursor}), 400, "invalid_cursor")


def test_pages_follow_each_other_until_the_last(viewer, env):
    started = [str(operations.start_run(AdditionWorkflow, n).id) for n in range(5)]

    seen, address = [], "/api/v1/runs/?limit=2&workflow=rest.Addition"
    while address:
        body = viewer.get(address).json()
        seen += [item["id"] for item in body["results"]]
        address = body["next"]

    assert sorted(seen) == sorted(started)
    assert len(seen) == len(set(seen))


def test_pages_stay_stable_while_runs_arrive(viewer, env):
    started = [str(operations.start_run(AdditionWorkflow, n).id) for n in range(4)]
    first = viewer.get("/api/v1/runs/?limit=2").json()
    env.skip(timedelta(seconds=1))
    operations.start_run(AdditionWorkflow, 99)

    second = viewer.get(first["next"]).json()

    assert sorted(item["id"] for item in first["results"] + second["results"]) == sorted(started)
    assert second["next"] is None


def test_one_run_tells_its_steps(viewer, env):
    run = operations.start_run(RefusedWorkflow, 1)
    env.skip(timedelta(0))

    booked, refused = viewer.get(f"/api/v1/runs/{run.id}/steps/").json()["results"]

    assert (booked["name"], booked["status"], booked["arguments"], booked["attempts"]) == (
        "rest.book", "completed", {"n": 1}, 1,
    )  # fmt: skip
    assert (refused["status"], refused["error"]["code"]) == ("failed", "told_no")


def test_one_run_tells_its_history(viewer, env):
    run = operations.start_run(AdditionWorkflow, 1)
    env.skip(timedelta(0))

    events = viewer.get(f"/api/v1/runs/{run.id}/history/").json()["results"]

    assert [events[0]["kind"], events[-1]["kind"]] == ["RunStarted", "RunCompleted"]
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))


def test_one_run_tells_its_plan(viewer, env):
    run = operations.start_run(BookingWorkflow, 1)
    env.skip(timedelta(0))

    (item,) = viewer.get(f"/api/v1/runs/{run.id}/compensation-plan/").json()["results"]

    assert (item["seq"], item["activity"], item["arguments"]) == (1, "rest.take_back", {"n": 1})
    assert set(item) == {"seq", "activity", "arguments", "undoes", "undone_activity", "status", "amounts"}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("run_id", [str(uuid.uuid4()), "42", "not-an-id", "%00"])
def test_an_id_that_is_unknown_or_does_not_parse_is_404(viewer, run_id, part):
    assert_problem(viewer.get(f"/api/v1/runs/{run_id}/{part}"), 404, "not_found")


@pytest.mark.parametrize("path", ["workflows/", "runs/", *(f"runs/{uuid.uuid4()}/{part}" for part in PARTS)])
def test_reading_needs_the_view_permission(client_with, path):
    assert_problem(client_with().get(f"/api/v1/{path}"), 403, "permission_denied")


@pytest.mark.parametrize("path", ["workflows/", "runs/", *(f"runs/{uuid.uuid4()}/{part}" for part in PARTS)])
def test_reading_needs_a_user(anonymous, path):
    assert_problem(anonymous.get(f"/api/v1/{path}"), 401, "not_authenticated")


def test_the_view_permission_is_enough(client_with):
    assert client_with("workflows.view_run").get("/api/v1/runs/").status_code == 200


def test_reading_costs_a_fixed_number_of_queries(viewer, env, django_assert_max_num_queries):
    for n in range(20):
        operations.start_run(AdditionWorkflow, n)
    cache.clear()

    with django_assert_max_num_queries(4):
        viewer.get("/api/v1/runs/")

"""Runs that belong together, over REST: children, chains; and runs found by their attributes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator

from tests.api.conftest import assert_problem
from tests.kin import LabelledWorkflow, MoveHouseWorkflow, RoundsWorkflow
from workflows import operations, queries

RUNS = "/api/v1/runs/"
HOUR = timedelta(hours=1)


@pytest.fixture
def env(workflow_env):
    return workflow_env


def begin(env, workflow, *args, **options):
    run = operations.start_run(workflow, *args, **options)
    env.skip(timedelta(0))
    return run


def found(client, query):
    answer = client.get(f"{RUNS}?{query}")
    assert answer.status_code == 200, answer.json()
    return answer.json()["results"]


def customers(client, query):
    return sorted(item["attributes"]["customer"] for item in found(client, query))


# --- Children --------------------------------------------------------------------------------------------------------


def test_a_child_names_its_parent_and_the_parents_step_its_child(viewer, env):
    run = begin(env, MoveHouseWorkflow, ["lamp"])

    (step,) = viewer.get(f"{RUNS}{run.id}/steps/").json()["results"]
    child = viewer.get(f"{RUNS}{step['child_id']}/").json()

    assert (child["parent_id"], child["parent_seq"], child["workflow"]) == (str(run.id), step["seq"], "kin.Carry")


def test_a_run_of_its_own_has_no_parent_and_is_its_own_chain(viewer, env):
    run = viewer.get(f"{RUNS}{begin(env, RoundsWorkflow, 1).id}/").json()

    assert (run["parent_id"], run["parent_seq"]) == (None, None)
    assert (run["chain_id"], run["link"], run["continued_by"]) == (run["id"], 1, None)


def test_the_children_of_a_run_are_listed(viewer, env):
    run = begin(env, MoveHouseWorkflow, ["lamp", "chair"])
    begin(env, MoveHouseWorkflow, ["table"])

    children = found(viewer, f"parent={run.id}")

    assert sorted(child["input"]["label"] for child in children) == ["chair", "lamp"]
    assert {child["parent_id"] for child in children} == {str(run.id)}


def test_a_parent_that_is_no_id_is_refused(viewer, db):
    assert_problem(viewer.get(f"{RUNS}?parent=none"), 400, "invalid_query")


# --- Chains ----------------------------------------------------------------------------------------------------------


def test_links_of_a_chain_name_each_other(viewer, env):
    run = begin(env, RoundsWorkflow, 1)
    env.skip(HOUR)

    first = viewer.get(f"{RUNS}{run.id}/").json()
    second = viewer.get(f"{RUNS}{first['continued_by']}/").json()

    assert (first["status"], first["link"], second["link"], second["chain_id"]) == ("continued", 1, 2, first["id"])


def test_a_start_that_is_waited_for_is_answered_with_the_link_that_closed(operator, env):
    answer = operator.post(
        RUNS, {"workflow": "kin.Rounds", "input": {"rounds": 0}, "key": "k"}, headers={"Prefer": "wait=0"}
    )
    assert answer.status_code == 202
    first = begin(env, RoundsWorkflow, 2, key="long")
    env.skip(4 * HOUR)

    answer = operator.post(
        RUNS, {"workflow": "kin.Rounds", "input": {"rounds": 2}, "key": "long"}, headers={"Prefer": "wait=5"}
    )

    body = answer.json()
    assert (answer.status_code, body["status"], body["result"]) == (200, "completed", "home")
    assert (body["link"], body["chain_id"]) == (3, str(first.id))
    assert answer["Location"] == body["url"]


def test_a_chain_that_goes_on_is_202_with_the_link_it_is_in(operator, env):
    first = begin(env, RoundsWorkflow, 10_000, key="long")
    env.skip(2 * HOUR)

    answer = operator.post(
        RUNS, {"workflow": "kin.Rounds", "input": {"rounds": 10_000}, "key": "long"}, headers={"Prefer": "wait=0"}
    )

    body = answer.json()
    assert (answer.status_code, body["status"], body["link"]) == (202, "waiting", 3)
    assert answer["Location"] == body["url"]
    assert body["id"] != str(first.id)


def test_a_known_key_of_a_chain_gives_its_first_run_with_the_chains_result(operator, env):
    first = begin(env, RoundsWorkflow, 1, key="k")
    env.skip(3 * HOUR)

    answer = operator.post(RUNS, {"workflow": "kin.Rounds", "input": {"rounds": 1}, "key": "k"})

    body = answer.json()
    assert (answer.status_code, body["id"], body["status"], body["result"]) == (200, str(first.id), "continued", "home")


def test_an_act_by_the_first_id_is_answered_with_the_link_that_ended(operator, env):
    first = begin(env, RoundsWorkflow, 5)
    env.skip(HOUR)

    answer = operator.post(f"{RUNS}{first.id}/cancel/", {"reason": "enough"}, headers={"Prefer": "wait=5"})

    assert (answer.status_code, answer.json()["status"], answer.json()["link"]) == (200, "cancelled", 2)


def test_a_list_of_links_costs_the_same_however_many_there_are(viewer, env):
    begin(env, RoundsWorkflow, 1)
    env.skip(HOUR)
    viewer.get(RUNS)
    with CaptureQueriesContext(connection) as few:
        viewer.get(RUNS)
    for _ in range(3):
        begin(env, RoundsWorkflow, 3)
    env.skip(5 * HOUR)
    with CaptureQueriesContext(connection) as many:
        assert len(found(viewer, "")) > 10

    assert len(many) == len(few) <= 5


# --- Attributes ------------------------------------------------------------------------------------------------------


@pytest.fixture
def labelled(env):
    begin(env, LabelledWorkflow, "Ada", Decimal("12.50"))
    begin(env, LabelledWorkflow, "Bo", Decimal(300))


def test_attributes_are_json(viewer, labelled):
    ada, bo = sorted((run["attributes"] for run in found(viewer, "")), key=lambda item: item["customer"])

    assert ada == {
        "customer": "Ada", "amount": "12.50", "loan": "6a3f2c1e-0000-4000-8000-000000000000", "large": False,
        "day": "2026-01-05", "at": "2026-01-05T12:00:00+00:00",
    }  # fmt: skip
    assert (bo["amount"], bo["large"]) == (300, True)


@pytest.mark.parametrize(
    ("query", "fitting"),
    [
        ("attr.customer=Ada", ["Ada"]),
        ("attr.customer=ada", []),
        ("attr.amount=12.5", ["Ada"]),
        ("attr.amount__gt=12.5", ["Bo"]),
        ("attr.amount__gte=12.5", ["Ada", "Bo"]),
        ("attr.amount__lt=300", ["Ada"]),
        ("attr.amount__lte=300", ["Ada", "Bo"]),
        ("attr.loan=6a3f2c1e-0000-4000-8000-000000000000", ["Ada", "Bo"]),
        ("attr.large=true", ["Bo"]),
        ("attr.day__lte=2026-01-05", ["Ada", "Bo"]),
        ("attr.at__lt=2026-01-05T12:00:00Z", []),
        ("attr.amount__gt=1&attr.amount__lt=100", ["Ada"]),
        ("attr.customer=Bo&status=completed", ["Bo"]),
        ("attr.customer=Bo&status=held", []),
        ("attr.unheard_of=1", []),
    ],
)
def test_runs_are_found_by_their_attributes(viewer, labelled, query, fitting):
    assert customers(viewer, query) == fitting


@pytest.mark.parametrize(
    "query",
    [
        "attr.=1", "attr.9lives=1", "attr.two words=1", "attr.amount__in=1", "attr.amount__exact=1",
        "attr.amount__near=1", "attr.amount__lt__gt=1", f"attr.{'a' * 51}=1", "attr.customer__lt=Ada",
        "attr.customer=", "attr.customer=%00", "attribute.customer=Ada", "attr=Ada", "attr.amount=1e999999999",
        "attr.amount__gt=1e-999999999",
    ],
)  # fmt: skip
def test_an_attribute_that_is_asked_for_otherwise_is_refused(viewer, labelled, query):
    body = assert_problem(viewer.get(f"{RUNS}?{query}"), 400, "invalid_query")

    assert body["errors"][0]["field"] == query.split("=")[0]


def test_an_attribute_that_is_asked_for_twice_is_refused(viewer, db):
    assert_problem(viewer.get(f"{RUNS}?attr.a=1&attr.a=2"), 400, "invalid_query")


def test_pages_keep_the_filter(viewer, env):
    for number in range(3):
        begin(env, LabelledWorkflow, "Ada", Decimal(number))
    begin(env, LabelledWorkflow, "Bo", Decimal(9))

    first = viewer.get(f"{RUNS}?attr.customer=Ada&limit=2").json()
    second = viewer.get(first["next"]).json()

    assert len(first["results"] + second["results"]) == 3 and second["next"] is None


def test_a_run_with_attributes_and_a_step_with_a_child_fit_the_document(viewer, anonymous, env, labelled):
    schema = anonymous.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    run = begin(env, MoveHouseWorkflow, ["lamp"])

    def problems(name, value):
        document = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        return list(Draft202012Validator(document).iter_errors(value))

    assert [problems("Run", item) for item in found(viewer, "attr.customer=Ada")] == [[]]
    (step,) = viewer.get(f"{RUNS}{run.id}/steps/").json()["results"]
    assert step["child_id"] and problems("Step", step) == []


def test_the_document_tells_how_attributes_are_asked_for(anonymous, db):
    schema = anonymous.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()

    parameters = {item["name"]: item for item in schema["paths"]["/api/v1/runs/"]["get"]["parameters"]}

    told = Draft202012Validator(parameters["attr"]["schema"])
    assert told.is_valid({"attr.customer": "Ada", "attr.amount__gte": "10"})
    assert not told.is_valid({"attr.amount__near": "10"})
    assert "parent" in parameters
    assert queries.list_runs() == []

"""The OpenAPI document tells of every path there is, and of no other."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import URLPattern, get_resolver
from jsonschema import Draft202012Validator

import workflows

pytestmark = pytest.mark.django_db

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def schema(anonymous):
    return anonymous.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()


def routes():
    """(path, method) of every route below /api/v1/, as the URL configuration has them."""
    found = set()
    for entry in get_resolver().url_patterns:
        if str(entry.pattern) != "api/v1/":
            continue
        for route in entry.url_patterns:
            assert isinstance(route, URLPattern)
            path = "/api/v1/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(route.pattern))
            view = route.callback.cls
            found |= {(path, method) for method in METHODS if hasattr(view, method)}
    return found


def operations_of(schema):
    return [(path, method, item) for path, methods in schema["paths"].items() for method, item in methods.items()]


def problem_of(schema, answer):
    """The schema of a problem that an operation may answer with."""
    response = schema["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    (content,) = response["content"].items()
    assert content[0] == "application/problem+json"
    return content[1]["schema"]["$ref"]


def test_it_is_openapi_3_1(schema):
    assert schema["openapi"].startswith("3.1")


def test_it_lists_exactly_the_routes(schema):
    assert {(path, method) for path, method, _ in operations_of(schema)} == routes()


def test_it_is_made_without_a_warning(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_every_operation_says_what_it_does_and_who_may(schema):
    for path, method, item in operations_of(schema):
        assert item.get("description"), (path, method)
        expected = [{"password": []}] if path.endswith("/auth/token/") else [{"token": []}, {"cookieAuth": []}]
        assert item["security"] == expected, (path, method)


def test_every_operation_has_its_answer_and_its_problems(schema):
    for path, method, item in operations_of(schema):
        answers = item["responses"]
        good = [answers[status] for status in answers if status.startswith("2")]
        bad = {status: answer for status, answer in answers.items() if not status.startswith("2")}
        given = "application/pdf" if path.endswith("/download/") else "application/json"
        assert good and all(given in answer["content"] for answer in good), (path, method)
        assert {"401", "403", "429"} <= set(bad), (path, method)
        assert {problem_of(schema, answer) for answer in bad.values()} == {"#/components/schemas/Problem"}, path
        assert ("404" in bad) == ("{" in path), (path, method)


@pytest.mark.parametrize(
    ("path", "problems"),
    [
        ("/api/v1/reporting/reports/{report_id}/download/", {"409"}),
        ("/api/v1/runs/{run_id}/queries/{name}/", {"409", "422"}),
        ("/api/v1/runs/{run_id}/", set()),
    ],
)
def test_a_read_that_the_state_may_refuse_says_so(schema, path, problems):
    answers = schema["paths"][path]["get"]["responses"]

    assert {status for status in ("409", "413", "415", "422") if status in answers} == problems
    assert all(problem_of(schema, answers[status]) for status in problems)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/runs/", {"Idempotency-Key": False, "Prefer": False}),
        ("/api/v1/runs/{run_id}/retry/", {"Prefer": False}),
        ("/api/v1/runs/{run_id}/signals/{name}/", {"Idempotency-Key": False, "Prefer": False}),
        ("/api/v1/runs/{run_id}/updates/{name}/", {"Idempotency-Key": False, "Prefer": False}),
        ("/api/v1/treasury/accounts/", {"Idempotency-Key": False}),
        ("/api/v1/treasury/cash-management/", {"Idempotency-Key": True, "Prefer": False}),
    ],
)
def test_the_headers_are_told_and_whether_they_are_required(schema, path, headers):
    given = [item for item in schema["paths"][path]["post"]["parameters"] if item["in"] == "header"]

    assert {item["name"]: item.get("required", False) for item in given} == headers


def test_every_body_comes_with_an_example_that_fits_it(schema):
    for path, method, item in operations_of(schema):
        if method == "get" or "requestBody" not in item:
            continue
        content = item["requestBody"]["content"]["application/json"]
        document = {**content["schema"], "components": schema["components"]}
        assert content["examples"], path
        for example in content["examples"].values():
            assert list(Draft202012Validator(document).iter_errors(example["value"])) == [], path


def test_every_answer_says_what_it_means(schema):
    for path, method, item in operations_of(schema):
        assert item["summary"], (path, method)
        assert all(answer.get("description") or "$ref" in answer for answer in item["responses"].values()), path


def test_every_component_is_a_json_schema(schema):
    for name, component in schema["components"]["schemas"].items():
        Draft202012Validator.check_schema(component)
        assert name


def test_an_answer_fits_its_schema(operator, schema):
    body = operator.post("/api/v1/runs/", {"workflow": "rest.Addition", "input": {"n": 1}}).json()

    document = {"$ref": "#/components/schemas/Run", "components": schema["components"]}
    assert list(Draft202012Validator(document).iter_errors(body)) == []


def test_a_problem_fits_its_schema(operator, schema):
    body = operator.post("/api/v1/runs/", {"workflow": 7}).json()

    document = {"$ref": "#/components/schemas/Problem", "components": schema["components"]}
    assert list(Draft202012Validator(document).iter_errors(body)) == []


def test_the_page_that_shows_it_loads_nothing_from_elsewhere(anonymous):
    page = anonymous.get("/api/docs/")
    text = page.content.decode() + anonymous.get("/api/docs/?script=").content.decode()

    assert page.status_code == 200
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert re.findall(r"(?:src|href)=\"(https?:)?//", text) == []


def test_later_paths_are_not_stubbed():
    listed = {path for path, _ in routes()}

    assert not [path for path in listed if re.search("stream|batches|approvals|schedules|hooks|terminate|reset", path)]


def test_errors_meet_http_in_one_place_only():
    rooms = Path(workflows.__file__).parent.parent
    texts = {
        path: path.read_text() for room in ("workflows", "ledger", "treasury") for path in rooms.glob(f"{room}/**/*.py")
    }

    assert [str(path) for path, text in texts.items() if re.search(r"HTTP_[45]\d\d|status=[45]\d\d", text)] == []

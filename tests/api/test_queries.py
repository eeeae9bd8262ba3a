"""What stands behind the question mark: parameters that are told, once each, with a value; anything else is refused."""

import base64
import json
import re
import uuid

import pytest

from tests.api.conftest import assert_problem
from tests.api.test_schema import routes

pytestmark = pytest.mark.django_db

READS = sorted(path for path, method in routes() if method == "get")
PAGED = ["runs/", "timers/", "events/deliveries/", "ledger/accounts/", "ledger/transfers/", "treasury/accounts/"]


def address(path):
    return re.sub(r"\{\w+_id\}", lambda _: str(uuid.uuid4()), path).replace("{name}", "said").replace("{number}", "1")


def cursor(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", READS)
def test_a_parameter_that_is_none_is_refused_wherever_it_stands(operator, path):
    body = assert_problem(operator.get(f"{address(path)}?sttaus=held"), 400, "invalid_query")

    assert [(item["field"], item["code"]) for item in body["errors"]] == [("sttaus", "unknown_field")]


def test_a_write_takes_no_parameters(operator, written):
    before = written()

    response = operator.post("/api/v1/runs/?wait=10", {"workflow": "rest.Addition", "input": {"n": 1}})

    assert_problem(response, 400, "invalid_query")
    assert written() == before


@pytest.mark.parametrize(
    "query",
    [
        "runs/?status=", "runs/?hold_reason=", "runs/?key=", "runs/?text=", "runs/?workflow=", "runs/?limit=",
        "runs/?cursor=", "runs/?created_from=", "timers/?workflow=", "timers/?overdue=", "timers/?run=",
        "runs/?parent=", "events/deliveries/?status=", "events/deliveries/?event=",
        "ledger/accounts/?owner=", "ledger/accounts/?currency=",
        "ledger/transfers/?account=", "ledger/transfers/?run=", "treasury/instruments/?as_of=",
        "treasury/instruments/?currency=",
    ],
)  # fmt: skip
def test_an_empty_value_is_no_filter_that_lets_everything_through(operator, query):
    assert_problem(operator.get(f"/api/v1/{query}"), 400, "invalid_query")


def test_one_value_is_taken_once(operator):
    body = assert_problem(operator.get("/api/v1/runs/?limit=1&limit=2"), 400, "invalid_query")

    assert body["errors"][0]["code"] == "repeated"


@pytest.mark.parametrize("query", ["key=%ff", "key=%ED%A0%80", "%ff=1"])
def test_a_query_that_is_not_utf_8_is_refused(operator, query):
    assert_problem(operator.get(f"/api/v1/runs/?{query}"), 400, "invalid_query")


@pytest.mark.parametrize("path", ["ledger/accounts/", "treasury/instruments/"])
@pytest.mark.parametrize("code", ["usd", "XXX", "US"])
def test_a_currency_that_is_none_is_refused(operator, path, code):
    body = assert_problem(operator.get(f"/api/v1/{path}?currency={code}"), 400, "invalid_query")

    assert body["errors"][0]["code"] == "unknown_currency"


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize(
    "given",
    [
        "x",
        "0",
        cursor(),
        cursor("a"),
        cursor("a", "b", "c", "d"),
        cursor("a", "b", "\ud800"),
        cursor("a\x00", str(uuid.uuid4())),
        cursor({"a": 1}),
    ],
)
def test_a_cursor_that_no_list_gave_is_refused(operator, path, given):
    assert_problem(operator.get(f"/api/v1/{path}", {"cursor": given}), 400, "invalid_cursor")


@pytest.mark.parametrize("path", ["runs/", "timers/", "ledger/transfers/"])
@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_cursor_beyond_the_calendar_is_refused(operator, path, at):
    given = cursor(at, str(uuid.uuid4()))

    assert_problem(operator.get(f"/api/v1/{path}", {"cursor": given}), 400, "invalid_cursor")


@pytest.mark.parametrize("path", READS)
def test_no_cache_keeps_an_answer(operator, path):
    assert operator.get(address(path))["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGED)
def test_head_answers_as_get_does_without_a_body(operator, path):
    got, response = operator.get(f"/api/v1/{path}"), operator.head(f"/api/v1/{path}")

    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(len(got.content))

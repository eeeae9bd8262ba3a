"""Whatever goes wrong below /api/ is answered as a problem, and tells nothing it should not."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError
from django.test import Client, override_settings
from django.urls import get_resolver
from rest_framework.test import APIRequestFactory

from finaegis import api_errors
from tests.api.conftest import assert_problem
from workflows import queries

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/runs/", "/api/v1/runs", "/api/v1/schedules/", "/api/x"]
)
def test_a_path_that_is_none_is_404(anonymous, method, path):
    assert_problem(getattr(anonymous, method)(path), 404, "not_found")


@override_settings(DEBUG=True)
def test_a_path_that_is_none_is_a_problem_in_debug_too(anonymous):
    assert_problem(anonymous.get("/api/v1/nothing/"), 404, "not_found")


def test_outside_the_api_django_answers(anonymous):
    response = anonymous.get("/nothing/")

    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["workflows/", "ledger/accounts/", "treasury/instruments/"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_method_that_is_none_is_405_and_names_those_that_are(operator, method, path):
    response = getattr(operator, method)(f"/api/v1/{path}")

    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response["Allow"]


def test_another_language_than_json_is_406(operator):
    assert_problem(operator.get("/api/v1/runs/", headers={"Accept": "text/html"}), 406, "not_acceptable")


def test_an_unexpected_error_tells_nothing_but_is_logged(operator, monkeypatch, caplog):
    def fail():
        raise RuntimeError("the vault's door code is 4711")

    monkeypatch.setattr(queries, "list_workflows", fail)

    response = operator.get("/api/v1/workflows/")

    assert_problem(response, 500, "internal_error")
    assert "4711" not in response.content.decode()
    assert "4711" in caplog.text


def test_a_database_that_is_away_is_503(operator, monkeypatch, caplog):
    def fail():
        raise OperationalError("connection to server at 10.0.0.7 failed")

    monkeypatch.setattr(queries, "list_workflows", fail)

    response = operator.get("/api/v1/workflows/")

    assert_problem(response, 503, "unavailable")
    assert "10.0.0.7" not in response.content.decode()


def test_a_session_must_prove_where_it_comes_from(operator, admin_user):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin_user)

    response = browser.post("/api/v1/runs/", {"workflow": "rest.Nap"}, content_type="application/json")

    assert_problem(response, 403, "permission_denied")


@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (403, "permission_denied"), (404, "not_found")])
def test_what_fails_before_a_view_is_a_problem_too(rf, status, code):
    handler = get_resolver().resolve_error_handler(status)

    response = handler(rf.get("/api/v1/runs/"), exception=SuspiciousOperation())

    assert (response.status_code, response["Content-Type"]) == (status, api_errors.PROBLEM_JSON)
    assert f'"code": "{code}"'.encode() in response.content


def test_a_failure_before_a_view_tells_nothing(rf):
    response = get_resolver().resolve_error_handler(500)(rf.get("/api/v1/runs/"))

    assert (response.status_code, response["Content-Type"]) == (500, api_errors.PROBLEM_JSON)


def test_every_code_is_a_type_of_problem():
    context = {"request": APIRequestFactory().get("/")}

    response = api_errors.problem_response(queries.runs.NotFound("there is no run 7"), context)

    assert response.data["type"] == "urn:finaegis:problem:not_found"
    assert response.data["title"] == "Not found"

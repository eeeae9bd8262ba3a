"""Tokens: how a client gets one, what it opens, how often it may be used."""

from base64 import b64encode
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from knox.models import AuthToken

from tests.api.conftest import assert_problem
from workflows.api.throttles import TokenRateThrottle

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db):
    return User.objects.create_superuser("ada", password="right")


def ask(client, name="ada", password="right", body=""):
    given = b64encode(f"{name}:{password}".encode()).decode()
    return client.post(
        "/api/v1/auth/token/", body, content_type="application/json", HTTP_AUTHORIZATION=f"Basic {given}"
    )


def runs(client, token):
    return client.get("/api/v1/runs/", HTTP_AUTHORIZATION=f"Token {token}")


def test_name_and_password_give_a_token_with_its_expiry(anonymous, ada):
    response = ask(anonymous)

    assert response.status_code == 200
    assert set(response.json()) == {"token", "expiry"}
    assert response["Cache-Control"] == "no-store"


def test_a_body_is_not_needed_and_not_larger_than_any_other(anonymous, ada):
    response = ask(anonymous, body="x" * (1024 * 1024 + 1))

    assert_problem(response, 413, "request_too_large")


def test_the_token_opens_the_api(anonymous, ada):
    token = ask(anonymous).json()["token"]

    assert runs(anonymous, token).status_code == 200


def test_the_token_is_not_stored_in_clear(anonymous, ada):
    token = ask(anonymous).json()["token"]

    assert token not in str(AuthToken.objects.values())


def test_a_wrong_password_is_401_with_a_challenge(anonymous, ada):
    response = ask(anonymous, password="wrong")

    assert_problem(response, 401, "authentication_failed")
    assert response["WWW-Authenticate"].startswith("Basic")


def test_a_token_is_not_given_for_a_token(anonymous, ada):
    token = ask(anonymous).json()["token"]

    response = anonymous.post("/api/v1/auth/token/", HTTP_AUTHORIZATION=f"Token {token}")

    assert_problem(response, 401, "not_authenticated")


def test_nul_in_a_name_is_a_wrong_name(anonymous, ada):
    assert_problem(ask(anonymous, name="a\x00da"), 401, "authentication_failed")


@override_settings(AXES_ENABLED=True, AXES_FAILURE_LIMIT=3)
def test_too_many_wrong_passwords_lock_the_name(anonymous, ada):
    for _ in range(3):
        ask(anonymous, password="wrong")

    assert_problem(ask(anonymous), 429, "too_many_attempts")


def test_no_token_is_401_with_a_challenge(anonymous):
    response = anonymous.get("/api/v1/runs/")

    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("token", ["nonsense", "\xff\xfe", "a b", "é" * 30])
def test_what_is_no_token_is_401(anonymous, token):
    assert_problem(runs(anonymous, token), 401, "authentication_failed")


def test_an_expired_token_is_401(anonymous, ada):
    token = ask(anonymous).json()["token"]
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    assert_problem(runs(anonymous, token), 401, "authentication_failed")


def test_a_token_of_an_inactive_user_is_401(anonymous, ada):
    token = ask(anonymous).json()["token"]
    User.objects.update(is_active=False)

    assert_problem(runs(anonymous, token), 401, "authentication_failed")


def test_a_token_is_throttled_apart_from_other_tokens(anonymous, ada, monkeypatch):
    monkeypatch.setattr(TokenRateThrottle, "THROTTLE_RATES", {"token": "2/min"})
    first, second = AuthToken.objects.create(ada)[1], AuthToken.objects.create(ada)[1]
    runs(anonymous, first)
    runs(anonymous, first)

    assert_problem(runs(anonymous, first), 429, "throttled")
    assert runs(anonymous, second).status_code == 200


def test_getting_a_token_opens_no_session(anonymous, ada):
    response = ask(anonymous)

    assert not response.cookies
    assert Session.objects.count() == 0


def test_getting_a_token_leaves_a_session_that_there_was(ada):
    browser = Client()
    browser.force_login(ada)

    ask(browser)

    assert browser.get("/admin/").status_code == 200


def test_a_new_token_removes_those_that_have_expired(anonymous, ada):
    ask(anonymous)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    ask(anonymous)

    assert AuthToken.objects.count() == 1


def test_a_request_costs_the_same_however_many_tokens_its_user_has(anonymous, ada, django_assert_num_queries):
    token = ask(anonymous).json()["token"]
    with CaptureQueriesContext(connection) as alone:
        runs(anonymous, token)
    queries = len(alone)
    for _ in range(10):
        ask(anonymous)

    with django_assert_num_queries(queries):
        runs(anonymous, token)

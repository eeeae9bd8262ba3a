"""A client that sends too much, or to nobody, sees its answer: what it sends is taken off the wire."""

from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory
from knox.models import AuthToken

from workflows.api import bodies

pytestmark = pytest.mark.django_db

BIG = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def _connection_stays_open():
    for event in (request_started, request_finished):
        event.disconnect(close_old_connections)
    yield
    for event in (request_started, request_finished):
        event.connect(close_old_connections)


def post(path, size, length=None, **headers):
    """Hands a body to the application as a server does; gives the status and how much was read of it."""
    wire = BytesIO(b"x" * size)
    given = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(length or size), "wsgi.input": wire}
    answer = []
    response = WSGIHandler()(
        {**RequestFactory().post(path, **headers).environ, **given},
        lambda status, headers, exc_info=None: answer.append(int(status.split()[0])),
    )
    list(response)
    response.close()
    return answer[0], wire.tell()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/runs/", 401), ("/api/v1/nothing/", 404), ("/api/v1/auth/token/", 401)],
)
def test_a_body_that_nobody_reads_is_taken_off_the_wire(path, status):
    assert post(path, BIG) == (status, BIG)


def test_a_body_that_is_too_large_is_taken_off_the_wire(admin_user):
    token = AuthToken.objects.create(admin_user)[1]

    assert post("/api/v1/runs/", BIG, HTTP_AUTHORIZATION=f"Token {token}") == (413, BIG)


def test_more_than_a_client_may_waste_is_left(monkeypatch):
    monkeypatch.setattr(bodies, "MOST_DRAINED", BIG)

    assert post("/api/v1/runs/", BIG, length=BIG + 1) == (401, 0)

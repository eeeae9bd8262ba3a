"""Clients of the REST door by role, and what a test counts to prove that nothing was written."""

import itertools

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from rest_framework.test import APIClient

from finaegis.views import counts
from ledger.models import Transfer
from tests import talking  # noqa: F401 - registers workflows
from tests.api import cast  # noqa: F401 - registers the workflows
from tests.treasury.factories import TreasuryAccountFactory
from tests.treasury.instrument_table import have_instruments
from treasury.models import StoredEvent, TreasuryAccount
from workflows.models import AuditEntry, HistoryEvent, InboxItem, Run

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()
    counts.forget()


def client_of(user):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


@pytest.fixture
def client_with(db):
    """A client whose user holds exactly these permissions."""

    def make(*permissions):
        user = User.objects.create_user(f"user{next(_numbers)}")
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        return client_of(user)

    return make


def _member(role):
    user = User.objects.create_user(role, password="finaegis")
    user.groups.add(Group.objects.get(name=role))
    return client_of(user)


@pytest.fixture
def operator(db):
    return _member("operator")


@pytest.fixture
def viewer(db):
    return _member("viewer")


@pytest.fixture
def anonymous(db):
    return APIClient(raise_request_exception=False)


@pytest.fixture
def account(db):
    """A treasury account with 1000000.00 USD."""
    have_instruments()
    return TreasuryAccountFactory()


@pytest.fixture
def written(db):
    """Counts of everything a start or a domain write would add to."""

    def count():
        kinds = (Run, HistoryEvent, AuditEntry, Transfer, StoredEvent, TreasuryAccount)
        return {kind.__name__: kind.objects.count() for kind in kinds}

    return count


@pytest.fixture
def left(written):
    """Counts of everything that a message could write."""
    return lambda: {**written(), "InboxItem": InboxItem.objects.count()}


def assert_problem(response, status, code):
    """The answer is a problem with this status and code; gives its body."""
    body = response.json()
    assert (response.status_code, body.get("code")) == (status, code), body
    assert response["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["status"] == status
    return body

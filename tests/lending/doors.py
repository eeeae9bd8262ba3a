"""Clients of the REST door by role, and the body of an application."""

import itertools

from django.contrib.auth.models import Group, Permission, User
from rest_framework.test import APIClient

_numbers = itertools.count(1)

BODY = {
    "applicant": "Ada Lovelace",
    "ssn": "900-55-2002",
    "income": "60000.00",
    "currency": "EUR",
    "amount": "2096.00",
    "term_months": 12,
    "documents": [{"kind": "payslip", "reference": "DOC-1"}],
}
RISKY = {**BODY, "ssn": "900-55-2001", "amount": "5951.00", "term_months": 48}


def client_of(user):
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def member(role, name=None):
    """A client in the name of a member of a group."""
    user = User.objects.create_user(name or f"{role}{next(_numbers)}", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return client_of(user)


def holder(*permissions):
    """A client of a user with exactly these permissions."""
    user = User.objects.create_user(f"user{next(_numbers)}")
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return client_of(user)


def problem(response):
    """Status and code of a refusal."""
    assert response["Content-Type"] == "application/problem+json", response.content
    return response.status_code, response.json()["code"]

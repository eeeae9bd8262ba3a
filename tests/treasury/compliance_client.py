"""The client process of the fault tests, answering about compliance: `python -m tests.treasury.compliance_client`."""

from __future__ import annotations

import uuid
from typing import Any
from uuid import UUID

from tests.faults import client  # sets Django up, so it comes first  # isort: skip
from django.contrib.auth.models import Group, User
from rest_framework.test import APIClient

from ledger import queries as ledger_queries
from treasury import queries
from workflows import queries as runs


def _door(role: str) -> APIClient:
    """The REST door, for a member of the role, named after it."""
    user, _ = User.objects.get_or_create(username=role)
    user.groups.add(Group.objects.get(name=role))
    found = APIClient()
    found.force_authenticate(user)
    return found


def post_as(role: str, path: str, body: dict[str, Any]) -> Any:
    answer = _door(role).post(f"/api/v1/{path}", body, format="json", headers={"Idempotency-Key": str(uuid.uuid4())})
    return {"status": answer.status_code, "body": answer.json()}


def cases(account: str) -> Any:
    """The account's cases: trigger, status and findings."""
    found, _ = queries.page_cases(limit=100, account_id=UUID(account))
    return [
        {
            "id": str(case.id),
            "trigger": str(case.trigger),
            "status": str(case.status),
            "kinds": [str(item.kind) for item in case.findings],
        }
        for case in found
    ]


def account_status(account: str) -> Any:
    return str(queries.get_account(UUID(account)).status)


def compliance_runs(account: str) -> Any:
    found = runs.list_runs(workflow="treasury.ComplianceSaga", key=f"compliance:{account}")
    return [{"id": str(run.id), "status": str(run.status)} for run in found]


def all_findings() -> Any:
    """What the ledger and the histories find wrong."""
    return [str(item) for item in [*ledger_queries.verify(), *runs.verify_all()]]


client.HANDLERS.update(
    post_as=post_as,
    cases=cases,
    account_status=account_status,
    compliance_runs=compliance_runs,
    all_findings=all_findings,
)

if __name__ == "__main__":
    client.serve()

"""The client process of the fault tests, answering about risk too: `python -m tests.treasury.worker_client`."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.faults import client  # sets Django up, so it comes first  # isort: skip
from django.contrib.auth.models import Group, User
from django.db import transaction
from rest_framework.test import APIClient

from finaegis.shared.money import Money
from ledger import queries as ledger_queries
from treasury import operations, queries
from workflows import queries as runs
from workflows.models import BusinessEvent, EventDelivery
from workflows.runtime import dispatch

WEALTH = Money(Decimal("10000000.00"), "USD")


def _door() -> APIClient:
    """The REST door, for a member of the operators."""
    user, _ = User.objects.get_or_create(username="olga")
    user.groups.add(Group.objects.get(name="operator"))
    found = APIClient()
    found.force_authenticate(user)
    return found


def post(path: str, body: dict[str, Any]) -> Any:
    answer = _door().post(f"/api/v1/{path}", body, format="json", headers={"Idempotency-Key": str(uuid.uuid4())})
    return {"status": answer.status_code, "body": answer.json()}


def get(path: str) -> Any:
    return _door().get(f"/api/v1/{path}").json()


def open_risky(name: str, hints: int) -> Any:
    """Open an account and put all its money into the aggressive classes, in one transaction; send so many hints."""
    with dispatch.silenced(), transaction.atomic():
        account = operations.open_treasury_account(
            name=name, currency="USD", initial_balance=WEALTH, key=f"risk:{name}"
        )
        operations.allocate(key=f"risk:{name}", account_id=account.id, strategy="aggressive", amount=WEALTH)
        event = BusinessEvent.objects.filter(type="treasury.TreasuryAccountCreated").latest("pk").pk
    for _ in range(hints):
        dispatch.send_deliver(event)
    return {"account": str(account.id), "event": event}


def deliver_again(event: int, hints: int) -> Any:
    """Forget that the event was delivered, as if nobody had noted it, and send so many hints."""
    EventDelivery.objects.filter(event_id=event).update(status="pending")
    for _ in range(hints):
        dispatch.send_deliver(event)


def deliveries(event: int) -> Any:
    return list(EventDelivery.objects.filter(event_id=event).values_list("workflow", "status"))


def sagas(account: str) -> Any:
    """Runs of the account's saga, newest first."""
    found = runs.list_runs(workflow="treasury.RiskManagementSaga", key=f"risk:{account}")
    return [{"id": str(run.id), "status": run.status} for run in found]


def risk_state(account: str) -> Any:
    state = queries.get_risk_state(UUID(account))
    if state is None:
        return None
    return {
        "status": state.status.value,
        "steps": [[step.name, str(step.score)] for step in state.steps],
        "mitigation": None if state.mitigation_workflow is None else str(state.mitigation_workflow),
    }


def books(account: str) -> Any:
    found = ledger_queries.list_accounts(owner=f"treasury:{account}")
    return {item.kind: item.balance.to_text() for item in found}


def assessments(account: str) -> Any:
    found, _ = queries.page_assessments(UUID(account), limit=100)
    return len(found)


client.HANDLERS.update(
    post=post,
    get=get,
    open_risky=open_risky,
    deliver_again=deliver_again,
    deliveries=deliveries,
    sagas=sagas,
    risk_state=risk_state,
    books=books,
    assessments=assessments,
)

if __name__ == "__main__":
    client.serve()

"""A process on the workers' database that does what customers do; one JSON request a line in, one answer a line out.

Run as `python -m tests.wallet.client`; the settings and addresses come from the environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import connection  # noqa: E402

from finaegis.shared.money import Money  # noqa: E402
from ledger import queries as ledger_queries  # noqa: E402
from tests.wallet import factories  # noqa: E402
from wallet import errors, operations, queries  # noqa: E402
from wallet.models import Withdrawal  # noqa: E402
from workflows import queries as runs  # noqa: E402


def request(number: int) -> list[str]:
    """So many withdrawals of 1.00, each of an account of its own with 10.00; gives their ids."""
    made = []
    for _ in range(number):
        account = factories.open_account("10.00")
        destination = factories.add_destination(account)
        asked = operations.request_withdrawal(
            key=f"test:{account.id}",
            account_id=account.id,
            amount=Money("1.00", "USD"),
            destination_id=destination.id,
        )
        made.append(str(asked.withdrawal.id))
    return made


def decide(ids: list[str]) -> list[dict[str, bool]]:
    """Confirm and cancel each of them at the same moment; which of the two was accepted."""
    return [_at_once(UUID(withdrawal_id)) for withdrawal_id in ids]


def _at_once(withdrawal_id: UUID) -> dict[str, bool]:
    link = factories.token_of(Withdrawal.objects.get(pk=withdrawal_id))
    acts: dict[str, Callable[[], object]] = {
        "confirmed": lambda: operations.confirm_withdrawal(link),
        "cancelled": lambda: operations.cancel_withdrawal(withdrawal_id),
    }
    with ThreadPoolExecutor(2) as pool:
        asked = {name: pool.submit(_accepted, act) for name, act in acts.items()}
        return {name: future.result() for name, future in asked.items()}


def _accepted(act: Callable[[], object]) -> bool:
    try:
        act()
    except errors.WalletError:
        return False
    finally:
        connection.close()
    return True


def confirm(ids: list[str]) -> None:
    """Confirm each of them."""
    for withdrawal_id in ids:
        operations.confirm_withdrawal(factories.token_of(Withdrawal.objects.get(pk=withdrawal_id)))


def look(ids: list[str]) -> list[dict[str, Any]]:
    """How each stands: status, its run's status, its money."""
    found = [queries.get_withdrawal(UUID(withdrawal_id)) for withdrawal_id in ids]
    return [
        {
            "status": str(item.status),
            "run": runs.get_run(item.run_id).status,
            **factories.money_of(queries.get_account(item.account_id)),
        }
        for item in found
    ]


def verify() -> list[str]:
    """What the ledger and the histories find wrong."""
    return [str(finding) for finding in [*ledger_queries.verify(), *runs.verify_all()]]


def prepare() -> None:
    """What the shared system asks of every client."""


ANSWERS: dict[str, Callable[..., Any]] = {
    call.__name__: call for call in (request, decide, confirm, look, verify, prepare)
}

if __name__ == "__main__":
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            told = {"answer": ANSWERS[name](**arguments)}
        except Exception as error:
            told = {"error": repr(error)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()

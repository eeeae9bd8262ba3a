"""A process on the workers' database that answers the tests: one JSON request a line in, one JSON answer a line out.

Run as `python -m tests.faults.client`; the settings and addresses come from the environment.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import transaction  # noqa: E402

from finaegis.shared.money import Money  # noqa: E402
from ledger import operations as ledger_operations  # noqa: E402
from ledger import queries as ledger_queries  # noqa: E402
from tests.faults import bulk, crowd, effects, family_flows, racing, worker_app  # noqa: E402, F401
from tests.faults.builds import new  # noqa: E402, F401
from treasury import operations as treasury_operations  # noqa: E402
from treasury import queries as treasury_queries  # noqa: E402
from workflows import events as business_events  # noqa: E402
from workflows import operations, queries  # noqa: E402
from workflows.core.status import CLOSED  # noqa: E402
from workflows.models import Process, Run  # noqa: E402
from workflows.runtime import dispatch  # noqa: E402

Answer = Any


def open_account(name: str) -> Answer:
    account = treasury_operations.open_treasury_account(
        name=name, currency="USD", initial_balance=Money(Decimal("1000000.00"), "USD"), key=f"open:{name}"
    )
    return str(account.id)


def balances(account_id: str) -> Answer:
    found = ledger_queries.list_accounts(owner=f"treasury:{account_id}")
    return {account.kind: str(account.balance.amount) for account in found}


def start(workflow: str, key: str, **inputs: Any) -> Answer:
    return str(operations.start_run(workflow, key=key, **inputs).id)


def start_hinted(key: str, label: str, hints: int) -> Answer:
    """Start a booking with exactly so many hints, sent at once."""
    with dispatch.silenced():
        run = operations.start_run("faults.Booking", key=key, label=label)
    for _ in range(hints):
        dispatch.send_advance(run.id)
    return str(run.id)


def is_alive(pid: int) -> Answer:
    """Whether a process of that number, begun anew or not, is believed alive."""
    return Process.objects.filter(pid=pid, expires_at__gt=datetime.now(UTC)).exists()


def act(name: str, run_id: str) -> Answer:
    acts: dict[str, Callable[..., Any]] = {
        "cancel": operations.cancel_run,
        "pause": operations.pause_run,
        "resume": operations.resume_run,
        "retry": operations.retry_run,
        "compensate": operations.compensate_run,
    }
    run = acts[name](UUID(run_id), reason="test")
    return {"status": run.status, "requested": run.requested}


def show(run_id: str) -> Answer:
    run = queries.get_run(UUID(run_id))
    return {"status": run.status, "hold_reason": run.hold_reason, "result": run.result_json, "error": run.error}


def history(run_id: str) -> Answer:
    return [
        {"position": entry.position, "kind": entry.kind, "at": entry.at.timestamp(), "data": entry.data}
        for entry in queries.get_history(UUID(run_id))
    ]


def children(run_id: str) -> Answer:
    found = queries.list_runs(parent=UUID(run_id), limit=1000)
    return [{"id": str(run.id), "status": run.status} for run in reversed(found)]


def closed_chain(run_id: str) -> Answer:
    """Ids of the links, in order, once the last has closed; else nothing."""
    links = sorted(Run.objects.filter(chain=run_id).values_list("link", "id", "status"))
    return [run_id, *[str(link) for _, link, _ in links]] if links and links[-1][2] in CLOSED - {"continued"} else []


def runs_of_key(key: str) -> Answer:
    return [str(run.id) for run in queries.list_runs(key=key)]


def publish_founding(name: str, size: int, hints: int, rolled_back: bool = False) -> Answer:
    """Publish with exactly so many hints, sent at once; or take it back and send them all the same."""
    with dispatch.silenced():
        number = _publish(family_flows.FamilyFounded(name, size), rolled_back=rolled_back)
    for _ in range(hints):
        dispatch.send_deliver(number)
    return number


def _publish(event: object, *, rolled_back: bool) -> int:
    with transaction.atomic():
        number = business_events.publish(event)
        if rolled_back:
            transaction.set_rollback(True)
    return number


def publish_birth(name: str, member: str) -> Answer:
    return business_events.publish(family_flows.MemberBorn(name, member))


def verify(run_id: str) -> Answer:
    return [finding.problem for finding in queries.verify_run(UUID(run_id))]


def ledger_findings() -> Answer:
    return [str(finding) for finding in ledger_queries.verify()]


def all_findings() -> Answer:
    """What the ledger and all histories find wrong."""
    return [str(finding) for finding in [*ledger_queries.verify(), *queries.verify_all()]]


def events(account_id: str, run_id: str) -> Answer:
    recorded = treasury_queries.list_events(UUID(account_id))
    return [record.name for record in recorded if str(record.run_id) == run_id]


def effect_count(label: str) -> Answer:
    return effects.count(label)


def signal(run_id: str, name: str, hinted: bool = True, args: list[Any] | None = None) -> Answer:
    """Send a signal; one that is not hinted leaves only its row, as if its message were lost."""
    if hinted:
        operations.signal_run(UUID(run_id), name, *(args or []))
    else:
        with dispatch.silenced():
            operations.signal_run(UUID(run_id), name, *(args or []))
    return True


def update(run_id: str, name: str, args: list[Any]) -> Answer:
    return operations.update_run(UUID(run_id), name, *args)


def query(run_id: str, name: str) -> Answer:
    return operations.query_run(UUID(run_id), name)


def complete(label: str, result: Any) -> Answer:
    """End a step by the token that its activity left, once there is one."""
    tokens = effects.counts(f"{label}:token:%")
    for told in tokens:
        operations.complete_step(told.rsplit(":", 1)[1], result=result)
    return len(tokens)


def open_ledger_account(owner: str, may_go_negative: bool) -> Answer:
    account = ledger_operations.open_account(
        owner=owner, kind="operating", currency="USD", may_go_negative=may_go_negative
    )
    return str(account.id)


def ledger_balance(account_id: str) -> Answer:
    return str(ledger_queries.get_account(UUID(account_id)).balance.amount)


def steps(run_id: str) -> Answer:
    return [
        {"seq": step.seq, "name": step.name, "status": step.status, "attempts": step.attempts}
        for step in queries.list_steps(UUID(run_id))
    ]


def figures(workflow: str) -> Answer:
    """What is counted of a workflow, and attempts that were lost with their workers."""
    found = queries.read_metrics()
    (item,) = [item for item in found.types if item.workflow == workflow]
    lost = sum(number for (_, how), number in found.failed_attempts.items() if how == "lost")
    return {
        "is_counted": found.is_counted, "started": item.started, "closed": item.figures.closed,
        "taken_over": item.figures.taken_over, "lost": lost,
    }  # fmt: skip


def prepare() -> Answer:
    effects.create_table()
    return True


HANDLERS: dict[str, Callable[..., Answer]] = {
    "open_account": open_account,
    "start_hinted": start_hinted,
    "is_alive": is_alive,
    "balances": balances,
    "start": start,
    "act": act,
    "show": show,
    "history": history,
    "verify": verify,
    "ledger_findings": ledger_findings,
    "all_findings": all_findings,
    "events": events,
    "effect_count": effect_count,
    "signal": signal,
    "update": update,
    "query": query,
    "complete": complete,
    "open_ledger_account": open_ledger_account,
    "ledger_balance": ledger_balance,
    "steps": steps,
    "prepare": prepare,
    "figures": figures,
    "children": children,
    "closed_chain": closed_chain,
    "runs_of_key": runs_of_key,
    "publish_founding": publish_founding,
    "publish_birth": publish_birth,
    **bulk.HANDLERS,
    **crowd.HANDLERS,
    **racing.HANDLERS,
}


def serve() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer: dict[str, Any] = {"answer": HANDLERS[name](**arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()

"""Every workflow of the platform, from REST over a socket to its end, on Postgres, Redis, beat and two workers.

What takes days is brought to its end by workers whose clock is ahead: they take the place of the first ones.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.http_door import HttpDoor
from tests.faults.system import ROOT, System, require_services
from workflows.core.status import CLOSED

pytestmark = pytest.mark.workers

#: After three open days of any calendar, whatever the day of the week.
DAYS_AHEAD = 10
TEN_MILLION = "10000000.00"
APPLICATION = {
    "applicant": "Ada Lovelace", "ssn": "900-55-2002", "income": "60000.00", "currency": "EUR", "amount": "2096.00",
    "term_months": 12, "documents": [{"kind": "payslip", "reference": "DOC-1"}],
}  # fmt: skip
#: Scored above 70, so an officer decides.
RISKY = APPLICATION | {"applicant": "Grace Hopper", "ssn": "900-55-2001", "amount": "5951.00", "term_months": 48}


@dataclass
class Company(System):
    """A real system with a web server, demo users, mails in files, and workers whose clock may be ahead."""

    days_ahead: int = 0

    @property
    def env(self) -> dict[str, str]:
        mails, reports = self.folder / "mails", self.folder / "reports"
        mails.mkdir(exist_ok=True)
        return super().env | {
            "EMAIL_URL": f"filemail:///{mails}", "REPORTS_DIR": str(reports), "FAULTS_DAYS_AHEAD": str(self.days_ahead)
        }  # fmt: skip

    def open_for_business(self) -> HttpDoor:
        self.start(workers=2)
        subprocess.run([sys.executable, "manage.py", "seed_demo", "--small"], cwd=ROOT, env=self.env, check=True)
        return HttpDoor(self)

    def move_ahead(self) -> None:
        """Let workers of a later day take the place of these."""
        for worker in self.processes[-3:-1]:
            self.end(worker)
        self.days_ahead = DAYS_AHEAD
        for number in (2, 3):
            self.start_worker(number)

    def confirmations(self) -> list[str]:
        """The tokens of the links in the mails, each once: a mail has it as text and as HTML."""
        mails = "".join(path.read_text() for path in sorted((self.folder / "mails").iterdir()))
        return list(dict.fromkeys(re.findall(r"/wallet/confirm/([^/\s]+)/", mails)))


@pytest.fixture
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    require_services()
    company = Company("finaegis_company", tmp_path_factory.mktemp("company"))
    try:
        yield company
    finally:
        company.stop()


def pages(door: HttpDoor, path: str) -> Iterator[dict[str, Any]]:
    following = path
    while following:
        page = door.get("operator", following)
        yield from page["results"]
        following = page["next"] and page["next"].split("/api/v1/")[1]


def offered(door: HttpDoor) -> set[tuple[str, int]]:
    """Names and versions of the platform's workflows."""
    return {(item["name"], item["version"]) for item in pages(door, "workflows/")}


def ended(door: HttpDoor) -> set[tuple[str, int]]:
    """What has a run that came to its end."""
    return {(run["workflow"], run["version"]) for run in pages(door, "runs/") if run["status"] in CLOSED}


def closed(company: Company, door: HttpDoor, run_id: str) -> dict[str, Any]:
    """The run once it has ended; one that is held fails the test."""

    def found() -> dict[str, Any] | None:
        run: dict[str, Any] = door.get("operator", f"runs/{run_id}/")
        assert run["status"] != "held", run
        return run if run["status"] in CLOSED else None

    run: dict[str, Any] = company.wait_for(found, seconds=90, what=f"run {run_id} has ended")
    return run


def reaching(company: Company, look: Callable[[], Any], what: str) -> Any:
    return company.wait_for(look, seconds=90, what=what)


def pay_loans(company: Company, door: HttpDoor) -> None:
    """The first form of the process approves by itself; of the second an officer approves, and the loan is paid."""
    first = door.post("operator", "runs/", {"workflow": "lending.LoanApplication", "version": 1, "input": APPLICATION})
    applied = door.post("operator", "lending/applications/", RISKY)
    path = f"lending/applications/{applied['id']}/"
    reaching(company, lambda: door.get("operator", path)["status"] == "in_review", "an officer is asked")
    door.post("approver", f"{path}decision/", {"decision": "approve", "reason": "income is proven"})
    assert closed(company, door, applied["run_id"])["result"]["decision"] == "approved"
    loan = door.post("operator", f"{path}accept/", {})
    paid = door.post("operator", f"lending/loans/{loan['id']}/disburse/", {})
    assert closed(company, door, paid["run_id"])["result"]["success"] is True
    assert closed(company, door, first["id"])["result"]["approved"] is True


def trade(company: Company, door: HttpDoor) -> None:
    """A sale meets a purchase; then both once more, as a batch."""
    order = {"symbol": "BTC-USD", "type": "limit", "quantity": "0.5", "price": "30000.00"}
    sold = door.post("operator", "exchange/orders/", order | {"side": "sell"})
    assert closed(company, door, sold["run_id"])["result"]["status"] == "open"
    bought = door.post("admin", "exchange/orders/", order | {"side": "buy"})
    result = closed(company, door, bought["run_id"])["result"]
    assert (result["status"], [match["quantity"] for match in result["matches"]]) == ("filled", ["0.50000000"])
    holders = {item["holder"]: item["id"] for item in door.get("admin", "exchange/accounts/")["results"]}
    batch = [
        order | {"side": "sell", "account_id": holders["operator"]},
        order | {"side": "buy", "account_id": holders["admin"]},
    ]
    run = door.post("operator", "runs/", {"workflow": "exchange.OrderBatch", "input": {"orders": batch}})
    assert [item["status"] for item in closed(company, door, run["id"])["result"]["results"]] == ["open", "filled"]


def manage_treasury(company: Company, door: HttpDoor) -> str:
    """Put an account's money into risky classes, have the risk judged and lowered; gives the account."""
    opening = {"name": "Venture", "currency": "USD", "initial_balance": TEN_MILLION}
    account = door.post("operator", "treasury/accounts/", opening)["id"]
    path = f"treasury/accounts/{account}/risk/"
    reaching(company, lambda: door.get("operator", path)["run_status"] == "waiting", "its risk is watched")
    amount = {"amount": TEN_MILLION, "currency": "USD"}
    asked = {"account_id": account, "amount": amount, "strategy": "aggressive"}
    put = door.post("operator", "treasury/cash-management/", asked)
    assert closed(company, door, put["run_id"])["result"]["success"] is True
    judged = door.post("operator", f"treasury/accounts/{account}/risk-assessments/", {})
    assert closed(company, door, judged["run_id"])["result"]["score"] == "70.38"
    mitigation = {"workflow": "treasury.RiskMitigation", "input": {"account_id": account}}
    lowered = door.post("operator", "runs/", mitigation)
    assert closed(company, door, lowered["id"])["status"] == "completed"
    return str(account)


def reject_account(company: Company, door: HttpDoor, account: str) -> None:
    """Compliance asks an officer about the account, who rejects it."""

    def cases() -> list[dict[str, Any]]:
        found = door.get("approver", "treasury/compliance/cases/?status=open")["results"]
        return [case for case in found if case["account_id"] == account]

    case = reaching(company, cases, "compliance has a case")[0]
    decision = {"decision": "reject", "reason": "no papers of the owners"}
    door.post("approver", f"treasury/compliance/cases/{case['id']}/decision/", decision)


def stop_watching(company: Company, door: HttpDoor, account: str) -> None:
    """The account's risk is watched for ever; a cancel ends that."""
    path = f"treasury/accounts/{account}/risk/"
    saga = door.get("operator", path)["saga"]["id"]
    door.post("operator", f"runs/{saga}/cancel/", {"reason": "the account is closed"})
    reaching(company, lambda: door.get("operator", path)["run_status"] == "cancelled", "nobody watches any more")


def withdraw(company: Company, door: HttpDoor) -> str:
    """A withdrawal is asked for and confirmed by the link of its mail; gives its run."""
    account = door.get("operator", "wallet/accounts/")["results"][0]["id"]
    destination = door.get("operator", f"wallet/destinations/?account={account}")["results"][0]["id"]
    wanted = {"account": account, "amount": "25.00", "destination": destination}
    withdrawal = door.post("operator", "wallet/withdrawals/", wanted)
    path = f"wallet/withdrawals/{withdrawal['id']}/"
    reaching(company, lambda: len(company.confirmations()) == 2, "the mails are sent")  # the demo's own, and this one
    reaching(company, lambda: door.get("operator", path)["status"] == "awaiting_confirmation", "the link is awaited")
    for token in company.confirmations():
        door.post("operator", "wallet/withdrawals/confirm/", {"token": token})
    reaching(company, lambda: door.get("operator", path)["status"] == "in_transit", "it is in transit")
    return str(withdrawal["run_id"])


def test_every_workflow_ends_that_was_begun_at_a_public_door(company: Company) -> None:
    door = company.open_for_business()
    withdrawn = withdraw(company, door)
    report = door.post("operator", "reporting/reports/", {"report": "treasury_positions", "format": "pdf"})
    pay_loans(company, door)
    trade(company, door)
    account = manage_treasury(company, door)
    reject_account(company, door, account)
    assert closed(company, door, report["run_id"])["status"] == "completed"

    company.move_ahead()
    assert closed(company, door, withdrawn)["result"] == {"status": "completed"}
    stop_watching(company, door, account)

    assert ended(door) == offered(door)
    assert company.ask("all_findings") == []

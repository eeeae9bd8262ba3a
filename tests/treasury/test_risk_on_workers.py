"""Risk management on Postgres with two workers, from its public doors; neither doubling nor a kill harms it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.system import ROOT, System, require_services

pytestmark = pytest.mark.workers

SAGA = "treasury.RiskManagementSaga"
AGGRESSIVE = {
    "operating": "0.00",
    "allocated_cash": "1000000.00",
    "allocated_bonds": "2000000.00",
    "allocated_equities": "7000000.00",
}
MITIGATED = {
    "operating": "500000.00",
    "allocated_cash": "2000000.00",
    "allocated_bonds": "4000000.00",
    "allocated_equities": "3500000.00",
}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    require_services()
    system = System("finaegis_risk", tmp_path_factory.mktemp("risk"))
    try:
        system.start(workers=2)
        usual = system.client
        system.client = subprocess.Popen(
            [sys.executable, "-m", "tests.treasury.worker_client"],
            cwd=ROOT, env=system.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert usual is not None
        with usual:
            usual.kill()
        yield system
    finally:
        system.stop()


def name() -> str:
    return uuid.uuid4().hex[:12]


def watched(system: System, account: str) -> dict[str, Any]:
    """The state of the account's saga once it waits for the next day."""

    def found() -> dict[str, Any] | None:
        state: dict[str, Any] | None = system.ask("risk_state", account=account)
        return state if state is not None and state["status"] == "monitoring" else None

    state: dict[str, Any] = system.wait_for(found, seconds=60, what=f"saga of {account} is monitoring")
    return state


def whole(system: System, run_id: str) -> None:
    for one in [run_id, *[child["id"] for child in system.ask("children", run_id=run_id)]]:
        assert system.ask("verify", run_id=one) == []
    assert system.ask("ledger_findings") == []


def test_an_account_opened_over_rest_is_watched_mitigated_and_undone_by_a_cancel(system: System) -> None:
    opened = system.ask(
        "post",
        path="treasury/accounts/",
        body={"name": name(), "currency": "USD", "initial_balance": "10000000.00"},
    )
    account = opened["body"]["id"]
    assert watched(system, account)["steps"] == [["assessment", "35.00"]]
    put = system.ask(
        "post",
        path="treasury/cash-management/",
        body={
            "account_id": account,
            "amount": {"amount": "10000000.00", "currency": "USD"},
            "strategy": "aggressive",
        },
    )
    assert system.wait_closed(put["body"]["run_id"])["status"] == "completed"
    (saga,) = system.ask("sagas", account=account)

    told = system.ask("post", path=f"runs/{saga['id']}/signals/assess_now/", body={})
    assert told["status"] < 300, told
    system.wait_for(
        lambda: len((system.ask("risk_state", account=account) or {"steps": []})["steps"]) == 3,
        seconds=60, what="it is assessed again and mitigated",
    )  # fmt: skip
    assert watched(system, account)["steps"][1:] == [["assessment", "70.38"], ["mitigation", "33.63"]]
    assert system.ask("books", account=account) == MITIGATED
    risk = system.ask("get", path=f"treasury/accounts/{account}/risk/")
    assert (risk["run_status"], risk["saga"]["id"]) == ("waiting", saga["id"])

    current = system.ask("sagas", account=account)[0]["id"]
    cancelled = system.ask("post", path=f"runs/{current}/cancel/", body={"reason": "account is being closed"})
    assert cancelled["status"] in (200, 202), cancelled
    assert system.wait_closed(current, seconds=60)["status"] == "cancelled"
    assert system.ask("books", account=account) == AGGRESSIVE
    whole(system, current)


def test_an_assessment_and_a_mitigation_are_started_over_rest_and_end(system: System) -> None:
    account = system.ask("open_risky", name=name(), hints=0)["account"]

    assessed = system.ask("post", path=f"treasury/accounts/{account}/risk-assessments/", body={})
    assert assessed["status"] == 201
    assert system.wait_closed(assessed["body"]["run_id"])["result"]["score"] == "70.38"

    run = system.ask(
        "post", path="runs/", body={"workflow": "treasury.RiskMitigation", "input": {"account_id": account}}
    )
    assert run["status"] == 201, run
    assert system.wait_closed(run["body"]["id"])["status"] == "completed"
    whole(system, run["body"]["id"])


def test_the_saga_starts_once_when_its_event_is_delivered_five_times(system: System) -> None:
    opened = system.ask("open_risky", name=name(), hints=5)
    account = opened["account"]
    watched(system, account)

    for _ in range(4):
        system.ask("deliver_again", event=opened["event"], hints=5)
        system.wait_for(
            lambda: [SAGA, "delivered"] in system.ask("deliveries", event=opened["event"]), what="it is delivered again"
        )

    (saga,) = system.ask("sagas", account=account)
    assert [child["status"] for child in system.ask("children", run_id=saga["id"])] == ["completed"] * 2
    assert watched(system, account)["steps"] == [["assessment", "70.38"], ["mitigation", "33.63"]]
    assert system.ask("assessments", account=account) == 2
    assert system.ask("books", account=account) == MITIGATED


@pytest.mark.parametrize(
    "point",
    [
        f"event.taken@{SAGA}",
        f"event.delivered@{SAGA}",
        "child.inserted@treasury.RiskMitigation",
        "commit.before@treasury.rebalance_allocations",
        "commit.after@treasury.rebalance_allocations",
    ],
)
def test_a_worker_killed_between_the_event_and_the_last_measure_loses_and_doubles_nothing(
    system: System, point: str
) -> None:
    system.arm(point, "kill")

    account = system.ask("open_risky", name=name(), hints=1)["account"]
    state = watched(system, account)

    assert system.taken(point), "the fault was not met"
    assert state["steps"] == [["assessment", "70.38"], ["mitigation", "33.63"]]
    (saga,) = system.ask("sagas", account=account)
    assert system.ask("books", account=account) == MITIGATED
    whole(system, saga["id"])

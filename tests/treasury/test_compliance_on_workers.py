"""Compliance on Postgres with two workers, from its public doors to its end; a kill loses and doubles nothing."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.system import ROOT, System, require_services

pytestmark = pytest.mark.workers
SAGA = "treasury.ComplianceSaga"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    require_services()
    system = System("finaegis_compliance", tmp_path_factory.mktemp("compliance"))
    try:
        system.start(workers=2)
        usual = system.client
        system.client = subprocess.Popen(
            [sys.executable, "-m", "tests.treasury.compliance_client"],
            cwd=ROOT, env=system.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert usual is not None
        with usual:
            usual.kill()
        yield system
    finally:
        system.stop()


def opened(system: System, **facts: Any) -> str:
    """An account that the operator opened over REST, without documents."""
    body = {"name": f"Ada {uuid.uuid4().hex[:8]}", "currency": "USD"} | facts
    answer = system.ask("post_as", role="operator", path="treasury/accounts/", body=body)
    assert answer["status"] == 201, answer
    account: str = answer["body"]["id"]
    return account


def found(system: System, account: str, number: int) -> list[dict[str, Any]]:
    """The account's cases, once there are so many."""

    def enough() -> list[dict[str, Any]] | None:
        cases: list[dict[str, Any]] = system.ask("cases", account=account)
        return cases if len(cases) == number else None

    cases: list[dict[str, Any]] = system.wait_for(enough, seconds=60, what=f"{number} cases of {account}")
    return cases


def decide(system: System, case: dict[str, Any], decision: str) -> dict[str, Any]:
    path = f"treasury/compliance/cases/{case['id']}/decision/"
    answer: dict[str, Any] = system.ask(
        "post_as", role="approver", path=path, body={"decision": decision, "reason": "looked into"}
    )
    return answer


def rejected(system: System, account: str) -> None:
    """The account is frozen, its saga has ended, and everything is sound."""
    (run,) = system.ask("compliance_runs", account=account)
    assert system.wait_closed(run["id"], seconds=60)["status"] == "completed"
    assert system.ask("account_status", account=account) == "frozen"
    assert system.ask("all_findings") == []


def test_an_account_is_opened_moved_cleared_and_rejected(system: System) -> None:
    account = opened(system)
    (opening,) = found(system, account, 1)
    assert (opening["trigger"], opening["kinds"]) == ("opening", ["documents_incomplete"])
    for _ in range(3):
        moved = system.ask(
            "post_as", role="operator", path=f"treasury/accounts/{account}/movements/",
            body={"direction": "in", "amount": "4000.00", "counterparty": "Kang Myong-hyok"},
        )  # fmt: skip
        assert moved["status"] == 201
    cases = found(system, account, 2)
    movement = next(case for case in cases if case["trigger"] == "movement")
    assert movement["kinds"] == ["structuring", "sanctions_match"]

    assert decide(system, opening, "clear")["body"]["status"] == "cleared"
    assert decide(system, movement, "reject")["body"]["status"] == "rejected"

    rejected(system, account)
    refused = system.ask(
        "post_as", role="operator", path=f"treasury/accounts/{account}/movements/",
        body={"direction": "in", "amount": "1.00"},
    )  # fmt: skip
    assert refused["body"]["code"] == "account_frozen"


@pytest.mark.parametrize(
    "point",
    [
        f"event.taken@{SAGA}",
        f"event.delivered@{SAGA}",
        "commit.before@treasury.open_case",
        "commit.after@treasury.open_case",
    ],
)
def test_a_worker_killed_between_the_event_and_the_case_loses_and_doubles_nothing(system: System, point: str) -> None:
    system.arm(point, "kill")

    account = opened(system, initial_balance="20000.00")
    cases = found(system, account, 2)

    assert system.taken(point), "the fault was not met"
    assert {case["trigger"] for case in cases} == {"opening", "movement"}
    assert decide(system, cases[0], "reject")["status"] in (200, 202)
    rejected(system, account)
    assert sorted(case["status"] for case in system.ask("cases", account=account)) == ["rejected", "superseded"]


@pytest.mark.parametrize("point", ["commit.before@treasury.conclude_case", "commit.after@treasury.conclude_case"])
def test_a_worker_killed_with_a_decision_records_it_once(system: System, point: str) -> None:
    account = opened(system)
    (case,) = found(system, account, 1)
    system.arm(point, "kill")

    assert decide(system, case, "reject")["status"] in (200, 202)

    rejected(system, account)
    assert system.taken(point), "the fault was not met"
    assert [item["status"] for item in system.ask("cases", account=account)] == ["rejected"]

"""Lending on Postgres and Redis with two workers: checks as a chord, a decision as an update, a payout and its undo."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.faults.system import ROOT, System, require_services

pytestmark = pytest.mark.workers

_OPEN = ("pending", "running", "compensating")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    require_services()
    system = System("finaegis_lending", tmp_path_factory.mktemp("lending"))
    try:
        system.start(workers=2)
        with answering_about_lending(system):
            system.ask("fund")
            yield system
    finally:
        system.stop()


@contextmanager
def answering_about_lending(system: System) -> Iterator[None]:
    """The system's client is one that knows lending."""
    usual = system.client
    system.client = subprocess.Popen(
        [sys.executable, "-m", "tests.lending.worker_client"],
        cwd=ROOT, env=system.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield
    finally:
        with system.client as client:
            client.kill()
        system.client = usual


def settled(system: System, run_id: str) -> dict[str, Any]:
    """The run once nothing of it is under way: closed, held, or waiting for a person."""

    def found() -> dict[str, Any] | None:
        run: dict[str, Any] = system.ask("show", run_id=run_id)
        steps = system.ask("steps", run_id=run_id)
        moving = run["status"] in _OPEN or (run["status"] == "waiting" and "wait_for" not in steps)
        return None if moving else run

    run: dict[str, Any] = system.wait_for(found, seconds=60, what=f"run {run_id} settled")
    return run


def test_a_good_application_is_approved_and_its_loan_paid_out_and_taken_back(system: System) -> None:
    application = system.ask("apply", ending="2002", amount="2096.00", term_months=12)
    assert settled(system, application["run_id"])["result"]["approved"] is True
    assert system.ask("steps", run_id=application["run_id"])["pull_credit"] == 1

    paid = system.ask("pay_out", application_id=application["id"])
    assert settled(system, paid["run_id"])["result"]["success"] is True
    assert system.ask("books", owner=paid["owner"]) == ["97904.00", "0.00", "2096.00"]
    assert system.ask("schedule", loan_id=paid["loan_id"]) == 12

    system.ask("undo", run_id=paid["run_id"])
    assert settled(system, paid["run_id"])["status"] == "compensated"
    assert system.ask("books", owner=paid["owner"]) == ["100000.00", "0.00", "0.00"]
    assert system.ask("verify", run_id=paid["run_id"]) == []


@pytest.mark.parametrize(("ending", "decision", "approved"), [("2001", "decline", False), ("3001", "approve", True)])
def test_a_decision_reaches_the_run_that_waits_for_it(
    system: System, ending: str, decision: str, approved: bool
) -> None:
    application = system.ask("apply", ending=ending, amount="5951.00", term_months=48)
    assert settled(system, application["run_id"])["status"] == "waiting"

    decided = system.ask("decide", application_id=application["id"], decision=decision)

    assert decided == {"status": "approved" if approved else "declined", "pending": False}
    closed = settled_after_decision(system, application["run_id"])
    assert closed["result"]["approved"] is approved
    assert system.ask("verify", run_id=application["run_id"]) == []


def settled_after_decision(system: System, run_id: str) -> dict[str, Any]:
    def closed() -> dict[str, Any] | None:
        run: dict[str, Any] = system.ask("show", run_id=run_id)
        return run if run["status"] == "completed" else None

    run: dict[str, Any] = system.wait_for(closed, seconds=60, what=f"run {run_id} completed")
    return run

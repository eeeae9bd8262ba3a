"""Reports on Postgres and Redis with two real workers: every kind and format, a killed worker, one taken back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.system import ROOT, System, require_services
from tests.reporting import books

pytestmark = pytest.mark.workers


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    require_services()
    folder = tmp_path_factory.mktemp("reporting")
    system = System("finaegis_reporting", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPORTS_DIR", str(folder / "reports"))
        try:
            system.start(workers=2)
            with answering_about_reports(system):
                system.ask("open_account", name="Liquidity")
                yield system
        finally:
            system.stop()


@contextmanager
def answering_about_reports(system: System) -> Iterator[None]:
    """The system's client is one that knows reporting."""
    usual = system.client
    system.client = subprocess.Popen(
        [sys.executable, "-m", "tests.reporting.worker_client"],
        cwd=ROOT, env=system.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield
    finally:
        with system.client as client:
            client.kill()
        system.client = usual


@pytest.mark.parametrize("format", books.FORMATS)
@pytest.mark.parametrize("kind", books.KINDS)
def test_each_report_is_made_by_workers_and_its_file_is_the_one_recorded(
    system: System, kind: str, format: str
) -> None:
    made = system.ask("order", kind=kind, format=format, key=f"{kind}:{format}")

    assert system.wait_closed(made["run_id"], seconds=60)["status"] == "completed"

    assert system.ask("report", report_id=made["id"]) == {"status": "ready", "ties": True, "verified": True, "files": 1}
    assert system.ask("verify", run_id=made["run_id"]) == []
    again = system.ask("order", kind=kind, format=format, key=f"{kind}:{format}")
    assert again == made


def test_a_worker_that_is_killed_while_it_makes_a_report_costs_an_attempt(system: System) -> None:
    """Dead between its file and the word of it: the file that it left is deleted, the next one is published."""
    point = "commit.before@reporting.generate_report"
    system.arm(point, "kill")

    made = system.ask("order", kind="treasury_positions", format="pdf", key="killed")
    run = system.wait_closed(made["run_id"], seconds=120)

    assert system.taken(point), "the fault was not met"
    assert run["status"] == "completed"
    (lost,) = system.wait_entries(made["run_id"], "AttemptFailed")
    assert lost["data"]["error"]["code"] == "worker_lost"
    assert system.ask("report", report_id=made["id"]) == {"status": "ready", "ties": True, "verified": True, "files": 1}
    assert system.ask("verify", run_id=made["run_id"]) == []


def test_a_report_that_is_taken_back_loses_its_file(system: System) -> None:
    made = system.ask("order", kind="loan_book", format="csv", key="taken back")
    system.wait_closed(made["run_id"], seconds=60)

    system.ask("act", name="compensate", run_id=made["run_id"])

    def undone() -> bool:
        return bool(system.ask("show", run_id=made["run_id"])["status"] == "compensated")

    system.wait_for(undone, seconds=60, what="the run is compensated")
    found = system.wait_for(
        lambda: (report := system.ask("report", report_id=made["id"]))["files"] == 0 and report,
        seconds=30, what="the file is gone",
    )  # fmt: skip
    assert found["status"] == "withdrawn"

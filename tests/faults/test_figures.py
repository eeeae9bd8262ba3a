"""Figures on real workers: a killed worker and a Redis that stops and comes back empty cost no run and no count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import MakeSystem
from tests.faults.system import System
from tests.workflows.redises import OwnRedis

pytestmark = pytest.mark.workers

RUNS = 8
WORKFLOW = "faults.Booking"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.stop()


def complete(system: System, label: str) -> None:
    runs = [
        system.ask("start", workflow=WORKFLOW, key=f"{label}:{number}", label=f"{label}{number}")
        for number in range(RUNS)
    ]
    for run_id in runs:
        assert system.wait_closed(run_id)["status"] == "completed"


def test_a_killed_worker_and_a_redis_that_loses_everything_cost_no_count(
    make_system: MakeSystem, server: OwnRedis
) -> None:
    system: System = make_system("figures", results=server.url)
    system.start(workers=2)
    system.arm("attempt.inside@tests.notify", "kill")

    complete(system, "up")
    before = system.ask("figures", workflow=WORKFLOW)
    server.stop()
    complete(system, "away")
    server.start()
    after = system.ask("figures", workflow=WORKFLOW)

    assert system.taken("attempt.inside@tests.notify"), "the fault was not met"
    assert (before["is_counted"], before["started"], before["closed"]) == (True, RUNS, {"completed": RUNS})
    assert before["taken_over"] >= 1
    assert before["lost"] == 1
    assert (after["is_counted"], after["started"], after["closed"]) == (True, 2 * RUNS, {"completed": 2 * RUNS})
    assert after["lost"] == 1

"""Orders on Postgres, Redis and two workers: each with its run and children, all on one book, every trade settled."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.faults.system import ROOT, System, require_services

pytestmark = pytest.mark.workers

ORDERS = 60


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    require_services()
    worker_id = getattr(request.config, "workerinput", {}).get("workerid", "main")
    system = System(f"finaegis_exchange_{worker_id}", tmp_path_factory.mktemp("exchange"))
    usual = None
    try:
        system.start(workers=2)
        usual = system.client
        system.client = subprocess.Popen(
            [sys.executable, "-m", "tests.exchange.client"],
            cwd=ROOT, env=system.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        system.ask("prepare")
        yield system
    finally:
        if usual is not None and usual is not system.client:
            with usual:
                usual.kill()
        system.stop()


def test_orders_of_many_runs_agree_with_a_serial_order_and_every_trade_is_settled(system: System) -> None:
    ids = system.ask("place", seed=3, number=ORDERS)

    def all_done() -> bool:
        return system.ask("statuses", ids=ids) == {"completed": len(ids)}

    system.wait_for(all_done, seconds=120, what="every order's run has ended")
    assert system.ask("disagreements") == []
    assert system.ask("trades") > ORDERS / 5
    assert system.ask("unsettled") == 0
    assert system.ask("verify") == []


def test_a_batch_is_processed_by_a_worker(system: System) -> None:
    run_id = system.ask("place_batch", seed=4, number=150)

    def is_done() -> bool:
        return system.ask("statuses", ids=[run_id]) == {"completed": 1}

    system.wait_for(is_done, seconds=120, what="the batch has ended")
    told = system.ask("result", run_id=run_id)
    assert told["processed"] > 100
    assert told["statuses"].keys() >= {"filled", "open", "cancelled"}
    assert system.ask("unsettled") == 0
    assert system.ask("verify") == []

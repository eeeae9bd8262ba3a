"""Withdrawals on Postgres, Redis and two workers: what customers decide at the same moment, and where the money is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.faults.system import ROOT, System, require_services

pytestmark = pytest.mark.workers

UNTOUCHED = {"available": "10.00", "held": "0.00", "in transit": "0.00"}
IN_TRANSIT = {"available": "9.00", "held": "0.00", "in transit": "1.00"}


class WalletSystem(System):
    """A real system whose client is a customer, and whose mails are files."""

    @property
    def env(self) -> dict[str, str]:
        mails = self.folder / "mails"
        mails.mkdir(exist_ok=True)
        return super().env | {"EMAIL_URL": f"filemail:///{mails}"}

    def begin(self) -> None:
        """Start everything, with the wallet's own client."""
        self.start(workers=2)
        assert self.client is not None and self.client.stdin is not None and self.client.stdout is not None
        self.client.stdin.close()
        self.client.wait()
        self.client.stdout.close()
        self.client = subprocess.Popen(
            [sys.executable, "-m", "tests.wallet.client"],
            cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WalletSystem]:
    require_services()
    worker_id = getattr(request.config, "workerinput", {}).get("workerid", "main")
    system = WalletSystem(f"finaegis_wallet_{worker_id}", tmp_path_factory.mktemp("wallet"))
    try:
        system.begin()
        yield system
    finally:
        system.stop()


def waiting(system: WalletSystem, number: int) -> list[str]:
    """So many withdrawals that wait for their customers."""
    ids: list[str] = system.ask("request", number=number)

    def all_wait() -> bool:
        return {item["status"] for item in system.ask("look", ids=ids)} == {"awaiting_confirmation"}

    system.wait_for(all_wait, what="every withdrawal waits")
    return ids


def money(item: dict[str, str]) -> dict[str, str]:
    return {name: item[name] for name in UNTOUCHED}


def test_confirmed_withdrawals_come_to_the_rail(system: WalletSystem) -> None:
    ids = waiting(system, 10)
    system.ask("confirm", ids=ids)

    def all_left() -> bool:
        return {(item["status"], item["run"]) for item in system.ask("look", ids=ids)} == {("in_transit", "waiting")}

    system.wait_for(all_left, what="every withdrawal is in transit")
    assert [money(item) for item in system.ask("look", ids=ids)] == [IN_TRANSIT] * 10
    mails = "".join(path.read_text() for path in (system.folder / "mails").iterdir())
    assert mails.count("Subject: Please confirm your withdrawal of 1.00 USD") >= 10
    assert system.ask("verify") == []


def test_confirm_and_cancel_at_the_same_moment_end_in_one_of_them(system: WalletSystem) -> None:
    ids = waiting(system, 20)
    accepted = system.ask("decide", ids=ids)

    def all_decided() -> bool:
        standing = {(item["status"], item["run"]) for item in system.ask("look", ids=ids)}
        return standing <= {("in_transit", "waiting"), ("cancelled", "completed")}

    system.wait_for(all_decided, what="every withdrawal is decided")
    for told, item in zip(accepted, system.ask("look", ids=ids), strict=True):
        assert told["confirmed"] or told["cancelled"]
        if item["status"] == "cancelled":
            assert (told["cancelled"], money(item)) == (True, UNTOUCHED)
        else:
            assert (told, money(item)) == ({"confirmed": True, "cancelled": False}, IN_TRANSIT)
    assert system.ask("verify") == []

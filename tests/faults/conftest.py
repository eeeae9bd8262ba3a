"""Real systems for the fault tests: one shared by the session, and one for tests that kill or stop processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.system import System, require_services


def _system(tmp_path_factory: pytest.TempPathFactory, name: str, worker_id: str) -> Iterator[System]:
    require_services()
    system = System(f"finaegis_{name}_{worker_id}", tmp_path_factory.mktemp(name))
    try:
        system.start(workers=2)
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return getattr(request.config, "workerinput", {}).get("workerid", "main")


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[System]:
    """Two workers that no test harms."""
    yield from _system(tmp_path_factory, "shared", worker_id)


@pytest.fixture(scope="module")
def own_system(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[System]:
    """Two workers for tests that kill or stop them."""
    yield from _system(tmp_path_factory, "own", worker_id)

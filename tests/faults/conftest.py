"""Real systems for the fault tests: one shared by the session, and others for tests that harm them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults import services
from tests.faults.system import System, require_services

#: Makes a system of a name, not started yet; it is stopped at the end of the module.
MakeSystem = Callable[..., System]


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    return getattr(request.config, "workerinput", {}).get("workerid", "main")


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[System]:
    """Two workers that no test harms."""
    require_services()
    system = System(f"finaegis_shared_{worker_id}", tmp_path_factory.mktemp("shared"))
    try:
        system.start(workers=2)
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="session")
def own_system(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[System]:
    """Two workers for tests that kill or stop them; Celery starts a killed process anew."""
    require_services()
    system = System(f"finaegis_own_{worker_id}", tmp_path_factory.mktemp("own"))
    try:
        system.start(workers=2)
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="module")
def make_system(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[MakeSystem]:
    """Systems of their own for tests that change them for good; they are stopped at the end of the module."""
    require_services()
    made: list[System] = []

    def make(name: str, **options: Any) -> System:
        made.append(System(f"finaegis_{name}_{worker_id}", tmp_path_factory.mktemp(name), **options))
        return made[-1]

    yield make
    for system in made:
        system.stop()


@pytest.fixture(scope="session")
def flushable_redis(worker_id: str) -> Iterator[str]:
    """A database of Redis that nobody else uses."""
    require_services()
    url = services.redis_of_its_own(worker_id)
    services.flush(url)
    yield url
    services.flush(url)

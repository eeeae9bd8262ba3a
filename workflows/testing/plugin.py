"""Pytest plugin: the fixture `workflow_env`, and triggers kept out of the way of a database flush.

Without that every `transaction=True` test fails on SQLite: the flush deletes rows that triggers protect.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db import connections

from workflows import triggers
from workflows.testing.environment import WorkflowEnvironment

#: Pairs of (uninstall, install) that run around a flush; other apps with triggers add theirs.
TRIGGER_SETS: list[tuple[Any, Any]] = [(triggers.uninstall, triggers.install)]


@pytest.fixture
def workflow_env(db: None) -> Iterator[WorkflowEnvironment]:
    """A workflow engine with virtual time on the test's database."""
    with WorkflowEnvironment().open() as env:
        yield env


@pytest.fixture(autouse=True, scope="session")
def _triggers_step_aside() -> Iterator[None]:
    original = flush.Command.handle

    def handle(self: flush.Command, **options: Any) -> Any:
        connection = connections[options["database"]]
        for uninstall, _ in TRIGGER_SETS:
            uninstall(connection)
        try:
            return original(self, **options)
        finally:
            for _, install in TRIGGER_SETS:
                install(connection)

    flush.Command.handle = handle  # type: ignore[method-assign]
    yield
    flush.Command.handle = original  # type: ignore[method-assign]

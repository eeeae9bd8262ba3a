"""An engine with virtual time, books with something in them, and clients by role."""

import pytest

from exchange import triggers as exchange_triggers
from ledger import triggers
from tests.api.conftest import (  # noqa: F401 - fixtures
    _nothing_remembered,
    anonymous,
    client_with,
    operator,
    viewer,
)
from tests.reporting import books
from workflows.testing import plugin

# A flush of the test database deletes rows that the triggers protect.
for _set in ((triggers.uninstall, triggers.install), (exchange_triggers.uninstall, exchange_triggers.install)):
    if _set not in plugin.TRIGGER_SETS:
        plugin.TRIGGER_SETS.append(_set)


@pytest.fixture
def env(workflow_env):
    return workflow_env


@pytest.fixture
def treasury(env):
    """Two treasury accounts, one of them with an allocation."""
    return books.fill_treasury()


@pytest.fixture
def loans(env):
    """A loan that is paid out and one that waits for its money."""
    return books.fill_lending(env)


@pytest.fixture
def activity(env):
    """Two settled trades, one that is matched, a withdrawal in transit and one that nobody confirmed."""
    return books.fill_activity(env)


@pytest.fixture
def everything(treasury, loans, activity):
    """All of it."""
    return treasury, loans, activity

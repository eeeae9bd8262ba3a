"""An engine with virtual time, the demo instrument, two traders, and clients by role."""

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
from tests.exchange.factories import list_btc, open_account
from workflows.testing import plugin

# A flush of the test database deletes rows that the triggers protect.
for _set in ((triggers.uninstall, triggers.install), (exchange_triggers.uninstall, exchange_triggers.install)):
    if _set not in plugin.TRIGGER_SETS:
        plugin.TRIGGER_SETS.append(_set)


@pytest.fixture
def env(workflow_env):
    return workflow_env


@pytest.fixture
def btc(db):
    """BTC-USD: ticks of 1.00 USD, lots of 0.01 BTC, fees of 0.1 and 0.2 %."""
    return list_btc()


@pytest.fixture
def ada(btc):
    return open_account("ada")


@pytest.fixture
def bob(btc):
    return open_account("bob")

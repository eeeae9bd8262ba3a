"""An engine with virtual time, an account with 1000.00 USD, a destination that takes money, and clients by role."""

import pytest

from ledger import triggers
from tests.api.conftest import (  # noqa: F401 - fixtures
    _nothing_remembered,
    anonymous,
    client_with,
    operator,
    viewer,
)
from tests.wallet.factories import add_destination, open_account
from workflows.testing import plugin

# A flush of the test database deletes rows that the ledger's triggers protect.
if (triggers.uninstall, triggers.install) not in plugin.TRIGGER_SETS:
    plugin.TRIGGER_SETS.append((triggers.uninstall, triggers.install))


@pytest.fixture
def env(workflow_env):
    return workflow_env


@pytest.fixture
def account(env):
    return open_account()


@pytest.fixture
def destination(account):
    return add_destination(account)

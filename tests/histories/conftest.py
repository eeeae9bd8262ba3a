"""Histories are recorded with the fixtures of the domains they come from."""

from tests.wallet.conftest import account, destination, env  # noqa: F401 - fixtures

"""Clients of the REST door by role, for the treasury's own paths."""

from tests.api.conftest import (  # noqa: F401 - fixtures
    _nothing_remembered,
    anonymous,
    client_with,
    operator,
    viewer,
)

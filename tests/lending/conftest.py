"""An engine with virtual time, and lending with money."""

import pytest

from tests.lending import applying


@pytest.fixture
def env(workflow_env):
    return workflow_env


@pytest.fixture
def funded(env):
    applying.fund()
    return env


@pytest.fixture
def applicants(env):
    return applying.Applicants()

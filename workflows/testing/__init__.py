"""The test kit for people who write workflows: virtual time, mocks, expected compensation."""

from workflows.testing.environment import WorkflowEnvironment

__all__ = ["WorkflowEnvironment"]

"""Test configuration of the whole project."""

pytest_plugins = ["workflows.testing.plugin"]

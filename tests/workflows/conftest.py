"""A table that counts effects, for every test of the engine: it has no unique constraint, so a doubled effect shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.workflows import effects, improvised, proof
from workflows.testing import WorkflowEnvironment


@pytest.fixture(scope="session")
def _effect_tables(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        effects.create_tables()
    yield
    with django_db_blocker.unblock():
        effects.drop_tables()


@pytest.fixture(autouse=True)
def _no_effects_yet(_effect_tables: None, db: None) -> None:
    effects.clear()


@pytest.fixture
def proven(workflow_env: WorkflowEnvironment) -> Iterator[None]:
    """At the end every run of the test verifies, and its exported history replays to where the run stands."""
    improvised.TOKENS.clear()
    yield
    proof.prove_all()

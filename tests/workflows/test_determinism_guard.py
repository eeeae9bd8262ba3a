"""Workflow code may not touch the database: a query there holds the run and names the allowed way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from tests.workflows import effects
from tests.workflows.cast import NOW, book, write
from tests.workflows.views import sound
from workflows import Workflow, operations, queries
from workflows.models import Run
from workflows.testing import WorkflowEnvironment

#: What the code does with the database; put there by a test.
TOUCH: list[Callable[[], Any]] = []


class TouchingWorkflow(Workflow[str]):
    """Touches the database right away, or after a step."""

    async def execute(self, after: str = "") -> str:
        if after:
            await self.activity({"write": write, "book": book}[after], label="a")
        try:
            return str(TOUCH[0]())
        except Exception:
            return "went on all the same"


def raw_query() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()


def in_a_transaction() -> Any:
    with transaction.atomic():
        return Run.objects.count()


WAYS = [
    Run.objects.count,
    lambda: Run.objects.first(),
    raw_query,
    in_a_transaction,
    lambda: effects.write("from the code"),
    lambda: queries.list_runs(),
    lambda: operations.start_run("tests.Cast", ["write:b"]),
]


@pytest.mark.parametrize("touch", WAYS)
@pytest.mark.parametrize("after", ["", "write", "book"])
def test_a_query_in_workflow_code_holds_the_run_even_if_it_is_caught(
    workflow_env: WorkflowEnvironment, touch: Callable[[], Any], after: str
) -> None:
    TOUCH[:] = [touch]
    run = workflow_env.start(TouchingWorkflow, after)

    workflow_env.skip(NOW)

    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "nondeterminism")
    assert held.error is not None
    assert "queried the database" in held.error["message"]
    assert "activity" in held.error["message"]
    assert effects.labels() == (["a"] if after else [])
    assert Run.objects.count() == 1
    sound(run.id)


def test_the_run_goes_on_once_the_code_is_right(workflow_env: WorkflowEnvironment) -> None:
    TOUCH[:] = [Run.objects.count]
    run = workflow_env.start(TouchingWorkflow, "write")
    workflow_env.skip(NOW)

    TOUCH[:] = [lambda: "no database"]
    operations.resume_run(run.id, reason="deployed")

    assert workflow_env.finish(run.id) == "no database"
    assert effects.labels() == ["a"]
    sound(run.id)


def test_after_the_code_has_run_the_database_is_open_again(workflow_env: WorkflowEnvironment) -> None:
    TOUCH[:] = [Run.objects.count]
    workflow_env.start(TouchingWorkflow)
    workflow_env.skip(NOW)

    assert Run.objects.count() == 1

"""The shortest way through the engine: a run completes, a failing one is undone."""

import pytest

from workflows import NonRetryable, Workflow, WorkflowFailed, activity, queries
from workflows.testing import WorkflowEnvironment


@activity
def add_one(*, a: int) -> int:
    return a + 1


@activity
def take_back(*, a: int) -> None:
    return None


@activity(transactional=True, undo=take_back)
def book(*, a: int) -> int:
    return a + 1


@activity
def refuse(*, a: int) -> int:
    raise NonRetryable("no")


class CountingWorkflow(Workflow[int]):
    """Count up."""

    async def execute(self, n: int) -> int:
        x = 0
        for _ in range(n):
            x = await self.activity(add_one, a=x)
        return x


class UndoneWorkflow(Workflow[int]):
    """Book, then fail."""

    async def execute(self, n: int) -> int:
        x = await self.activity(book, a=n)
        return await self.activity(refuse, a=x)


def test_a_run_completes_with_its_result(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(CountingWorkflow, 3) == 3


def test_a_failing_run_is_compensated_and_its_history_verifies(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.expect_compensation(take_back)

    with pytest.raises(WorkflowFailed):
        workflow_env.run(UndoneWorkflow, 3)

    (run,) = queries.list_runs()
    assert run.status == "compensated"
    assert queries.verify_run(run.id) == []

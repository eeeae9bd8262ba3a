"""SEMANTICS E23: changed code under living runs: `patched`, versions side by side, and a start of an older one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, disturb, make, refuse, write
from tests.workflows.improvised import (
    HOUR,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
)
from tests.workflows.views import entries
from workflows import Workflow, operations, queries
from workflows.core.errors import DefinitionError, KeyConflict, UnknownWorkflow
from workflows.models import Run
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


async def first_code(workflow: ImprovisedWorkflow) -> list[str]:
    done = [await workflow.activity(write, label="start")]
    for number in range(3):
        await workflow.sleep(HOUR)
        done.append(await workflow.activity(write, label=f"old {number}"))
    return done


async def second_code(workflow: ImprovisedWorkflow) -> list[str]:
    done = [await workflow.activity(write, label="start")]
    for number in range(3):
        await workflow.sleep(HOUR)
        way = "new" if workflow.patched("ways") else "old"
        done.append(await workflow.activity(write, label=f"{way} {number}"))
    return done


def deploy(env: WorkflowEnvironment, code: Any) -> None:
    """Another build under the same name: the process is another one, and so is the code."""
    code.__name__ = "deployed"
    improvise(code)
    env.restart()


def begun(env: WorkflowEnvironment, code: Any, workflow: type[ImprovisedWorkflow] = ImprovisedWorkflow) -> Any:
    deploy(env, code)
    return begin(env, code, workflow)


# --- patched ---------------------------------------------------------------------------------------------------------


def test_a_run_that_passed_the_change_keeps_the_old_way_to_its_end(workflow_env: WorkflowEnvironment) -> None:
    run = begun(workflow_env, first_code)
    workflow_env.skip(HOUR)
    deploy(workflow_env, second_code)
    workflow_env.skip(HOUR)
    workflow_env.restart()

    assert workflow_env.finish(run.id) == ["wrote start", "wrote old 0", "wrote old 1", "wrote old 2"]
    assert entries(run.id, "PatchMarked") == []


def test_a_run_that_had_not_reached_the_change_takes_the_new_way_and_is_marked_once(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = begun(workflow_env, first_code)
    deploy(workflow_env, second_code)
    workflow_env.skip(HOUR)
    workflow_env.restart()

    assert workflow_env.finish(run.id) == ["wrote start", "wrote new 0", "wrote new 1", "wrote new 2"]
    assert entries(run.id, "PatchMarked") == [{"change": "ways"}]


def test_a_run_that_began_with_the_new_code_takes_the_new_way(workflow_env: WorkflowEnvironment) -> None:
    run = begun(workflow_env, second_code)

    assert workflow_env.finish(run.id)[1:] == ["wrote new 0", "wrote new 1", "wrote new 2"]


def test_a_marked_run_is_held_by_the_old_code_and_goes_on_with_the_new(workflow_env: WorkflowEnvironment) -> None:
    run = begun(workflow_env, second_code)
    workflow_env.skip(HOUR)
    deploy(workflow_env, first_code)
    workflow_env.skip(HOUR)

    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "nondeterminism")
    assert held.error is not None
    assert held.error["expected"] == "patched ways"
    deploy(workflow_env, second_code)
    operations.resume_run(run.id, reason="the new code is back")

    assert workflow_env.finish(run.id)[1:] == ["wrote new 0", "wrote new 1", "wrote new 2"]
    assert effects.labels() == ["new 0", "new 1", "new 2", "start"]


def test_a_retry_may_take_the_new_way_where_the_old_one_failed(workflow_env: WorkflowEnvironment) -> None:
    async def failing(workflow: ImprovisedWorkflow) -> str:
        await workflow.activity(make, label="a")
        raise ValueError("a bug")

    async def repaired(workflow: ImprovisedWorkflow) -> str:
        await workflow.activity(make, label="a")
        if workflow.patched("bug"):
            return await workflow.activity(write, label="b")
        raise ValueError("a bug")

    run = begun(workflow_env, failing, HeldWorkflow)
    deploy(workflow_env, repaired)
    operations.retry_run(run.id, reason="repaired")

    assert workflow_env.finish(run.id) == "wrote b"
    assert effects.labels() == ["a", "b"]


# --- Versions side by side -------------------------------------------------------------------------------------------


class FirstTransferWorkflow(Workflow[str]):
    """The first version."""

    name = "patches.Transfer"
    version = 1

    async def execute(self, label: str) -> str:
        await self.activity(disturb, label=label)
        return await self.activity(write, label=f"{label} by version 1")


class SecondTransferWorkflow(Workflow[str]):
    """The second one takes more."""

    name = "patches.Transfer"
    version = 2

    async def execute(self, label: str, urgent: bool = False) -> str:
        await self.activity(disturb, label=label)
        return await self.activity(write, label=f"{label} by version 2")


def test_the_newest_version_of_a_name_is_started(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start("patches.Transfer", "a")

    assert run.version == 2
    assert workflow_env.finish(run.id) == "wrote a by version 2"


def test_a_class_starts_its_own_version(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(FirstTransferWorkflow, "a") == "wrote a by version 1"


@pytest.mark.parametrize("workflow", ["patches.Transfer", FirstTransferWorkflow, SecondTransferWorkflow])
@pytest.mark.parametrize("version", [1, 2])
def test_a_version_is_started_when_asked_for(workflow_env: WorkflowEnvironment, workflow: Any, version: int) -> None:
    run = workflow_env.start(workflow, "a", version=version)

    assert run.version == version
    assert workflow_env.finish(run.id) == f"wrote a by version {version}"


@pytest.mark.parametrize("workflow", ["patches.Transfer", FirstTransferWorkflow])
@pytest.mark.parametrize("version", [0, 3, -1])
def test_an_unknown_version_is_refused_with_a_type(
    workflow_env: WorkflowEnvironment, workflow: Any, version: int
) -> None:
    with pytest.raises(UnknownWorkflow, match=f"no version {version}") as refusal:
        operations.start_run(workflow, "a", version=version)

    assert refusal.value.code == "unknown_workflow"
    assert not Run.objects.exists()


def test_runs_of_both_versions_go_on_side_by_side_in_one_process(workflow_env: WorkflowEnvironment) -> None:
    runs = [workflow_env.start("patches.Transfer", f"{number}", version=1 + number % 2) for number in range(6)]
    workflow_env.skip(NOW)
    workflow_env.restart()

    results = [workflow_env.finish(run.id) for run in runs]

    assert results == [f"wrote {number} by version {1 + number % 2}" for number in range(6)]


def test_a_key_belongs_to_a_name_whatever_the_version(workflow_env: WorkflowEnvironment) -> None:
    first = operations.start_run(FirstTransferWorkflow, "a", key="k")

    assert operations.start_run(FirstTransferWorkflow, "a", key="k").id == first.id
    with pytest.raises(KeyConflict):
        operations.start_run("patches.Transfer", "a", True, key="k")


def test_rerun_keeps_the_version(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(FirstTransferWorkflow, "a")
    workflow_env.finish(run.id)

    assert operations.rerun(run.id, reason="again").version == 1


def test_arguments_are_those_of_the_version(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(Exception, match="urgent"):
        operations.start_run("patches.Transfer", "a", urgent=True, version=1)

    assert operations.start_run("patches.Transfer", "a", urgent=True).version == 2


def test_one_version_of_a_name_is_one_class() -> None:
    with pytest.raises(DefinitionError, match="version 2"):

        class OtherTransferWorkflow(Workflow[None]):
            name = "patches.Transfer"
            version = 2

            async def execute(self) -> None: ...


def test_a_failed_run_of_an_older_version_is_retried_by_its_own_code(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.activity(refuse, label="a")

    class OlderWorkflow(HeldWorkflow):
        name = "patches.Held"

    class NewerWorkflow(HeldWorkflow):
        name = "patches.Held"
        version = 2

        async def execute(self, code: str) -> Any:
            return "the newer version"

    run = begin(workflow_env, body, OlderWorkflow)
    workflow_env.mock(refuse).returns("repaired")
    operations.retry_run(run.id, reason="repaired")

    assert workflow_env.finish(run.id) == "repaired"
    assert workflow_env.run("patches.Held", "x") == "the newer version"

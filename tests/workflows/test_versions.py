"""SEMANTICS E23: a deploy changes the code under living runs; what no longer fits is held until it fits again."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastWorkflow, disturb, make, undo_write, write
from tests.workflows.views import entries, kinds, sound
from workflows import Workflow, operations, queries, tasks
from workflows.contracts import WorkflowRun
from workflows.core.definitions import registry
from workflows.core.errors import NotAllowedInState
from workflows.models import Process, Run
from workflows.runtime import advance, process, recovery
from workflows.store.database_time import database_now
from workflows.testing import WorkflowEnvironment

#: What the code of `DeployedWorkflow` does now.
CODE: dict[str, Any] = {}


class DeployedWorkflow(Workflow[str]):
    """Runs whatever code is deployed."""

    name = "versions.Deployed"

    async def execute(self, label: str = "a") -> str:
        result: str = await CODE["execute"](self, label)
        return result


async def first_code(workflow: Workflow[str], label: str) -> str:
    await workflow.activity(make, label=label)
    return await workflow.activity(disturb, label=label)


async def other_activity(workflow: Workflow[str], label: str) -> str:
    await workflow.activity(write, label=label)
    return await workflow.activity(disturb, label=label)


async def other_arguments(workflow: Workflow[str], label: str) -> str:
    await workflow.activity(make, label=f"changed {label}")
    return await workflow.activity(disturb, label=label)


@pytest.fixture
def waiting(workflow_env: WorkflowEnvironment) -> WorkflowRun:
    """A run of the first code that waits for the retry of its second step."""
    CODE["execute"] = first_code
    run = workflow_env.start(DeployedWorkflow)
    workflow_env.skip(NOW)
    shown = queries.get_run(run.id)
    assert shown.status == "waiting"
    return shown


def deploy(env: WorkflowEnvironment, code: Any) -> None:
    """Another build: the process is another one, and so is the code."""
    CODE["execute"] = code
    env.restart()


def status_of(run_id: uuid.UUID) -> tuple[str, str | None]:
    run = queries.get_run(run_id)
    return run.status, run.hold_reason


# --- Code that no longer fits ----------------------------------------------------------------------------------------


def test_e23_code_that_no_longer_matches_holds_the_run_and_nothing_is_executed(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun
) -> None:
    deploy(workflow_env, other_activity)

    workflow_env.skip(timedelta(hours=1))

    held = queries.get_run(waiting.id)
    assert (held.status, held.hold_reason) == ("held", "nondeterminism")
    assert held.error is not None
    assert held.error["code"] == "nondeterminism"
    assert held.error["expected"] == "schedule activity cast.make"
    assert held.error["found"] == "schedule activity cast.write"
    assert effects.labels() == ["a", "tried a"]
    sound(waiting.id)


def test_e23_other_arguments_are_a_warning_and_the_run_goes_on(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun, caplog: pytest.LogCaptureFixture
) -> None:
    deploy(workflow_env, other_arguments)

    with caplog.at_level(logging.WARNING, logger="workflows.replay"):
        assert workflow_env.finish(waiting.id) == "did a"

    assert "arguments of 'schedule activity cast.make' differ" in caplog.text
    assert effects.count("changed a") == 0


def test_e23_a_violation_that_the_code_catches_holds_all_the_same(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun
) -> None:
    async def careless(workflow: Workflow[str], label: str) -> str:
        try:
            return await workflow.activity(write, label=label)
        except Exception:
            return "never mind"

    deploy(workflow_env, careless)
    workflow_env.skip(timedelta(hours=1))

    assert status_of(waiting.id) == ("held", "nondeterminism")


def test_e23_input_that_the_code_no_longer_takes_holds_the_run(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parameter was removed: the stored input does not fit, which is a mismatch like any other."""

    class ShorterWorkflow(Workflow[str]):
        name = "versions.Shorter"

        async def execute(self) -> str:
            return "shorter"

    monkeypatch.setitem(registry.workflows, "versions.Deployed", {1: ShorterWorkflow})
    workflow_env.restart()

    advance.advance(waiting.id)
    workflow_env.now += timedelta(hours=1)
    advance.advance(waiting.id)

    assert status_of(waiting.id) == ("held", "nondeterminism")


def test_e23_the_hold_lifts_by_itself_when_a_fitting_build_registers(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun
) -> None:
    deploy(workflow_env, other_activity)
    workflow_env.skip(timedelta(hours=1))
    deploy(workflow_env, first_code)

    tasks.sweep()

    assert status_of(waiting.id)[0] == "pending"
    (released,) = entries(waiting.id, "RunReleased")
    assert released["actor"] == "system"
    sound(waiting.id)
    assert workflow_env.finish(waiting.id) == "did a"
    assert effects.count("a") == 1
    sound(waiting.id)


def test_e23_a_build_that_does_not_fit_either_leaves_the_hold(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun
) -> None:
    deploy(workflow_env, other_activity)
    workflow_env.skip(timedelta(hours=1))
    before = kinds(waiting.id)
    workflow_env.restart()

    tasks.sweep()

    assert status_of(waiting.id) == ("held", "nondeterminism")
    assert kinds(waiting.id) == before


def test_e23_resume_tries_now_and_holds_again_when_it_still_does_not_fit(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun
) -> None:
    deploy(workflow_env, other_activity)
    workflow_env.skip(timedelta(hours=1))

    operations.resume_run(waiting.id, reason="try it")
    sound(waiting.id)
    workflow_env.skip(NOW)
    assert status_of(waiting.id) == ("held", "nondeterminism")

    CODE["execute"] = first_code
    operations.resume_run(waiting.id, reason="deployed again")
    assert queries.get_run(waiting.id).error is None
    assert workflow_env.finish(waiting.id) == "did a"
    sound(waiting.id)


@pytest.mark.parametrize("act", [operations.retry_run, operations.compensate_run, operations.cancel_run])
def test_e23_a_hold_for_its_code_is_released_before_anything_else(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun, act: Any
) -> None:
    deploy(workflow_env, other_activity)
    workflow_env.skip(timedelta(hours=1))

    with pytest.raises(NotAllowedInState) as refusal:
        act(waiting.id, reason="try")

    assert refusal.value.state == "held (nondeterminism)"
    assert refusal.value.allowed == ["rerun", "resume"]


def test_e23_a_plan_needs_no_code_so_changed_code_undoes_all_the_same(
    workflow_env: WorkflowEnvironment, waiting: WorkflowRun
) -> None:
    run = workflow_env.start(CastWorkflow, ["make:b", "refuse:c"])
    workflow_env.mock(undo_write).raises(OSError("away")).returns(None)
    advance.advance(run.id)
    assert status_of(run.id)[0] == "compensating"

    class ChangedWorkflow(Workflow[Any]):
        name = "versions.Changed"

        async def execute(self, script: list[str]) -> Any:
            return await self.activity(write, label="all is different")

    cast = registry.workflows["tests.Cast"]
    registry.workflows["tests.Cast"] = {1: ChangedWorkflow}
    try:
        workflow_env.restart()
        workflow_env.skip(timedelta(hours=1))
    finally:
        registry.workflows["tests.Cast"] = cast

    assert status_of(run.id)[0] == "compensated"
    assert effects.count("all is different") == 0


# --- Code that is not there ------------------------------------------------------------------------------------------


def beat() -> None:
    """What beat does each second."""
    tasks.wake()
    tasks.sweep()


@pytest.fixture
def unknown(workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> WorkflowRun:
    """A due run whose workflow this build does not have."""
    CODE["execute"] = first_code
    run = workflow_env.start(DeployedWorkflow)
    monkeypatch.delitem(registry.workflows, "versions.Deployed")
    workflow_env.restart()
    # The process with the build before is gone.
    Process.objects.exclude(pk=process.current().id).update(expires_at=database_now())
    return run


def test_e23_a_process_claims_only_what_it_registered(workflow_env: WorkflowEnvironment, unknown: WorkflowRun) -> None:
    assert advance.claim_run(unknown.id) is None
    assert status_of(unknown.id) == ("pending", None)
    assert "versions.Deployed@1" not in process.current().capabilities


def test_e23_another_version_of_the_name_does_not_fit(
    workflow_env: WorkflowEnvironment, unknown: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.workflows, "versions.Deployed", {2: DeployedWorkflow})
    workflow_env.restart()

    assert advance.claim_run(unknown.id) is None


def test_e23_a_run_without_a_capable_process_for_five_minutes_is_held_as_code_missing(
    workflow_env: WorkflowEnvironment, unknown: WorkflowRun
) -> None:
    beat()
    workflow_env.now += timedelta(minutes=4, seconds=59)
    beat()
    assert status_of(unknown.id)[0] == "pending"

    workflow_env.now += timedelta(seconds=2)
    beat()

    assert status_of(unknown.id) == ("held", "code_missing")
    sound(unknown.id)


def test_e23_a_run_that_some_living_process_can_drive_is_not_missing_its_code(
    workflow_env: WorkflowEnvironment, unknown: WorkflowRun
) -> None:
    elsewhere = process.inline()
    Process.objects.filter(pk=elsewhere.id).update(capabilities="versions.Deployed@1", expires_at=database_now())
    Process.objects.filter(pk=elsewhere.id).update(expires_at=workflow_env.now + timedelta(days=36500))

    beat()
    workflow_env.now += timedelta(minutes=6)
    beat()

    assert status_of(unknown.id) == ("pending", None)


def test_e23_a_run_that_is_not_due_yet_is_not_missing_its_code(
    workflow_env: WorkflowEnvironment, unknown: WorkflowRun
) -> None:
    Run.objects.filter(pk=unknown.id).update(wake_at=workflow_env.now + timedelta(hours=2))

    workflow_env.now += timedelta(hours=1)
    beat()

    assert status_of(unknown.id) == ("pending", None)


def test_e23_code_missing_lifts_when_a_build_with_the_code_registers(
    workflow_env: WorkflowEnvironment, unknown: WorkflowRun
) -> None:
    beat()
    workflow_env.now += timedelta(minutes=6)
    beat()
    assert status_of(unknown.id) == ("held", "code_missing")
    registry.workflows["versions.Deployed"] = {1: DeployedWorkflow}
    workflow_env.restart()

    tasks.sweep()

    assert status_of(unknown.id)[0] == "pending"
    assert workflow_env.finish(unknown.id) == "did a"
    sound(unknown.id)


def test_only_runs_held_for_their_code_are_looked_at(workflow_env: WorkflowEnvironment, waiting: WorkflowRun) -> None:
    operations.pause_run(waiting.id, reason="look")

    assert recovery.find_mendable() == []

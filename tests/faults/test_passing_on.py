"""A message that reaches a process which cannot act on it is passed on, where somebody else can."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from workflows import Workflow, activity, operations, tasks
from workflows.core.definitions import registry
from workflows.models import Process, Run, Step
from workflows.runtime import dispatch, process
from workflows.testing import WorkflowEnvironment

Sent = tuple[str, list[Any]]


class Broker:
    """Stands where the Celery app stands, and keeps what is sent with a delay."""

    class conf:
        task_default_queue = "tests"

    def __init__(self) -> None:
        self.passed_on: list[Sent] = []

    def send_task(self, name: str, *, args: list[Any], countdown: float | None = None, **options: Any) -> None:
        if countdown is not None:
            self.passed_on.append((name, args))


broker = Broker()


@activity(name="passing.write", queue="passing")
def write() -> str:
    return "written"


class PassedWorkflow(Workflow[str]):
    """One step, sent out."""

    name = "passing.Passed"

    async def execute(self) -> str:
        return await self.activity(write)


@pytest.fixture
def env(workflow_env: WorkflowEnvironment, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> WorkflowEnvironment:
    """The kit, with the messages it would keep back."""
    broker.passed_on.clear()
    settings.WORKFLOWS = {**settings.WORKFLOWS, "CELERY_APP": f"{__name__}.broker"}
    monkeypatch.setattr(dispatch._Silence, "on", False)
    return workflow_env


def _another_process(capability: str, *, alive: bool) -> None:
    away = timedelta(hours=1) if alive else -timedelta(hours=1)
    now = datetime.now(UTC)
    Process.objects.create(
        id=uuid.uuid4(), host="elsewhere", pid=1, capabilities=capability, started_at=now, expires_at=now + away
    )


def _without_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is of a build that does not have the workflow."""
    identity = process.current()
    others = [capability for capability in identity.capabilities if not capability.startswith("passing.")]
    monkeypatch.setattr(identity, "capabilities", others)
    Process.objects.filter(pk=identity.id).update(capabilities="\n".join(others))


def test_a_process_that_leaves_passes_its_hint_on(env: WorkflowEnvironment) -> None:
    run = env.start(PassedWorkflow)
    process.leave()
    try:
        tasks.advance(str(run.id))
    finally:
        process._state.leaving = False

    assert broker.passed_on == [("workflows.advance", [str(run.id)])]
    assert Run.objects.get(pk=run.id).fence == 0


@pytest.mark.parametrize(
    ("capability", "alive", "passes"),
    [("passing.Passed@1", True, True), ("passing.Passed@1", False, False), ("passing.Passed@12", True, False)],
)
def test_a_hint_for_code_of_another_build_is_passed_on_while_a_process_of_it_lives(
    env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, capability: str, alive: bool, passes: bool
) -> None:
    run = env.start(PassedWorkflow)
    _without_code(monkeypatch)
    _another_process(capability, alive=alive)

    tasks.advance(str(run.id))

    assert broker.passed_on == ([("workflows.advance", [str(run.id)])] if passes else [])


@pytest.mark.parametrize("alive", [True, False])
def test_an_attempt_of_another_builds_activity_is_passed_on_while_a_process_of_it_lives(
    env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, alive: bool
) -> None:
    run = operations.start_run(PassedWorkflow)
    tasks.advance(str(run.id))
    monkeypatch.delitem(registry.activities, "passing.write")
    _without_code(monkeypatch)
    _another_process("passing.Passed@1", alive=alive)

    tasks.attempt(str(run.id), [1])

    assert broker.passed_on == ([("workflows.attempt", [str(run.id), [1]])] if alive else [])
    assert Step.objects.get(run_id=run.id).status == "scheduled"


def test_a_hint_for_a_run_that_is_driven_or_done_is_dropped(env: WorkflowEnvironment) -> None:
    run = operations.start_run(PassedWorkflow)
    operations.cancel_run(run.id, reason="test")

    tasks.advance(str(run.id))

    assert broker.passed_on == []

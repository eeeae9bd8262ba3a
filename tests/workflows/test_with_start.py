"""A run started and spoken to in one act: both happen or neither does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.workflows.improvised import HOUR, ImprovisedWorkflow, improvise, state
from workflows import operations, queries
from workflows.core.errors import InvalidInput, KeyConflict, NotAllowedInState, UnknownMessage, UpdateRejected
from workflows.models import AuditEntry, InboxItem, Run
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


async def listening(workflow: ImprovisedWorkflow) -> list[str]:
    """Waits for the word `stop`; gives what it heard."""
    await workflow.wait_for(lambda: "stop" in workflow.heard)
    return list(workflow.heard)


# --- With its start --------------------------------------------------------------------------------------------------


def test_signal_with_start_starts_the_run_of_a_key_and_leaves_the_signal(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    first = operations.signal_with_start(ImprovisedWorkflow, code, key="k", signal="say", signal_args=("one",))
    again = operations.signal_with_start(
        ImprovisedWorkflow, code, key="k", signal="say", signal_args={"word": "stop"}, actor="ada", reason="go"
    )

    assert (first.created, again.created, again.id) == (True, False, first.id)
    assert workflow_env.finish(first.id) == ["one", "stop"]


def test_signal_with_start_is_deduplicated_by_its_signals_key(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    for word in ("one", "two"):
        run = operations.signal_with_start(
            ImprovisedWorkflow, code, key="k", signal="say", signal_args=(word,), signal_key="s"
        )
    operations.signal_run(run.id, "say", "stop")

    assert workflow_env.finish(run.id) == ["one", "stop"]


@pytest.mark.parametrize(("signal", "args", "error"), [
    ("unknown", ("one",), UnknownMessage), ("say", (), InvalidInput), ("say", (["a"],), InvalidInput),
])  # fmt: skip
@pytest.mark.parametrize("inside", [False, True])
def test_signal_with_start_does_both_or_neither(
    workflow_env: WorkflowEnvironment, signal: str, args: tuple[Any, ...], error: type[Exception], inside: bool
) -> None:
    """Also inside a transaction that goes on after the refusal."""
    code = improvise(listening)

    with transaction.atomic(), pytest.raises(error):
        operations.signal_with_start(ImprovisedWorkflow, code, key="k", signal=signal, signal_args=args)

    assert not Run.objects.exists()
    assert not InboxItem.objects.exists()
    assert not AuditEntry.objects.exists()


def test_signal_with_start_to_a_closed_run_is_refused(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    run = operations.signal_with_start(ImprovisedWorkflow, code, key="k", signal="say", signal_args=("stop",))
    workflow_env.finish(run.id)

    with pytest.raises(NotAllowedInState):
        operations.signal_with_start(ImprovisedWorkflow, code, key="k", signal="say", signal_args=("late",))


def test_signal_with_start_of_another_input_is_a_key_conflict(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    operations.signal_with_start(ImprovisedWorkflow, code, key="k", signal="say", signal_args=("one",))

    with pytest.raises(KeyConflict):
        operations.signal_with_start(ImprovisedWorkflow, "other", key="k", signal="say", signal_args=("two",))
    assert InboxItem.objects.count() == 1


def test_signal_with_start_may_be_delayed(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    run = operations.signal_with_start(
        ImprovisedWorkflow, code, key="k", signal="say", signal_args=("stop",), delay=HOUR
    )
    workflow_env.skip(HOUR - timedelta(seconds=1))
    assert state(run.id) == "pending"
    workflow_env.skip(timedelta(seconds=1))

    assert queries.get_run(run.id).result == ["stop"]


# --- With its start --------------------------------------------------------------------------------------------------


def test_update_with_start_starts_the_run_of_a_key_and_gives_the_answer(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    given: dict[str, Any] = {"key": "k", "update": "add", "update_args": ("one",)}

    assert operations.update_with_start(ImprovisedWorkflow, code, **given) == 1
    assert operations.update_with_start(ImprovisedWorkflow, code, **given) == 2
    assert Run.objects.count() == 1


def test_update_with_start_is_deduplicated_by_its_id(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    answers = [
        operations.update_with_start(
            ImprovisedWorkflow, code, key="k", update="add", update_args={"word": word}, id="u", actor="ada", reason="r"
        )
        for word in ("one", "two")
    ]

    assert answers == [1, 1]


@pytest.mark.parametrize(("name", "args", "error"), [
    ("unknown", ("one",), UnknownMessage), ("add", (), InvalidInput), ("add", (["a"],), InvalidInput),
])  # fmt: skip
def test_update_with_start_does_both_or_neither(
    workflow_env: WorkflowEnvironment, name: str, args: tuple[Any, ...], error: type[Exception]
) -> None:
    code = improvise(listening)

    with transaction.atomic(), pytest.raises(error):
        operations.update_with_start(ImprovisedWorkflow, code, key="k", update=name, update_args=args)

    assert not Run.objects.exists()
    assert not InboxItem.objects.exists()
    assert not AuditEntry.objects.exists()


def test_update_with_start_of_another_input_is_a_key_conflict(workflow_env: WorkflowEnvironment) -> None:
    code = improvise(listening)
    operations.update_with_start(ImprovisedWorkflow, code, key="k", update="add", update_args=("one",))

    with pytest.raises(KeyConflict):
        operations.update_with_start(ImprovisedWorkflow, "other", key="k", update="add", update_args=("two",))


def test_an_update_that_a_new_run_rejects_leaves_the_run(workflow_env: WorkflowEnvironment) -> None:
    """Whether it fits only the run's own code can say, and that has begun then."""
    code = improvise(listening)

    with pytest.raises(UpdateRejected):
        operations.update_with_start(ImprovisedWorkflow, code, key="k", update="add", update_args=("",))

    assert Run.objects.get().status == "waiting"

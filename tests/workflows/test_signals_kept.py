"""Signals outlive pauses, holds, restarts and retries: what was acknowledged is heard."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from tests.workflows.cast import NOW, act_on_own_run
from tests.workflows.improvised import (
    HOUR,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.test_signals import listening, say
from tests.workflows.views import entries
from workflows import operations
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


def test_signals_to_a_paused_run_wait_until_it_is_resumed(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    operations.pause_run(run.id, reason="look at it")
    say(run.id, "one")
    workflow_env.skip(HOUR)
    say(run.id, "stop")
    workflow_env.skip(HOUR)
    assert entries(run.id, "SignalReceived") == []

    operations.resume_run(run.id, reason="seen")

    assert workflow_env.finish(run.id) == ["one", "stop"]


def test_signals_to_a_run_held_for_its_code_wait_until_it_goes_on(workflow_env: WorkflowEnvironment) -> None:
    async def other(workflow: ImprovisedWorkflow) -> list[str]:
        await workflow.sleep(HOUR)
        return []

    run = begin(workflow_env, listening)
    other.__name__ = "listening"
    improvise(other)
    workflow_env.restart()
    say(run.id, "one")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (nondeterminism)"
    say(run.id, "stop")
    improvise(listening)
    operations.resume_run(run.id, reason="the code is right again")

    assert workflow_env.finish(run.id) == ["one", "stop"]


def test_a_signal_survives_a_restart(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    say(run.id, "one")
    workflow_env.restart()
    workflow_env.skip(NOW)
    workflow_env.restart()
    say(run.id, "stop")

    assert workflow_env.finish(run.id) == ["one", "stop"]


def test_a_signal_inside_a_transaction_that_is_rolled_back_was_never_sent(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, listening)
    with pytest.raises(LookupError), transaction.atomic():
        say(run.id, "one")
        raise LookupError
    say(run.id, "stop")

    assert workflow_env.finish(run.id) == ["stop"]


def test_a_signal_left_by_an_activity_of_another_run_is_delivered(workflow_env: WorkflowEnvironment) -> None:
    async def acting(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(act_on_own_run, label="pause")
        await workflow.sleep(HOUR)

    run = begin(workflow_env, acting)
    assert state(run.id) == "held (paused)"
    say(run.id, "one")
    operations.resume_run(run.id, reason="go on")
    workflow_env.skip(HOUR)

    assert state(run.id) == "completed"
    assert operations.query_run(run.id, "words") == ["one"]


def test_a_run_that_failed_with_a_signal_unread_delivers_it_after_a_retry(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        done = await workflow.activity(later, label="a")
        return [done, *await listening(workflow)]

    run = begin(workflow_env, body, HeldWorkflow)
    say(run.id, "early")
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(NOW)
    operations.retry_run(run.id, reason="again")
    workflow_env.skip(NOW)
    settle("a")
    say(run.id, "stop")

    assert workflow_env.finish(run.id) == ["did a", "early", "stop"]

"""Effects that stood without their undo, or were undone under somebody who used them: never again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastRefused, refuse_until_repaired, undo_write
from tests.workflows.faulting import break_off
from tests.workflows.improvised import (
    MINUTE,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    make_later,
    settle,
    state,
)
from tests.workflows.sent_out_acts import ask, die, drive, sweep, work
from workflows import Retry, activity, activity_info, operations, queries
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@activity(name="found.time_out", undo=undo_write, retry=Retry(max_attempts=1), timeout=timedelta(seconds=10))
def time_out(*, label: str) -> str:
    """Begins and never ends: what it did is not known."""
    activity_info().complete_later()
    return ""


@activity(name="found.attempt", undo=undo_write, undo_when="attempted", retry=Retry(max_attempts=1))
def attempt(*, label: str) -> str:
    """Fails, and is undone all the same."""
    raise CastRefused(f"no to {label}")


@activity(name="found.send", queue="post", undo=undo_write, retry=Retry(max_attempts=3, initial=3600.0))
def send(*, label: str) -> str:
    effects.write(label)
    return f"sent {label}"


@activity(name="found.hang", retry=Retry(max_attempts=1))
def hang(*, label: str) -> str:
    return label


# --- A race's loser that others wait for -----------------------------------------------------------------------------


@pytest.mark.parametrize("loser", ["the handle", "a branch that awaits it"])
def test_a_loser_that_another_branch_awaits_is_not_undone_under_it(
    workflow_env: WorkflowEnvironment, loser: str
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start(make_later, label="a")

        async def using() -> str:
            return await handle

        async def racing() -> Any:
            return await workflow.first_of(handle if loser == "the handle" else using(), workflow.sleep(MINUTE))

        return await workflow.gather(using(), racing())

    run = begin(workflow_env, body)
    workflow_env.skip(MINUTE)
    settle("a")

    assert workflow_env.finish(run.id) == ["did a", None]
    assert effects.count("undo a") == 0


# --- A retry beside a sibling ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sibling", [time_out, attempt], ids=["timed out", "attempted"])
def test_a_retry_keeps_the_undo_of_a_sibling_that_failed_later_and_is_not_retried(
    workflow_env: WorkflowEnvironment, sibling: Any
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(
            workflow.activity(refuse_until_repaired, label="a"), workflow.activity(sibling, label="b")
        )

    run_id = ask(workflow_env, HeldWorkflow, improvise(body))
    # Whichever order they begin in, `a` fails first.
    for seq in (2, 1) if sibling is time_out else (1, 2):
        work(run_id, seq)
    workflow_env.skip(MINUTE)
    assert state(run_id) == "held (failure)"

    effects.write("repaired")
    operations.retry_run(run_id, reason="repaired")
    workflow_env.skip(MINUTE)
    assert state(run_id) == "held (failure)"
    operations.compensate_run(run_id, reason="given up")
    workflow_env.skip(MINUTE)

    assert state(run_id) == "compensated"
    assert effects.count("undo b") == 1


# --- A lost attempt that nobody had told of --------------------------------------------------------------------------


def test_a_lost_attempt_is_undone_though_an_overdue_one_is_settled_before_the_run_hears_of_it(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        handle = workflow.start(send, label="a")
        await workflow.activity(hang, label="b")
        await handle

    run_id = workflow_env.start(ImprovisedWorkflow, improvise(body)).id
    break_off(run_id, "attempt.inside@found.hang")
    workflow_env.restart()
    die(workflow_env, run_id, 1, where="attempt.inside")
    assert sweep() == 1
    workflow_env.now += timedelta(minutes=11)

    drive(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == "compensated"
    assert effects.count("a") == effects.count("undo a") == 1
    assert [step.status for step in queries.list_steps(run_id)][:2] == ["cancelled", "timed_out"]

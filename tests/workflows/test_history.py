"""The history as people read it: the kinds of its entries, in the order in which things happened."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows.cast import NOW, CastFailsWorkflow, CastHoldsWorkflow, CastWorkflow, undo_write, write
from tests.workflows.faulting import break_off, die, take_over
from tests.workflows.views import entries, kinds, sound
from workflows import Workflow, conf, operations, queries
from workflows.core.errors import NotFound
from workflows.testing import WorkflowEnvironment


class TrackingWorkflow(Workflow[str]):
    """Puts entries of its own between its steps."""

    async def execute(self, amount: int) -> str:
        self.track("received", {"amount": amount, "at": self.now().isoformat()})
        await self.activity(write, label="a")
        self.track("written")
        rate: float = await self.side_effect(lambda: 1.5)
        self.add_compensation(undo_write, label="by hand")
        await self.activity(write, label="b")
        self.log.info("done with %s", amount)
        return f"{amount * rate} {self.uuid4()} {self.random().random()}"


def told(env: WorkflowEnvironment, workflow: type[Workflow[Any]], *args: object) -> list[str]:
    """The kinds of a run that was driven as far as it goes by itself."""
    run = env.start(workflow, *args)
    env.skip(timedelta(minutes=10))
    sound(run.id)
    return kinds(run.id)


def test_a_run_that_completes(workflow_env: WorkflowEnvironment) -> None:
    assert told(workflow_env, CastWorkflow, ["write:a", "book:b"]) == [
        "RunStarted",
        "FactDelivered",
        *["StepScheduled", "StepStarted", "StepCompleted"] * 2,
        "RunCompleted",
    ]


def test_a_run_that_is_compensated(workflow_env: WorkflowEnvironment) -> None:
    assert told(workflow_env, CastWorkflow, ["make:a", "refuse:b"]) == [
        "RunStarted",
        "FactDelivered",
        "StepScheduled",
        "StepStarted",
        "StepCompleted",
        "StepScheduled",
        "StepStarted",
        "AttemptFailed",
        "StepFailed",
        "PlanStarted",
        "CompensationStarted",
        "CompensationCompleted",
        "RunCompensated",
    ]


@pytest.mark.parametrize(
    ("workflow", "last"),
    [(CastWorkflow, "RunFailed"), (CastFailsWorkflow, "RunFailed"), (CastHoldsWorkflow, "RunHeld")],
)
def test_a_run_that_fails(workflow_env: WorkflowEnvironment, workflow: type[Workflow[Any]], last: str) -> None:
    assert told(workflow_env, workflow, ["refuse:a"])[-2:] == ["StepFailed", last]


def test_each_attempt_is_told_once_and_the_end_of_the_step_once(workflow_env: WorkflowEnvironment) -> None:
    found = told(workflow_env, CastWorkflow, ["disturb:a"])

    assert found[2:] == [
        "StepScheduled",
        *["StepStarted", "AttemptFailed"] * 2,
        "StepStarted",
        "StepCompleted",
        "RunCompleted",
    ]


def test_a_step_that_times_out(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["attempt:a"])
    break_off(run.id, "attempt.inside@cast.attempt")
    workflow_env.now += conf.engine().activity_timeout + timedelta(seconds=1)
    workflow_env.restart()
    take_over(workflow_env)

    assert kinds(run.id).count("StepTimedOut") == 1
    assert "StepFailed" not in kinds(run.id)


def test_acts_of_operators_are_told_with_who_and_why(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastHoldsWorkflow, ["make:a", "refuse_until_repaired:b"])
    operations.pause_run(run.id, actor="ada", reason="look first")
    operations.resume_run(run.id, actor="bob", reason="looked")
    workflow_env.skip(NOW)
    operations.retry_run(run.id, actor="cyd", reason="try again")
    workflow_env.skip(NOW)
    operations.compensate_run(run.id, actor="dan", reason="give it up")
    workflow_env.skip(NOW)

    acts = [
        (entry.kind, entry.data["actor"])
        for entry in queries.get_history(run.id)
        if entry.data.get("actor") not in (None, "system")
    ]
    assert acts == [
        ("RunHeld", "ada"),
        ("RunReleased", "bob"),
        ("RetryRequested", "cyd"),
        ("CompensationRequested", "dan"),
    ]


def test_a_cancelled_run(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a", "disturb:b"])
    workflow_env.skip(NOW)
    operations.cancel_run(run.id, reason="stop")
    workflow_env.skip(NOW)

    assert kinds(run.id)[-7:] == [
        "CancelRequested",
        "FactDelivered",
        "StepCancelled",
        "PlanStarted",
        "CompensationStarted",
        "CompensationCompleted",
        "RunCancelled",
    ]


def test_an_undo_that_fails_is_told(workflow_env: WorkflowEnvironment) -> None:
    assert told(workflow_env, CastWorkflow, ["make_stubborn:a", "refuse:b"])[-4:] == [
        "CompensationStarted",
        "AttemptFailed",
        "CompensationFailed",
        "RunHeld",
    ]


# --- What code records itself ----------------------------------------------------------------------------------------


def test_tracked_entries_stand_where_the_code_put_them(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(TrackingWorkflow, 2)
    workflow_env.finish(run.id)

    assert entries(run.id, "Tracked") == [
        {"step": "received", "data": {"amount": 2, "at": run.created_at.isoformat()}},
        {"step": "written", "data": None},
    ]
    assert [kind for kind in kinds(run.id) if kind in ("Tracked", "StepCompleted")] == [
        "Tracked",
        "StepCompleted",
        "Tracked",
        "StepCompleted",
    ]
    assert "SideEffectRecorded" in kinds(run.id)
    sound(run.id)


def test_time_and_chance_are_the_same_after_a_restart_in_the_middle(workflow_env: WorkflowEnvironment) -> None:
    """The code is replayed by another process between its steps; what it drew stands."""
    run = workflow_env.start(TrackingWorkflow, 2)
    die(workflow_env, run.id, "commit.after@cast.write")
    take_over(workflow_env)

    after = queries.get_run(run.id)
    assert after.status == "completed"
    assert after.result.startswith("3.0 ")
    assert kinds(run.id).count("SideEffectRecorded") == 1
    assert len(entries(run.id, "Tracked")) == 2
    assert len(workflow_env.calls(write)) == 2
    sound(run.id)


def test_a_side_effect_is_a_step_of_its_own_kind(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(TrackingWorkflow, 2)
    workflow_env.finish(run.id)

    (recorded,) = [step for step in queries.list_steps(run.id) if step.kind == "side_effect"]
    assert (recorded.status, recorded.result, recorded.attempts) == ("completed", 1.5, 0)


def test_positions_count_from_one_without_a_gap_and_time_never_goes_back(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a", "disturb:b", "refuse:c"])
    workflow_env.skip(timedelta(minutes=5))

    history = queries.get_history(run.id)
    assert [entry.position for entry in history] == list(range(1, len(history) + 1))
    assert [entry.at for entry in history] == sorted(entry.at for entry in history)


@pytest.mark.parametrize(
    "read", [queries.get_run, queries.list_steps, queries.get_history, queries.get_compensation_plan]
)
def test_an_unknown_run_is_refused(db: None, read: Any) -> None:
    with pytest.raises(NotFound):
        read(uuid.uuid4())

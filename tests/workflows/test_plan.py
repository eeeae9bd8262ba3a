"""SEMANTICS A4-A5: the order in which a plan runs, what stops it, and how a run ends."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.workflows import effects
from tests.workflows.cast import (
    NOW,
    CastFailsWorkflow,
    CastGoesOnWorkflow,
    CastHoldsWorkflow,
    CastLeavesWorkflow,
    CastWorkflow,
    refuse,
    undo_write,
    write,
)
from tests.workflows.views import entries, kinds, sound, undone
from workflows import ActivityFailed, Workflow, WorkflowFailed, operations, queries
from workflows.contracts import WorkflowRun
from workflows.core.errors import NotAllowedInState, NothingToCompensate
from workflows.testing import WorkflowEnvironment


class CaughtWorkflow(Workflow[str]):
    """Catches a failure and goes on."""

    async def execute(self) -> str:
        self.add_compensation(undo_write, label="never")
        try:
            await self.activity(refuse, label="caught")
        except ActivityFailed as failure:
            return failure.code
        return "unreachable"


class UndoneInCodeWorkflow(Workflow[str]):
    """Undoes in code and returns normally."""

    async def execute(self) -> str:
        self.add_compensation(undo_write, label="in code")
        await self.activity(write, label="before")
        await self.compensate()
        await self.activity(write, label="after")
        return "done"


def ended(env: WorkflowEnvironment, workflow: type[Workflow[object]], *args: object) -> WorkflowRun:
    """Run to where nothing is due any more."""
    run = env.start(workflow, *args)
    with suppress(WorkflowFailed):
        env.finish(run.id)
    sound(run.id)
    return queries.get_run(run.id)


def test_a4_undos_run_in_reverse_order_of_delivery_one_after_the_other(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "make_booked:b", "by_hand:c", "make:d", "refuse:e"])

    assert run.status == "compensated"
    assert undone(run.id) == ["d", "c", "b", "a"]
    undos = [kind for kind in kinds(run.id) if kind.startswith("Compensation") and kind != "CompensationAdded"]
    assert undos == ["CompensationStarted", "CompensationCompleted"] * 4


def test_a4_each_undo_is_run_and_recorded_once(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "make:b", "refuse:c"])

    assert effects.count("undo a") == effects.count("undo b") == 1
    assert len(entries(run.id, "CompensationCompleted")) == 2


def test_a4_a_caught_failure_stops_nothing(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(CaughtWorkflow) == "cast_refused"
    assert effects.count("undo never") == 0


def test_a4_a_failed_undo_holds_the_run_and_stops_the_plan(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "make_stubborn:b", "refuse:c"])

    assert (run.status, run.hold_reason) == ("held", "compensation_failed")
    assert effects.count("undo a") == 0
    assert [(item.arguments["label"], item.status) for item in queries.get_compensation_plan(run.id)] == [
        ("b", "failed"),
        ("a", "planned"),
    ]


def test_a4_continue_runs_the_other_undos_and_holds_at_the_end(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastGoesOnWorkflow, ["make:a", "make_stubborn:b", "make:c", "refuse:d"])

    assert (run.status, run.hold_reason) == ("held", "compensation_failed")
    assert undone(run.id) == ["c", "a"]
    assert [item.status for item in queries.get_compensation_plan(run.id)] == ["completed", "failed", "completed"]


@pytest.mark.parametrize("workflow", [CastWorkflow, CastGoesOnWorkflow])
def test_a4_compensate_run_goes_on_at_the_failed_undo_with_fresh_attempts(
    workflow_env: WorkflowEnvironment, workflow: type[Workflow[object]]
) -> None:
    run = ended(workflow_env, workflow, ["make:a", "make_stubborn:b", "make:c", "refuse:d"])
    effects.write("repaired")

    operations.compensate_run(run.id, reason="the counterparty answers again")
    sound(run.id)
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "compensated"
    assert effects.count("tried to undo b") == 2
    assert effects.count("undo a") == effects.count("undo c") == 1
    sound(run.id)


def test_a4_compensate_run_that_fails_again_holds_again(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make_stubborn:a", "refuse:b"])

    operations.compensate_run(run.id, reason="try")
    workflow_env.skip(NOW)

    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "compensation_failed")
    assert effects.count("tried to undo a") == 2
    sound(run.id)


def test_a5_an_error_with_a_plan_that_ran_is_compensated_and_keeps_the_error(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "refuse:b"])

    assert run.status == "compensated"
    assert run.error is not None
    assert (run.error["type"], run.error["code"]) == ("ActivityFailed", "cast_refused")
    assert run.error["cause"]["type"] == "CastRefused"


def test_a5_an_error_with_an_empty_plan_is_failed(workflow_env: WorkflowEnvironment) -> None:
    assert ended(workflow_env, CastWorkflow, ["write:a", "refuse:b"]).status == "failed"


def test_a5_on_failure_hold_waits_for_an_operator_and_undoes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastHoldsWorkflow, ["make:a", "refuse:b"])

    assert (run.status, run.hold_reason) == ("held", "failure")
    assert effects.count("undo a") == 0


def test_a5_on_failure_fail_ends_and_undoes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastFailsWorkflow, ["make:a", "refuse:b"])

    assert run.status == "failed"
    assert effects.count("undo a") == 0


def test_a5_compensate_in_code_then_a_normal_end_is_completed_without_error(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, UndoneInCodeWorkflow)

    assert (run.status, run.result, run.error) == ("completed", "done", None)
    assert effects.count("undo in code") == effects.count("after") == 1


def test_a5_compensate_in_code_then_an_error_is_compensated(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "compensate", "raise:on purpose"])

    assert run.status == "compensated"
    assert run.error is not None
    assert run.error["type"] == "ValueError"
    assert effects.count("undo a") == 1


def test_a5_what_is_done_after_compensate_in_code_has_a_plan_of_its_own(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "compensate", "make:b", "refuse:c"])

    assert run.status == "compensated"
    assert undone(run.id) == ["a", "b"]


def test_a5_compensate_in_code_with_nothing_to_undo_goes_on_at_once(workflow_env: WorkflowEnvironment) -> None:
    assert ended(workflow_env, CastWorkflow, ["compensate", "write:a"]).result == ["wrote a"]


def test_a5_a_failed_undo_within_compensate_holds_and_the_code_goes_on_after_the_repair(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "make_stubborn:b", "compensate", "write:c"])
    assert (run.status, run.hold_reason) == ("held", "compensation_failed")
    effects.write("repaired")

    operations.compensate_run(run.id, reason="repaired")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "completed"
    assert undone(run.id) == ["b", "a"]
    assert effects.count("c") == 1
    sound(run.id)


def test_a5_compensate_run_undoes_a_completed_run_and_keeps_its_result(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "make:b"])

    open_again = operations.compensate_run(run.id, reason="it was a mistake")
    assert (open_again.status, open_again.closed_at) == ("compensating", None)
    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.result, after.error) == ("compensated", ["made a", "made b"], None)
    assert undone(run.id) == ["b", "a"]
    sound(run.id)


@pytest.mark.parametrize("workflow", [CastFailsWorkflow, CastHoldsWorkflow])
def test_a5_compensate_run_undoes_a_failed_run_and_one_held_as_failure(
    workflow_env: WorkflowEnvironment, workflow: type[Workflow[object]]
) -> None:
    run = ended(workflow_env, workflow, ["make:a", "refuse:b"])

    operations.compensate_run(run.id, reason="undo it")
    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.hold_reason) == ("compensated", None)
    assert after.error is not None
    assert effects.count("undo a") == 1
    sound(run.id)


def test_a5_compensate_run_undoes_a_cancelled_run_that_was_left_as_it_was(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastLeavesWorkflow, ["make:a", "disturb:b"])
    workflow_env.skip(NOW)
    operations.cancel_run(run.id, reason="stop")
    workflow_env.skip(NOW)
    assert (queries.get_run(run.id).status, effects.count("undo a")) == ("cancelled", 0)

    operations.compensate_run(run.id, reason="undo it after all")
    workflow_env.skip(NOW)

    assert (queries.get_run(run.id).status, effects.count("undo a")) == ("compensated", 1)
    sound(run.id)


def test_a5_compensate_run_gives_a_compensated_run_back_unchanged(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "refuse:b"])
    before = kinds(run.id)

    assert operations.compensate_run(run.id, reason="again") == queries.get_run(run.id)
    assert kinds(run.id) == before
    assert effects.count("undo a") == 1


def test_a5_compensate_run_refuses_an_empty_plan(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["write:a"])

    with pytest.raises(NothingToCompensate):
        operations.compensate_run(run.id, reason="what for")
    assert queries.get_run(run.id).status == "completed"


def test_a5_compensate_run_refuses_open_runs_and_other_holds(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a"])
    with pytest.raises(NotAllowedInState):
        operations.compensate_run(run.id, reason="too early")

    operations.pause_run(run.id, reason="look")
    with pytest.raises(NotAllowedInState) as refusal:
        operations.compensate_run(run.id, reason="release it first")
    assert refusal.value.allowed == ["cancel", "rerun", "resume"]


def test_a5_a_dry_run_gives_the_plan_and_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = ended(workflow_env, CastWorkflow, ["make:a", "make:b"])
    before = kinds(run.id)

    plan = operations.compensate_run(run.id, dry_run=True)

    assert [item.arguments["label"] for item in plan] == ["b", "a"]
    assert kinds(run.id) == before
    assert queries.list_audit(run_id=run.id)[0].act == "start"


def test_an_undo_that_fails_for_a_while_is_retried_with_back_off(workflow_env: WorkflowEnvironment) -> None:
    """Virtual time passes between the attempts, and the run shows `compensating` while it waits."""
    run = workflow_env.start(CastWorkflow, ["by_hand:a", "write:b", "refuse:c"])
    workflow_env.mock(undo_write).raises(OSError("away")).returns(None)

    workflow_env.skip(NOW)
    waiting = queries.get_run(run.id)
    assert waiting.status == "compensating"
    assert waiting.wake_at is not None
    assert waiting.wake_at > workflow_env.now
    sound(run.id)
    with pytest.raises(WorkflowFailed):
        workflow_env.finish(run.id)

    assert queries.get_run(run.id).status == "compensated"
    assert len(workflow_env.calls(undo_write)) == 2

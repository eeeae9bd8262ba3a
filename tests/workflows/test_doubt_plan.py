"""SEMANTICS A2, A4: no plan starts while a started step is in doubt; the run waits, is held, and then undoes."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, begin, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    TIMEOUT,
    Disturbed,
    Refused,
    SentOutCleanUpWorkflow,
    SentOutHoldsWorkflow,
    SentOutSideBySideWorkflow,
    SentOutTimedWorkflow,
    SentOutWorkflow,
    counterparty,
    inside,
    raising,
    wire,
    write,
)
from tests.workflows.views import entries, kinds, sound, undone
from workflows import Cancelled, Outcome, Workflow, operations, queries
from workflows.testing import WorkflowEnvironment

HOUR = timedelta(hours=1)


def resolve(run_id: uuid.UUID, seq: int, outcome: Any) -> None:
    result = "seen" if outcome == "happened" else None
    operations.resolve_step(run_id, seq, outcome=outcome, result=result, reason="statement of the bank")


either = pytest.mark.parametrize(
    ("outcome", "undos"), [("happened", ["a", "first"]), ("not_done", ["first"])], ids=["happened", "not done"]
)


# --- Cancelled -------------------------------------------------------------------------------------------------------


@either
def test_a4_a_doubt_of_a_cancelled_run_holds_it_before_its_plan(
    workflow_env: WorkflowEnvironment, outcome: str, undos: list[str]
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["make:first", "wire:a", "write:never"])
    work(run_id, 1)
    drive(run_id)

    def cancel() -> None:
        operations.cancel_run(run_id, reason="no longer")
        drive(run_id)
        raise Disturbed

    with inside(cancel):
        work(run_id, 2)
    workflow_env.skip(HOUR)
    assert state(run_id) == ("held", "in_doubt")
    assert "PlanStarted" not in kinds(run_id)

    resolve(run_id, 2, outcome)
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert undone(run_id) == undos
    assert effects.count("never") == 0
    sound(run_id)


@either
def test_a4_a_doubt_that_was_there_before_the_cancel_is_resolved_first(
    workflow_env: WorkflowEnvironment, outcome: str, undos: list[str]
) -> None:
    """The cancel came while the step ran, and nobody had driven the run since."""
    run_id = ask(workflow_env, SentOutWorkflow, ["make:first", "wire:a", "write:never"])
    work(run_id, 1)
    drive(run_id)

    def cancel() -> None:
        operations.cancel_run(run_id, reason="no longer")
        raise Disturbed

    with inside(cancel):
        work(run_id, 2)
    drive(run_id)
    assert state(run_id) == ("held", "in_doubt")

    resolve(run_id, 2, outcome)
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert undone(run_id) == undos
    assert effects.count("never") == 0
    sound(run_id)


def test_a4_a_cancel_that_waits_behind_a_doubt_is_still_shown_as_requested(workflow_env: WorkflowEnvironment) -> None:
    run_id = workflow_env.start(SentOutWorkflow, ["wire_here:a"]).id

    def cancel() -> None:
        operations.cancel_run(run_id, reason="no longer")
        workflow_env.now += timedelta(seconds=1)
        raise Disturbed

    with inside(cancel):
        drive(run_id)
    workflow_env.skip(NOW)

    held = queries.get_run(run_id)
    assert (held.status, held.hold_reason, held.requested) == ("held", "in_doubt", "cancel")
    resolve(run_id, 1, "happened")
    workflow_env.skip(NOW)
    after = queries.get_run(run_id)
    assert (after.status, after.requested) == ("cancelled", None)
    assert undone(run_id) == ["a"]
    sound(run_id)


def test_a4_clean_up_of_a_cancelled_run_waits_for_nobody_its_plan_does(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutCleanUpWorkflow, "wire:a")

    def cancel() -> None:
        operations.cancel_run(run_id, reason="no longer")
        drive(run_id)
        raise Disturbed

    with inside(cancel):
        work(run_id)
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")

    resolve(run_id, 1, "happened")
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert effects.count("undo clean-up") == effects.count("undo a") == 1
    sound(run_id)


class DoubtCaughtWorkflow(Workflow[str]):
    """Takes a cancel and goes on."""

    async def execute(self) -> str:
        try:
            await self.activity(wire, label="a")
        except Cancelled:
            return await self.activity(write, label="instead")
        return "wired"


def test_a_doubt_of_a_step_whose_cancel_was_caught_holds_the_run_before_it_ends(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, DoubtCaughtWorkflow)

    def cancel() -> None:
        operations.cancel_run(run_id, reason="no longer")
        drive(run_id)
        raise Disturbed

    with inside(cancel):
        work(run_id)
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")

    resolve(run_id, 1, "not_done")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == "did instead"
    sound(run_id)


# --- Timed out -------------------------------------------------------------------------------------------------------


@either
def test_a4_a_doubt_of_a_run_whose_time_is_over_holds_it_before_its_plan(
    workflow_env: WorkflowEnvironment, outcome: str, undos: list[str]
) -> None:
    run_id = ask(workflow_env, SentOutTimedWorkflow, ["make:first", "wire:a", "write:never"])
    work(run_id, 1)
    drive(run_id)

    def time_passes() -> None:
        workflow_env.now += HOUR
        drive(run_id)
        raise Disturbed

    with inside(time_passes):
        work(run_id, 2)
    workflow_env.skip(HOUR)
    assert state(run_id) == ("held", "in_doubt")
    assert "PlanStarted" not in kinds(run_id)

    resolve(run_id, 2, outcome)
    workflow_env.skip(NOW)

    assert state(run_id) == ("timed_out", None)
    assert undone(run_id) == undos
    sound(run_id)


def test_a4_a_run_whose_time_runs_out_while_it_is_held_in_doubt_times_out_once_it_is_resolved(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutTimedWorkflow, ["wire:a", "write:never"])
    with inside(raising(Disturbed())):
        work(run_id, 1)
    drive(run_id)
    workflow_env.skip(HOUR * 2)
    assert state(run_id) == ("held", "in_doubt")

    resolve(run_id, 1, "happened")
    workflow_env.skip(NOW)

    assert state(run_id) == ("timed_out", None)
    assert undone(run_id) == ["a"]
    assert effects.count("never") == 0
    sound(run_id)


# --- A sibling failed ------------------------------------------------------------------------------------------------


@either
def test_a4_a_doubt_beside_a_failure_holds_the_run_before_its_plan(
    workflow_env: WorkflowEnvironment, outcome: str, undos: list[str]
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["make:first", "wire:a", "try_once:b"])
    work(run_id, 1)
    begin(run_id, 2)
    with inside(raising(Refused())):
        work(run_id, 3)
    drive(run_id)
    assert state(run_id) == ("waiting", None)

    row_ = row(run_id, 2)
    workflow_env.now = max(workflow_env.now, row_.deadline_at or workflow_env.now) + timedelta(seconds=1)
    sweep()
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")

    resolve(run_id, 2, outcome)
    workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert sorted(str(label) for label in undone(run_id)) == sorted(undos)
    assert queries.get_run(run_id).error["code"] == "sent_refused"  # type: ignore[index]
    sound(run_id)


def test_a4_the_counterparty_is_asked_before_a_failed_run_is_held(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["ask_wire:a", "try_once:b"])

    def meanwhile() -> None:
        work(run_id, 2)
        drive(run_id)
        raise Disturbed

    with counterparty(Outcome.happened("receipt 7")) as asked, inside(meanwhile, raising(Refused())):
        work(run_id, 1)
        workflow_env.skip(NOW)

    assert len(asked) == 1
    assert state(run_id) == ("compensated", None)
    assert undone(run_id) == ["a"]
    assert "RunHeld" not in kinds(run_id)
    sound(run_id)


def test_a4_of_two_doubts_beside_a_failure_both_are_resolved_before_anything_is_undone(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["wire:a", "wire:b", "try_once:c"])

    def first() -> None:
        work(run_id, 2)
        raise Disturbed

    def second() -> None:
        work(run_id, 3)
        drive(run_id)
        raise Disturbed

    with inside(first, second, raising(Refused())):
        work(run_id, 1)
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")

    resolve(run_id, 1, "happened")
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")
    assert undone(run_id) == []
    resolve(run_id, 2, "not_done")
    workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert undone(run_id) == ["a"]
    sound(run_id)


# --- What enters the plan --------------------------------------------------------------------------------------------


def test_a2_a_doubt_stands_in_no_plan_before_it_is_resolved(workflow_env: WorkflowEnvironment) -> None:
    """The plan that people see is of what has settled for the code."""
    run_id = ask(workflow_env, SentOutWorkflow, ["make:first", "wire:a"])
    work(run_id, 1)
    drive(run_id)
    with inside(raising(Disturbed())):
        work(run_id, 2)
    drive(run_id)

    assert [item.undoes for item in queries.get_compensation_plan(run_id)] == [1]


@pytest.mark.parametrize(("outcome", "left"), [("happened", ["a", "first"]), ("not_done", ["first"])])
def test_a2_an_operators_compensate_undoes_a_resolved_doubt_only_if_it_happened(
    workflow_env: WorkflowEnvironment, outcome: str, left: list[str]
) -> None:
    run_id = ask(workflow_env, SentOutHoldsWorkflow, ["make:first", "wire:a", "try_once:b"])
    work(run_id, 1)
    drive(run_id)
    with inside(raising(Disturbed())):
        work(run_id, 2)
    drive(run_id)
    resolve(run_id, 2, outcome)
    drive(run_id)
    if outcome == "happened":
        with inside(raising(Refused())):
            workflow_env.skip(NOW)
    assert state(run_id) == ("held", "failure")

    operations.compensate_run(run_id, reason="give up")
    workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert undone(run_id) == left
    sound(run_id)


def test_a2_an_overdue_step_that_may_be_repeated_is_undone_without_any_doubt(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["pay:a"])
    for _ in range(2):
        begin(run_id)
        workflow_env.now += TIMEOUT + timedelta(seconds=1)
        sweep()
        workflow_env.now += timedelta(seconds=10)
    drive(run_id)

    assert state(run_id) == ("compensated", None)
    assert undone(run_id) == ["a"]
    assert entries(run_id, "RunHeld") == []

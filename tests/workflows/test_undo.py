"""SEMANTICS A1-A3: which undos stand, with which arguments, and by which key they find their effect."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastHoldsWorkflow, CastWorkflow, Disturbed, undo_write
from tests.workflows.views import entries, sound, undone
from workflows import Retry, Workflow, WorkflowFailed, activity, activity_info, operations, queries
from workflows.testing import WorkflowEnvironment


@dataclass(frozen=True)
class Reservation:
    """A result whose fields fill an undo."""

    reservation: str
    amount: int


@activity(name="undo_tests.free_reservation")
def free_reservation(*, reservation: str | None = None, amount: int, result: Reservation | None = None) -> None:
    effects.write(f"freed {reservation} {amount} {result.reservation if result else None}")


@activity(name="undo_tests.reserve", undo=free_reservation)
def reserve(*, amount: int) -> Reservation:
    return Reservation("R-1", amount * 100)


@activity(name="undo_tests.break_down", retry=Retry(max_attempts=1))
def break_down(*, label: str) -> None:
    raise Disturbed(label)


@activity(name="undo_tests.give_unstorable", undo=undo_write)
def give_unstorable(*, label: str) -> str:
    effects.write(label)
    return object()  # type: ignore[return-value]


@activity(name="undo_tests.book_unstorable", transactional=True, undo=undo_write)
def book_unstorable(*, label: str) -> str:
    effects.write(label)
    return object()  # type: ignore[return-value]


@activity(name="undo_tests.note_key", retry=Retry(max_attempts=3))
def note_key() -> None:
    effects.write(activity_info().idempotency_key)
    raise Disturbed("again")


@activity(name="undo_tests.patient_attempt", undo=undo_write, undo_when="attempted", retry=Retry(initial=60.0))
def patient_attempt(*, label: str) -> None:
    raise Disturbed("again later")


@activity(name="undo_tests.patient_completion", undo=undo_write, retry=Retry(initial=60.0))
def patient_completion(*, label: str) -> None:
    raise Disturbed("again later")


class PatientWorkflow(Workflow[None]):
    """One step that waits for its next attempt."""

    async def execute(self, fn: str) -> None:
        await self.activity({"patient_attempt": patient_attempt}.get(fn, patient_completion), label="patient")


class NotingKeyWorkflow(Workflow[None]):
    """Fails three times."""

    async def execute(self) -> None:
        await self.activity(note_key)


class ReservingWorkflow(Workflow[None]):
    """Reserve, then break down."""

    async def execute(self) -> None:
        await self.activity(reserve, amount=7)
        await self.activity(break_down, label="after reserving")


class ByHandWorkflow(Workflow[None]):
    """Registers undos by hand, before the first await and after a result."""

    async def execute(self) -> None:
        self.add_compensation(undo_write, label="before the await")
        await self.activity(reserve, amount=1)
        self.add_compensation(undo_write, label="after the await")
        await self.activity(break_down, label="by hand")


class UnstorableWorkflow(Workflow[None]):
    """Its activity's result cannot be stored."""

    async def execute(self) -> None:
        await self.activity(give_unstorable, label="unstorable")


class UnstorableBookingWorkflow(Workflow[None]):
    """Its transactional activity's result cannot be stored."""

    async def execute(self) -> None:
        await self.activity(book_unstorable, label="unstorable")


def fail(env: WorkflowEnvironment, workflow: type[Workflow[object]], *args: object) -> object:
    run = env.start(workflow, *args)
    with pytest.raises(WorkflowFailed):
        env.finish(run.id)
    sound(run.id)
    return queries.get_run(run.id)


def test_a1_an_undo_is_filled_from_the_results_fields_then_from_the_arguments(
    workflow_env: WorkflowEnvironment,
) -> None:
    """Without the result's precedence `amount` would be the argument 7."""
    fail(workflow_env, ReservingWorkflow)

    assert effects.labels() == ["freed R-1 700 R-1"]


def test_a1_the_undo_is_stored_by_the_commit_that_schedules_its_step(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a"])

    workflow_env.finish(run.id)

    (scheduled,) = entries(run.id, "StepScheduled")
    assert scheduled["undo"] == "cast.undo_write"
    assert scheduled["undo_map"] == {"label": ["argument", "label"]}


def test_a1_a_compensation_by_hand_stands_from_its_commit_and_has_no_undone_key(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = fail(workflow_env, ByHandWorkflow)

    assert effects.count("undo before the await") == effects.count("undo after the await") == 1
    assert effects.count("undone key None") == 2
    added = [entry.position for entry in queries.get_history(run.id) if entry.kind == "CompensationAdded"]
    completed = [entry.position for entry in queries.get_history(run.id) if entry.kind == "StepCompleted"]
    assert added[0] < completed[0] < added[1]


def test_a2_a_step_that_failed_leaves_no_undo_by_default(workflow_env: WorkflowEnvironment) -> None:
    run = fail(workflow_env, CastWorkflow, ["make_in_vain:a"])

    assert run.status == "failed"
    assert queries.get_compensation_plan(run.id) == []


def test_a2_undo_when_attempted_adds_a_step_that_failed_after_an_attempt_began(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = fail(workflow_env, CastWorkflow, ["attempt:a"])

    assert run.status == "compensated"
    assert effects.count("undo a") == 1


@pytest.mark.parametrize(("fn", "undos"), [("patient_attempt", 1), ("patient_completion", 0)])
def test_a2_a_step_cancelled_in_its_back_off_enters_by_attempted_only(
    workflow_env: WorkflowEnvironment, fn: str, undos: int
) -> None:
    run = workflow_env.start(PatientWorkflow, fn)
    workflow_env.skip(NOW)

    operations.cancel_run(run.id, reason="stop")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "cancelled"
    assert effects.count("undo patient") == undos
    assert queries.list_steps(run.id)[0].status == "cancelled"
    sound(run.id)


def test_a2_an_unstorable_result_is_an_unknown_outcome_whose_undo_runs(workflow_env: WorkflowEnvironment) -> None:
    """The effect stands, so without the undo the run would leave it behind and call itself failed."""
    run = fail(workflow_env, UnstorableWorkflow)

    assert effects.count("unstorable") == 1
    assert effects.count("undo unstorable") == 1
    assert run.status == "compensated"


def test_a2_a_transactional_step_with_an_unstorable_result_did_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = fail(workflow_env, UnstorableBookingWorkflow)

    assert effects.labels() == []
    assert run.status == "failed"


def test_a2_items_that_ran_stay_in_the_plan_with_their_status(workflow_env: WorkflowEnvironment) -> None:
    run = fail(workflow_env, CastWorkflow, ["make:a", "make:b", "refuse:c"])

    plan = queries.get_compensation_plan(run.id)

    assert [(item.arguments["label"], item.status) for item in plan] == [("b", "completed"), ("a", "completed")]
    assert [item.undoes for item in plan] == [2, 1]


def test_a2_a_retry_takes_the_failed_attempts_undo_out_and_the_new_outcome_replaces_it(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CastHoldsWorkflow, ["make:a", "attempt:b"])
    workflow_env.skip(NOW)
    assert [item.arguments["label"] for item in queries.get_compensation_plan(run.id)] == ["b", "a"]

    operations.retry_run(run.id, reason="again")
    assert [item.arguments["label"] for item in queries.get_compensation_plan(run.id)] == ["a"]
    workflow_env.skip(NOW)

    assert [item.arguments["label"] for item in queries.get_compensation_plan(run.id)] == ["b", "a"]
    operations.compensate_run(run.id, reason="undo it all")
    workflow_env.skip(NOW)
    assert undone(run.id) == ["b", "a"]
    sound(run.id)


def test_a3_an_undo_gets_the_idempotency_key_of_the_step_it_undoes(workflow_env: WorkflowEnvironment) -> None:
    run = fail(workflow_env, CastWorkflow, ["make:a", "refuse:b"])

    (made, *_) = queries.list_steps(run.id)
    assert effects.count(f"undone key {made.key}") == 1


def test_a3_the_key_of_a_step_is_the_same_in_each_attempt(workflow_env: WorkflowEnvironment) -> None:
    fail(workflow_env, NotingKeyWorkflow)

    assert len(effects.labels()) == 3
    assert len(set(effects.labels())) == 1

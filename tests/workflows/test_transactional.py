"""SEMANTICS C12: a transactional activity's rows and its checkpoint are one commit."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, OperationalError, transaction

from tests.workflows import effects
from tests.workflows.cast import WORDS, CastWorkflow, book, undo_write
from tests.workflows.faulting import die, take_over
from tests.workflows.views import entries, kinds, sound
from workflows import Retry, Workflow, WorkflowFailed, activity, queries
from workflows.models import Run
from workflows.testing import WorkflowEnvironment


@activity(name="transactional.orphan", transactional=True, retry=Retry(max_attempts=1))
def write_orphan() -> None:
    effects.write("beside the orphan")
    effects.write_orphan()


@activity(name="transactional.swallow", transactional=True, retry=Retry(max_attempts=1))
def swallow() -> str:
    """Goes on after an error that has spoilt the transaction."""
    effects.write_parent(1)
    try:
        effects.write_parent(1)
    except IntegrityError:
        return "pretends that all is well"
    return "nothing was refused"


@activity(name="transactional.savepoint", transactional=True)
def handle() -> str:
    """Handles the same error as it should be handled."""
    effects.write_parent(2)
    try:
        with transaction.atomic():
            effects.write_parent(2)
    except IntegrityError:
        return "handled"
    return "nothing was refused"


@activity(name="transactional.fail_after_writing", transactional=True, retry=Retry(max_attempts=2))
def fail_after_writing() -> None:
    effects.write("written in vain")
    raise ValueError("after writing")


class FailingWorkflow(Workflow[None]):
    """Its activity fails after it has written."""

    async def execute(self) -> None:
        await self.activity(fail_after_writing)


class OrphanWorkflow(Workflow[None]):
    """Breaks a deferred constraint."""

    async def execute(self) -> None:
        await self.activity(write_orphan)


class SwallowingWorkflow(Workflow[str]):
    """Swallows a database error."""

    async def execute(self) -> str:
        return await self.activity(swallow)


class HandlingWorkflow(Workflow[str]):
    """Handles a database error."""

    async def execute(self) -> str:
        return await self.activity(handle)


class LookingWorkflow(Workflow[int]):
    """Looks into the database right after a booking: it may not."""

    async def execute(self) -> int:
        await self.activity(book, label="looked")
        return Run.objects.count()


def test_c12_before_the_commit_neither_rows_nor_outcome_stand(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["book:a"])

    die(workflow_env, run.id, "commit.before@cast.book")

    assert effects.labels() == []
    assert entries(run.id, "StepCompleted") == []
    sound(run.id)


def test_c12_a_worker_that_dies_before_the_commit_leaves_one_effect_in_the_end(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CastWorkflow, ["book:a"])
    die(workflow_env, run.id, "commit.before@cast.book")

    assert take_over(workflow_env) == [run.id]

    assert queries.get_run(run.id).status == "completed"
    assert effects.labels() == ["a"]
    sound(run.id)


def test_c12_a_worker_that_dies_after_the_commit_repeats_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["book:a", "write:b"])
    die(workflow_env, run.id, "commit.after@cast.book")
    assert effects.labels() == ["a"]

    take_over(workflow_env)

    assert effects.labels() == ["a", "b"]
    assert len(entries(run.id, "StepCompleted")) == 2
    assert queries.list_steps(run.id)[0].attempts == 1
    sound(run.id)


def test_c12_outcome_next_schedule_and_its_undo_are_in_the_rows_commit(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["book:a", "make:b"])

    die(workflow_env, run.id, "commit.after@cast.book")

    assert kinds(run.id)[-3:] == ["StepCompleted", "StepScheduled", "StepStarted"]
    assert entries(run.id, "StepScheduled")[-1]["undo"] == undo_write.name
    assert [(step.name, step.status) for step in queries.list_steps(run.id)] == [
        ("cast.book", "completed"),
        ("cast.make", "running"),
    ]


def test_an_activity_that_is_not_transactional_may_run_again_with_the_same_key(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    die(workflow_env, run.id, "commit.before@cast.write")

    take_over(workflow_env)

    assert effects.labels() == ["a", "a"]
    (step,) = queries.list_steps(run.id)
    assert (step.status, step.attempts) == ("completed", 2)
    assert [attempt.error["code"] if attempt.error else None for attempt in step.tries] == ["worker_lost", None]
    sound(run.id)


def test_c12_a_failed_transactional_activity_leaves_no_row(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(FailingWorkflow)

    with pytest.raises(WorkflowFailed):
        workflow_env.finish(run.id)

    assert effects.labels() == []
    assert queries.list_steps(run.id)[0].attempts == 2


@pytest.mark.django_db(transaction=True)
def test_c12_a_broken_deferred_constraint_is_a_failure_of_the_activity(workflow_env: WorkflowEnvironment) -> None:
    """On Postgres it shows before the coroutine advances, on SQLite at COMMIT; the rows are gone either way."""
    run = workflow_env.start(OrphanWorkflow)

    with pytest.raises(WorkflowFailed):
        workflow_env.finish(run.id)

    (step,) = queries.list_steps(run.id)
    assert (step.status, step.attempts) == ("failed", 1)
    assert step.error is not None
    assert step.error["type"] == "IntegrityError"
    assert queries.get_run(run.id).status == "failed"
    assert effects.labels() == []
    assert len(entries(run.id, "StepFailed")) == 1
    sound(run.id)


def test_c12_a_database_error_that_the_activity_swallowed_fails_the_attempt(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(SwallowingWorkflow)

    with pytest.raises(WorkflowFailed):
        workflow_env.finish(run.id)

    (step,) = queries.list_steps(run.id)
    assert step.error is not None
    assert step.error["code"] == "database_error_swallowed"
    assert effects.parents() == []
    sound(run.id)


def test_c12_a_database_error_handled_in_a_savepoint_is_no_failure(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(HandlingWorkflow) == "handled"
    assert effects.parents() == [2]


def test_c12_the_code_advances_within_the_transaction_with_the_database_barred(
    workflow_env: WorkflowEnvironment,
) -> None:
    """The booking stands with its outcome; the code that looked is held, and nothing else ran."""
    run = workflow_env.start(LookingWorkflow)

    with pytest.raises(WorkflowFailed):
        workflow_env.finish(run.id)

    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "nondeterminism")
    assert effects.labels() == ["looked"]
    assert [step.status for step in queries.list_steps(run.id)] == ["completed"]
    sound(run.id)


@pytest.mark.parametrize("label", ["book", "write"])
def test_c12_a_passing_database_error_is_tried_again_outside_the_retry_policy(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    monkeypatch.setattr("workflows.runtime.execution.time.sleep", lambda seconds: None)
    run = workflow_env.start(CastWorkflow, [f"{label}:a"])
    locked = OperationalError("database is locked")
    stand_in = {"book": "booked a", "write": "wrote a"}[label]
    workflow_env.mock(WORDS[label]).raises(locked).raises(locked).returns(stand_in)

    assert workflow_env.finish(run.id) == [stand_in]

    (step,) = queries.list_steps(run.id)
    assert (step.attempts, len(step.tries)) == (1, 1)
    assert "AttemptFailed" not in kinds(run.id)


def test_c12_a_database_that_keeps_refusing_sends_the_step_again_without_counting_a_failure(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.runtime.execution.time.sleep", lambda seconds: None)
    run = workflow_env.start(CastWorkflow, ["write:a"])
    mock = workflow_env.mock(WORDS["write"])
    for _ in range(17):
        mock.raises(OperationalError("database is locked"))
    mock.returns("at last")

    assert workflow_env.finish(run.id) == ["at last"]

    (step,) = queries.list_steps(run.id)
    assert step.attempts == 4
    assert [attempt.error["code"] for attempt in step.tries if attempt.error] == ["database_busy"] * 3
    sound(run.id)

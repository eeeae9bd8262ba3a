"""SEMANTICS C13: from COMMIT on only rows decide; what is raised there is never taken for an activity failure."""

from __future__ import annotations

import logging

import pytest
from django.db import OperationalError, transaction

from tests.workflows import effects
from tests.workflows.cast import NOW, CastWorkflow
from tests.workflows.faulting import armed
from tests.workflows.views import entries, kinds, sound
from workflows import Workflow, activity, queries, store
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.django_db(transaction=True)


def _fail() -> None:
    raise RuntimeError("a callback after COMMIT failed")


@activity(name="commit_decides.book_with_callback", transactional=True)
def book_with_callback(*, label: str, robust: bool) -> str:
    """Its callback fails once the rows have committed."""
    effects.write(label)
    transaction.on_commit(_fail, robust=robust)
    return "booked"


class CallbackWorkflow(Workflow[list[str]]):
    """Books twice; each booking's callback fails."""

    async def execute(self, robust: bool) -> list[str]:
        return [await self.activity(book_with_callback, label=label, robust=robust) for label in "ab"]


@pytest.mark.parametrize("robust", [False, True])
def test_c13_an_on_commit_callback_that_raises_fails_nothing(workflow_env: WorkflowEnvironment, robust: bool) -> None:
    run = workflow_env.start(CallbackWorkflow, robust)

    assert workflow_env.finish(run.id) == ["booked", "booked"]

    assert effects.labels() == ["a", "b"]
    assert [step.attempts for step in queries.list_steps(run.id)] == [1, 1]
    assert len(entries(run.id, "StepCompleted")) == 2
    assert "AttemptFailed" not in kinds(run.id)
    sound(run.id)


@pytest.mark.parametrize("word", ["book", "make_booked", "write"])
def test_c13_an_answer_of_commit_that_is_lost_repeats_nothing(
    workflow_env: WorkflowEnvironment, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The rows say that the step is done, so the error is logged and the run goes on from them."""
    run = workflow_env.start(CastWorkflow, [f"{word}:a", "write:b"])

    with armed(f"commit.after@cast.{word}"), caplog.at_level(logging.WARNING, logger="workflows.execution"):
        workflow_env.finish(run.id)

    assert queries.get_run(run.id).status == "completed"
    assert effects.labels() == ["a", "b"]
    assert len(entries(run.id, "StepCompleted")) == 2
    assert any("is in doubt" in record.message for record in caplog.records)
    sound(run.id)


def test_c13_a_commit_that_did_not_happen_rolls_the_rows_back_and_the_step_runs_once_more(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CastWorkflow, ["book:a", "write:b"])
    with armed("commit.before@cast.book"):
        workflow_env.finish(run.id)

    assert queries.get_run(run.id).status == "completed"
    assert effects.labels() == ["a", "b"]
    assert "AttemptFailed" not in kinds(run.id)
    sound(run.id)


def test_c13_the_answer_to_an_undos_commit_that_is_lost_repeats_no_undo(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a", "make:b", "raise:on purpose"])

    with armed("commit.after@cast.undo_write"):
        workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "compensated"
    assert effects.count("undo a") == effects.count("undo b") == 1
    assert len(entries(run.id, "CompensationCompleted")) == 2
    sound(run.id)


@pytest.mark.parametrize("word", ["book", "make_booked", "write"])
def test_c13_a_lock_met_by_the_checkpoint_rolls_back_and_is_tried_again(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """What the code decided in the meantime is forgotten with the transaction; a booking is made once."""
    monkeypatch.setattr("workflows.runtime.execution.time.sleep", lambda seconds: None)
    run = workflow_env.start(CastWorkflow, [f"{word}:a", "write:b"])
    refused: list[int] = []
    commit = store.commit

    def refuse_once(checkpoint: store.Checkpoint) -> store.Head | None:
        if not refused and any(event.kind == "StepCompleted" for event in checkpoint.events):
            refused.append(1)
            raise OperationalError("database is locked")
        return commit(checkpoint)

    monkeypatch.setattr(store, "commit", refuse_once)
    workflow_env.finish(run.id)

    assert refused
    assert queries.get_run(run.id).status == "completed"
    assert effects.labels() == ["a", "b"]
    assert "AttemptFailed" not in kinds(run.id)
    sound(run.id)

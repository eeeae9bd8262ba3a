"""SEMANTICS A2, D20: an attempt that was lost may have had its effect, whatever became of the step after it.

Seen to fail: with `_note_failure` leaving out `unknown`, no undo runs in the first two tests and the edit is accepted.
"""

from __future__ import annotations

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, undo_write
from tests.workflows.faulting import die, is_leased, take_over
from tests.workflows.views import entries, sound
from workflows import NonRetryable, Workflow, activity, activity_info, operations, queries
from workflows.core.errors import RetryRefused
from workflows.runtime import advance, code_phase
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.django_db(transaction=True)


@activity(name="uncertain.pay", undo=undo_write)
def pay(*, label: str, refuse: bool) -> str:
    """Pays at the first attempt; a later one may be refused."""
    if refuse and activity_info().attempt > 1:
        raise NonRetryable("refused")
    effects.write(label)
    return "paid"


@activity(name="uncertain.book", transactional=True, undo=undo_write)
def book(*, label: str, refuse: bool) -> str:
    """The same, in one transaction with its outcome."""
    return pay.function(label=label, refuse=refuse)


class UncertainWorkflow(Workflow[str]):
    """One step that moves money outside."""

    on_failure = "compensate"

    async def execute(self, refuse: bool, transactional: bool = False) -> str:
        return await self.activity(book if transactional else pay, label="paid", refuse=refuse)


class UncertainHeldWorkflow(UncertainWorkflow):
    """The same, held on failure."""

    on_failure = "hold"


def test_a2_a_lost_attempt_whose_step_is_cancelled_is_undone(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(UncertainWorkflow, refuse=False)
    die(workflow_env, run.id, "attempt.inside@uncertain.pay")

    operations.cancel_run(run.id, reason="no longer wanted")
    take_over(workflow_env)
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "cancelled"
    assert effects.count("paid") == effects.count("undo paid") == 1
    sound(run.id)


def test_a2_a_lost_attempt_before_a_known_refusal_is_undone(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(UncertainWorkflow, refuse=True)
    die(workflow_env, run.id, "attempt.inside@uncertain.pay")

    take_over(workflow_env)
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "compensated"
    assert effects.count("paid") == effects.count("undo paid") == 1
    sound(run.id)


def test_a2_a_lost_attempt_of_a_transactional_step_did_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(UncertainWorkflow, refuse=True, transactional=True)
    die(workflow_env, run.id, "attempt.inside@uncertain.book")

    take_over(workflow_env)
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "failed"
    assert effects.labels() == []
    sound(run.id)


def test_d20_the_input_is_not_edited_after_a_lost_attempt(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(UncertainHeldWorkflow, refuse=True)
    die(workflow_env, run.id, "attempt.inside@uncertain.pay")
    take_over(workflow_env)
    assert queries.get_run(run.id).hold_reason == "failure"

    with pytest.raises(RetryRefused):
        operations.retry_run(run.id, reason="less", input={"label": "other"})

    assert entries(run.id, "RetryRequested") == []


def test_c13_an_outcome_that_cannot_be_committed_is_not_tried_for_ever(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = workflow_env.start(UncertainWorkflow, refuse=False)
    conclude = code_phase.conclude

    def broken(session, checkpoint):  # type: ignore[no-untyped-def]
        if any(event.kind == "StepCompleted" for event in checkpoint.events):
            raise RuntimeError("a fault of the engine")
        return conclude(session, checkpoint)

    monkeypatch.setattr(code_phase, "conclude", broken)
    advance.advance(run.id)
    assert effects.count("paid") <= 6
    assert not is_leased(run.id)

    monkeypatch.setattr(code_phase, "conclude", conclude)
    workflow_env.finish(run.id)

    assert queries.get_run(run.id).status == "completed"

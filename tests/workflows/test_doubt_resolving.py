"""An operator states what an attempt in doubt did; the run goes on from there (SEMANTICS D19)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, codes, drive, row, state, work
from tests.workflows.sent_out_cast import (
    Disturbed,
    Refused,
    SentOutHoldsWorkflow,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds, sound
from workflows import operations, queries
from workflows.models import AuditEntry, Run
from workflows.testing import WorkflowEnvironment

SENT, HERE = "wire:a", "wire_here:a"
both = pytest.mark.parametrize("line", [SENT, HERE])


def doubted(env: WorkflowEnvironment, line: str, workflow: Any = SentOutWorkflow, *more: str) -> uuid.UUID:
    """A run held in doubt at its first step."""
    run_id: uuid.UUID = env.start(workflow, [line, *more]).id
    with inside(raising(Disturbed("the line broke"))):
        drive(run_id)
        if not effects.labels():
            work(run_id)
    drive(run_id)
    assert state(run_id) == ("held", "in_doubt")
    return run_id


def happened(run_id: uuid.UUID, result: Any = "seen", **more: Any) -> Any:
    return operations.resolve_step(run_id, 1, outcome="happened", result=result, **{"reason": "statement", **more})


def not_done(run_id: uuid.UUID, **more: Any) -> Any:
    return operations.resolve_step(run_id, 1, outcome="not_done", **{"reason": "no such payment", **more})


@pytest.fixture
def user(db: None) -> User:
    """Somebody who may resolve."""
    found = User.objects.create_user("ada")
    found.user_permissions.add(Permission.objects.get(codename="resolve_run"))
    return User.objects.get(pk=found.pk)


# --- Happened --------------------------------------------------------------------------------------------------------


@both
def test_what_happened_completes_the_step_with_the_result_that_was_stated(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = doubted(workflow_env, line, SentOutWorkflow, "write:b")

    given = happened(run_id, "receipt 7")
    assert (given.status, given.hold_reason, given.error) == ("pending", None, None)
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["receipt 7", "did b"]
    assert effects.labels() == ["a", "b"]
    assert kinds(run_id).count("StepCompleted") == 2
    assert "StepFailed" not in kinds(run_id)
    sound(run_id)


@both
def test_who_resolved_and_why_stands_in_history_and_audit(
    workflow_env: WorkflowEnvironment, line: str, user: User
) -> None:
    run_id = doubted(workflow_env, line)

    happened(run_id, actor=user, reason="  statement 44  ")

    (told,) = entries(run_id, "StepResolved")
    assert (told["outcome"], told["actor"], told["reason"], told["seq"]) == ("happened", "ada", "statement 44", 1)
    (released,) = entries(run_id, "RunReleased")
    assert (released["actor"], released["reason"]) == ("ada", "statement 44")
    entry = AuditEntry.objects.get(run_id=run_id, act="resolve")
    assert (entry.actor, entry.reason) == ("ada", "statement 44")
    sound(run_id)


@both
def test_what_happened_is_undone_when_the_run_fails_later(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = doubted(workflow_env, line, SentOutWorkflow, "write:b")
    happened(run_id)

    with inside(raising(Refused())):
        workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert effects.count("undo a") == 1
    sound(run_id)


@both
def test_what_happened_is_replayed_by_another_process_as_it_was_stated(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = doubted(workflow_env, line, SentOutWorkflow, "write:b", "write:c")
    happened(run_id, "receipt 7")
    drive(run_id)
    workflow_env.restart()
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["receipt 7", "did b", "did c"]
    sound(run_id)


# --- Not done --------------------------------------------------------------------------------------------------------


@both
def test_what_was_not_done_is_a_known_failure(workflow_env: WorkflowEnvironment, line: str) -> None:
    """Nothing is undone for it, and nothing is called again."""
    run_id = doubted(workflow_env, line)

    not_done(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == ["a"]
    assert kinds(run_id).count("StepFailed") == 1
    assert codes(run_id) == ["disturbed"]
    sound(run_id)


@both
def test_what_was_not_done_leaves_the_undo_of_what_was(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = workflow_env.start(SentOutWorkflow, ["make:first", line]).id
    with inside(lambda: None, raising(Disturbed())):
        workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")

    operations.resolve_step(run_id, 2, outcome="not_done", reason="no such payment")
    workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert effects.count("undo first") == 1
    assert effects.count("undo a") == 0
    sound(run_id)


@both
def test_what_was_not_done_may_be_retried_with_edited_input(workflow_env: WorkflowEnvironment, line: str) -> None:
    """D20 refuses that for an unresolved doubt: this one is resolved."""
    run_id = doubted(workflow_env, line, SentOutHoldsWorkflow)
    not_done(run_id)
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "failure")

    operations.retry_run(run_id, reason="the right account", input={"label": "b"})
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["did b"]
    assert effects.labels() == ["a", "b"]
    sound(run_id)


# --- Two doubts ------------------------------------------------------------------------------------------------------


def test_two_doubts_of_one_gather_are_resolved_one_after_the_other(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, [SENT, "wire:b"])
    with inside(raising(Disturbed()), raising(Disturbed())):
        work(run_id, 1, 2)
    drive(run_id)

    operations.resolve_step(run_id, 1, outcome="happened", result="first", reason="seen")
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")
    operations.resolve_step(run_id, 2, outcome="happened", result="second", reason="seen")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["first", "second"]
    assert [data["step"] for data in entries(run_id, "RunHeld")] == [1, 2]
    sound(run_id)


def test_of_two_doubts_either_may_be_resolved_first(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, [SENT, "wire:b"])
    with inside(raising(Disturbed()), raising(Disturbed())):
        work(run_id, 1, 2)
    drive(run_id)

    operations.resolve_step(run_id, 2, outcome="happened", result="second", reason="seen")
    workflow_env.skip(NOW)
    assert state(run_id) == ("held", "in_doubt")
    assert row(run_id, 2).status == "completed"
    operations.resolve_step(run_id, 1, outcome="not_done", reason="no such payment")
    workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert effects.count("undo b") == 1
    assert effects.count("undo a") == 0
    sound(run_id)


def test_a_doubt_that_comes_while_the_run_is_held_for_another_is_met_when_it_goes_on(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, [SENT, "wire:b"])

    def meanwhile() -> None:
        work(run_id, 2)
        drive(run_id)
        assert state(run_id) == ("held", "in_doubt")
        raise Disturbed

    with inside(meanwhile, raising(Disturbed())):
        work(run_id, 1)
    operations.resolve_step(run_id, 2, outcome="happened", result="second", reason="seen")
    workflow_env.skip(timedelta(minutes=1))

    assert state(run_id) == ("held", "in_doubt")
    assert Run.objects.get(pk=run_id).driver is None
    operations.resolve_step(run_id, 1, outcome="happened", result="first", reason="seen")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["first", "second"]
    sound(run_id)

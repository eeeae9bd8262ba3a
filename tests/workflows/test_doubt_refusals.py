"""What an operator cannot state of an attempt, and who cannot: the run stays as it is."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, close, drive, state, work
from tests.workflows.sent_out_cast import (
    Disturbed,
    Refused,
    SentOutHoldsWorkflow,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds
from workflows import operations, queries
from workflows.core.definitions import registry
from workflows.core.errors import (
    InvalidInput,
    NotAllowedInState,
    NotFound,
    PermissionRefused,
    ReasonRequired,
    RetryRefused,
)
from workflows.models import AuditEntry
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


# --- Refused ---------------------------------------------------------------------------------------------------------


@both
def test_a_result_of_the_wrong_type_is_refused_and_the_run_stays_in_doubt(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = doubted(workflow_env, line)

    for wrong in (7, None, ["seen"], object(), "\x00"):
        with pytest.raises(InvalidInput):
            happened(run_id, wrong)

    assert state(run_id) == ("held", "in_doubt")
    assert entries(run_id, "StepResolved") == []
    assert not AuditEntry.objects.filter(act="resolve").exists()


def test_a_result_cannot_be_checked_where_the_code_of_the_step_is_not_at_hand(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = doubted(workflow_env, SENT)

    with monkeypatch.context() as patch:
        patch.delitem(registry.activities, "sent.wire")
        with pytest.raises(InvalidInput):
            happened(run_id)
        not_done(run_id)
    workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)


def test_what_was_not_done_has_no_result(workflow_env: WorkflowEnvironment) -> None:
    run_id = doubted(workflow_env, SENT)

    with pytest.raises(InvalidInput):
        not_done(run_id, result="seen")

    assert state(run_id) == ("held", "in_doubt")


def test_an_outcome_is_one_of_two(workflow_env: WorkflowEnvironment) -> None:
    run_id = doubted(workflow_env, SENT)

    for wrong in ("unknown", "", None, "HAPPENED"):
        with pytest.raises(InvalidInput):
            operations.resolve_step(run_id, 1, outcome=wrong, reason="look")  # type: ignore[arg-type]


@pytest.mark.parametrize("seq", [0, 2, 3, 99, -1])
def test_a_step_that_is_not_in_doubt_is_not_found(workflow_env: WorkflowEnvironment, seq: int) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, [SENT, "write:b", "write:c"])
    work(run_id, 2)
    with inside(raising(Disturbed())):
        work(run_id, 1)
    drive(run_id)

    with pytest.raises(NotFound):
        operations.resolve_step(run_id, seq, outcome="not_done", reason="look")

    assert state(run_id) == ("held", "in_doubt")


def test_a_run_that_is_none_is_not_found(db: None) -> None:
    with pytest.raises(NotFound):
        operations.resolve_step(uuid.uuid4(), 1, outcome="not_done", reason="look")


def _waiting(env: WorkflowEnvironment) -> uuid.UUID:
    return ask(env, SentOutWorkflow, [SENT])


def _completed(env: WorkflowEnvironment) -> uuid.UUID:
    run_id = ask(env, SentOutWorkflow, [SENT])
    env.skip(NOW)
    return run_id


def _failed(env: WorkflowEnvironment) -> uuid.UUID:
    run_id = ask(env, SentOutHoldsWorkflow, [SENT])
    with inside(raising(Refused())):
        env.skip(NOW)
    return run_id


def _paused(env: WorkflowEnvironment) -> uuid.UUID:
    """Its step will be in doubt once somebody drives it; as yet nobody knows."""
    run_id = ask(env, SentOutWorkflow, [SENT])
    with inside(raising(Disturbed())):
        work(run_id)
    operations.pause_run(run_id, reason="look")
    return run_id


def _resolved(env: WorkflowEnvironment) -> uuid.UUID:
    run_id = doubted(env, SENT)
    happened(run_id)
    return run_id


def _closed(env: WorkflowEnvironment) -> uuid.UUID:
    run_id = _waiting(env)
    close(run_id)
    return run_id


@pytest.mark.parametrize("stand", [_waiting, _completed, _failed, _paused, _resolved, _closed])
def test_only_a_run_that_is_held_in_doubt_is_resolved(workflow_env: WorkflowEnvironment, stand: Any) -> None:
    run_id = stand(workflow_env)
    before = (state(run_id), kinds(run_id))

    with pytest.raises(NotAllowedInState) as refused:
        not_done(run_id)

    assert refused.value.act == "resolve"
    assert "resolve" not in refused.value.allowed
    assert (state(run_id), kinds(run_id)) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda run_id: operations.resume_run(run_id, reason="go on"),
        lambda run_id: operations.cancel_run(run_id, reason="no longer"),
        lambda run_id: operations.retry_run(run_id, reason="again"),
        lambda run_id: operations.compensate_run(run_id, reason="undo"),
        lambda run_id: operations.pause_run(run_id, reason="look"),
    ],
    ids=["resume", "cancel", "retry", "compensate", "pause"],
)
def test_a_run_in_doubt_takes_no_other_act(workflow_env: WorkflowEnvironment, act: Any) -> None:
    run_id = doubted(workflow_env, SENT)

    with pytest.raises(NotAllowedInState) as refused:
        act(run_id)

    assert "resolve" in refused.value.allowed
    assert state(run_id) == ("held", "in_doubt")


def test_who_may_not_resolve_is_refused(workflow_env: WorkflowEnvironment) -> None:
    run_id = doubted(workflow_env, SENT)
    nobody = User.objects.create_user("bob")
    nobody.user_permissions.add(Permission.objects.get(codename="resume_run"))

    with pytest.raises(PermissionRefused):
        happened(run_id, actor=User.objects.get(pk=nobody.pk))

    assert state(run_id) == ("held", "in_doubt")


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_reason_is_required(workflow_env: WorkflowEnvironment, user: User, reason: str) -> None:
    run_id = doubted(workflow_env, SENT)

    with pytest.raises(ReasonRequired):
        happened(run_id, actor=user, reason=reason)

    assert state(run_id) == ("held", "in_doubt")


def test_a_doubt_is_resolved_once(workflow_env: WorkflowEnvironment) -> None:
    run_id = doubted(workflow_env, SENT)
    happened(run_id)

    with pytest.raises(NotAllowedInState):
        not_done(run_id)

    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["seen"]


def test_an_unresolved_doubt_keeps_edited_input_out(workflow_env: WorkflowEnvironment) -> None:
    """D20, told from the step itself: nobody said that nothing was done."""
    run_id = doubted(workflow_env, SENT, SentOutHoldsWorkflow)
    happened(run_id)
    with pytest.raises((NotAllowedInState, RetryRefused)):
        operations.retry_run(run_id, reason="less", input={"label": "b"})

"""DESIGN promise 9: every act needs a permission and a reason, and is recorded with its true principal."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from tests.workflows.cast import NOW, CastHoldsWorkflow, CastWorkflow
from tests.workflows.views import kinds
from workflows import Workflow, operations, queries
from workflows.core.errors import InvalidInput, PermissionRefused, ReasonRequired
from workflows.models import Run
from workflows.models.run import ACTS
from workflows.operations.authority import MAX_REASON
from workflows.testing import WorkflowEnvironment

Act = Callable[..., Any]

#: Each act on an existing run: its name, the operation, and a script that leads to a state it fits.
ON_RUNS: list[tuple[str, Act, type[Workflow[Any]], list[str]]] = [
    ("retry", operations.retry_run, CastHoldsWorkflow, ["refuse:a"]),
    ("compensate", operations.compensate_run, CastWorkflow, ["make:a"]),
    ("cancel", operations.cancel_run, CastWorkflow, ["disturb:a"]),
    ("pause", operations.pause_run, CastWorkflow, ["disturb:a"]),
    ("rerun", operations.rerun, CastWorkflow, ["write:a"]),
    ("resume", operations.resume_run, CastWorkflow, ["disturb:a", "paused"]),
]
#: Acts that need more than a run and a reason; each has tests of its own.
ON_STEPS = {"signal", "query", "update", "resolve", "reschedule"}
every_act = pytest.mark.parametrize(("name", "act", "workflow", "script"), ON_RUNS, ids=[name for name, *_ in ON_RUNS])


def user(username: str, *acts: str, **more: Any) -> User:
    made = User.objects.create_user(username, **more)
    made.user_permissions.set(Permission.objects.filter(codename__in=[f"{act}_run" for act in acts]))
    return made


def prepared(env: WorkflowEnvironment, workflow: type[Workflow[Any]], script: list[str]) -> uuid.UUID:
    """A run in a state that the act fits."""
    run = env.start(workflow, [line for line in script if line != "paused"])
    env.skip(NOW)
    if "paused" in script:
        operations.pause_run(run.id, reason="look")
    return run.id


def test_there_is_a_permission_for_every_act() -> None:
    assert {name for name, *_ in ON_RUNS} | {"start", *ON_STEPS} == set(ACTS)
    assert {f"{act}_run" for act in ACTS} == {codename for codename, _ in Run._meta.permissions}


# --- Permission ------------------------------------------------------------------------------------------------------


@every_act
def test_an_act_needs_its_own_permission_and_no_other_helps(
    workflow_env: WorkflowEnvironment, name: str, act: Act, workflow: type[Workflow[Any]], script: list[str]
) -> None:
    run_id = prepared(workflow_env, workflow, script)
    others = user("others", "view", *(other for other in ACTS if other != name))
    before, status = kinds(run_id), queries.get_run(run_id)

    with pytest.raises(PermissionRefused) as refusal:
        act(run_id, actor=others, reason="try")

    assert refusal.value.code == "permission_denied"
    assert f"workflows.{name}_run" in str(refusal.value)
    assert kinds(run_id) == before
    assert queries.get_run(run_id) == status


@every_act
def test_with_its_permission_an_act_is_done_and_recorded_with_who_and_why(
    workflow_env: WorkflowEnvironment, name: str, act: Act, workflow: type[Workflow[Any]], script: list[str]
) -> None:
    run_id = prepared(workflow_env, workflow, script)

    changed = act(run_id, actor=user("ada", name), reason="  because of this  ")

    (audit, *_) = queries.list_audit(run_id=changed.id)
    assert (audit.act, audit.actor, audit.reason, audit.at) == (name, "ada", "because of this", workflow_env.now)


@every_act
@pytest.mark.parametrize("actor", [AnonymousUser(), "inactive"], ids=["anonymous", "inactive"])
def test_nobody_in_particular_may_do_nothing(
    workflow_env: WorkflowEnvironment,
    name: str,
    act: Act,
    workflow: type[Workflow[Any]],
    script: list[str],
    actor: Any,
) -> None:
    run_id = prepared(workflow_env, workflow, script)
    if actor == "inactive":
        actor = user("gone", *ACTS, is_active=False)

    with pytest.raises(PermissionRefused):
        act(run_id, actor=actor, reason="try")


def test_starting_needs_the_permission_to_start(workflow_env: WorkflowEnvironment) -> None:
    with pytest.raises(PermissionRefused):
        operations.start_run(CastWorkflow, ["write:a"], actor=user("others", *set(ACTS) - {"start"}))
    assert not Run.objects.exists()

    assert operations.start_run(CastWorkflow, ["write:a"], actor=user("ada", "start")).actor == "ada"


def test_a_superuser_may_and_is_recorded_by_name(workflow_env: WorkflowEnvironment) -> None:
    run_id = prepared(workflow_env, CastWorkflow, ["disturb:a"])

    operations.pause_run(run_id, actor=User.objects.create_superuser("root"), reason="look")

    assert queries.list_audit(run_id=run_id)[0].actor == "root"


@pytest.mark.parametrize(("actor", "principal"), [(None, "system"), ("os:ada", "os:ada")])
def test_code_acts_as_system_and_a_command_as_whoever_called_it(
    workflow_env: WorkflowEnvironment, actor: str | None, principal: str
) -> None:
    run_id = prepared(workflow_env, CastWorkflow, ["disturb:a"])

    operations.cancel_run(run_id, actor=actor, reason="stop")

    assert queries.list_audit(run_id=run_id)[0].actor == principal


def test_a_dry_run_shows_the_plan_only_to_those_who_may_compensate(workflow_env: WorkflowEnvironment) -> None:
    run_id = prepared(workflow_env, CastWorkflow, ["make:a"])

    with pytest.raises(PermissionRefused):
        operations.compensate_run(run_id, dry_run=True, actor=user("viewer", "view"))
    assert len(operations.compensate_run(run_id, dry_run=True, actor=user("ada", "compensate"))) == 1


# --- Reason ----------------------------------------------------------------------------------------------------------


@every_act
@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_an_act_on_an_existing_run_needs_a_reason(
    workflow_env: WorkflowEnvironment,
    name: str,
    act: Act,
    workflow: type[Workflow[Any]],
    script: list[str],
    reason: str,
) -> None:
    run_id = prepared(workflow_env, workflow, script)
    before, audit = kinds(run_id), queries.list_audit()

    with pytest.raises(ReasonRequired) as refusal:
        act(run_id, reason=reason)

    assert refusal.value.code == "reason_required"
    assert kinds(run_id) == before
    assert queries.list_audit() == audit


@pytest.mark.parametrize("reason", ["x" * (MAX_REASON + 1), "a\x00b", "\ud800", 5])
def test_a_reason_that_cannot_be_stored_is_refused(workflow_env: WorkflowEnvironment, reason: Any) -> None:
    run_id = prepared(workflow_env, CastWorkflow, ["disturb:a"])

    with pytest.raises(InvalidInput):
        operations.cancel_run(run_id, reason=reason)

    assert queries.get_run(run_id).status == "waiting"


def test_a_start_needs_no_reason(workflow_env: WorkflowEnvironment) -> None:
    run = operations.start_run(CastWorkflow, ["write:a"])

    assert queries.list_audit(run_id=run.id)[0].reason == ""


# --- Audit -----------------------------------------------------------------------------------------------------------


@every_act
def test_each_act_is_recorded_once(
    workflow_env: WorkflowEnvironment, name: str, act: Act, workflow: type[Workflow[Any]], script: list[str]
) -> None:
    run_id = prepared(workflow_env, workflow, script)
    before = len(queries.list_audit())

    act(run_id, actor="ada", reason="why")

    after = queries.list_audit()
    assert len(after) == before + 1
    assert after[0].act == name


def test_a_rerun_is_recorded_at_the_new_run_and_names_the_old_one(workflow_env: WorkflowEnvironment) -> None:
    run_id = prepared(workflow_env, CastWorkflow, ["write:a"])

    new = operations.rerun(run_id, actor="ada", reason="again")

    (audit,) = queries.list_audit(run_id=new.id)
    assert (audit.act, audit.detail) == ("rerun", {"rerun_of": str(run_id)})

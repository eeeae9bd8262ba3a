"""A new run with an old one's input, and waiting for a result."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastHoldsWorkflow, CastRefused, CastWorkflow
from tests.workflows.test_starting import CheckedWorkflow, check_amount
from tests.workflows.views import entries, sound
from workflows import WorkflowFailed, operations, queries
from workflows.core.errors import NotFound, StartRefused, WaitTimeout
from workflows.models import Run
from workflows.testing import WorkflowEnvironment

MINUTE = timedelta(minutes=1)


def test_rerun_is_a_new_run_with_the_same_input_without_key_that_names_the_old_one(
    workflow_env: WorkflowEnvironment,
) -> None:
    old = workflow_env.start(CastWorkflow, ["write:a"], key="k")
    workflow_env.finish(old.id)

    new = operations.rerun(old.id, actor="ada", reason="once more")

    assert new.id != old.id
    assert (new.created, new.key, new.rerun_of, new.attempt) == (True, None, old.id, 2)
    assert new.input == old.input
    (started,) = entries(new.id, "RunStarted")
    assert started["rerun_of"] == str(old.id)
    assert workflow_env.finish(new.id) == ["wrote a"]
    assert effects.count("a") == 2
    sound(new.id)


@pytest.mark.parametrize("script", [["write:a"], ["make:a", "refuse:b"], ["disturb:a"]])
def test_rerun_fits_every_state_and_leaves_the_old_run_as_it_is(
    workflow_env: WorkflowEnvironment, script: list[str]
) -> None:
    old = workflow_env.start(CastWorkflow, script)
    workflow_env.skip(NOW)
    before = queries.get_run(old.id)

    operations.rerun(old.id, reason="once more")

    assert queries.get_run(old.id) == before


def test_rerun_asks_the_start_checks_again(workflow_env: WorkflowEnvironment) -> None:
    old = workflow_env.start(CheckedWorkflow, Decimal("1"))
    workflow_env.mock(check_amount).raises(CastRefused("not today"))

    with pytest.raises(StartRefused) as refusal:
        operations.rerun(old.id, reason="once more")

    assert refusal.value.code == "cast_refused"
    assert Run.objects.count() == 1


def test_rerun_keeps_a_secret_readable_for_the_code(workflow_env: WorkflowEnvironment) -> None:
    old = workflow_env.start(CheckedWorkflow, Decimal("1"), "noted", "secret")

    new = operations.rerun(old.id, reason="once more")

    assert new.input["secret"] == "•••"
    assert workflow_env.finish(new.id) == "noted"


def test_waiting_gives_the_result_of_a_run_that_completes_in_time(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb:a"])

    assert operations.wait_for_result(run.id, timeout=MINUTE) == ["did a"]


def test_waiting_for_a_run_that_ended_otherwise_raises_its_failure(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a", "refuse:b"])

    with pytest.raises(WorkflowFailed) as failed:
        operations.wait_for_result(run.id, timeout=MINUTE)

    assert (failed.value.run_id, failed.value.status, failed.value.code) == (run.id, "compensated", "cast_refused")
    assert "no to b" in str(failed.value.__cause__)


@pytest.mark.parametrize("timeout", [timedelta(0), timedelta(microseconds=1)])
def test_waiting_in_vain_says_so_and_the_run_goes_on(workflow_env: WorkflowEnvironment, timeout: timedelta) -> None:
    run = workflow_env.start(CastHoldsWorkflow, ["refuse:a"])
    workflow_env.skip(NOW)

    with pytest.raises(WaitTimeout, match="still held"):
        operations.wait_for_result(run.id, timeout=timeout)


def test_waiting_for_an_unknown_run_is_refused(db: None) -> None:
    with pytest.raises(NotFound):
        operations.wait_for_result(uuid.uuid4(), timeout=MINUTE)

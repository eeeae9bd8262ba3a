"""SEMANTICS D18-D19: failed attempts are visible, wait as due rows, and never come early; some are never repeated."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastHoldsWorkflow, CastRefused, CastWorkflow, Disturbed, disturb, write
from tests.workflows.views import entries, kinds, sound
from workflows import (
    Cancelled,
    NonRetryable,
    Retry,
    Sensitive,
    Workflow,
    WorkflowFailed,
    activity,
    activity_info,
    queries,
)
from workflows.contracts import StepView
from workflows.core.definitions import registry
from workflows.testing import WorkflowEnvironment

SSN = "078-05-1120"
MICROSECOND = timedelta(microseconds=1)


class CardBlocked(Exception):
    """Trying again cannot help, but the class is not ours to derive."""


@activity(name="retries.charge", retry=Retry(max_attempts=5, initial=2.0, non_retryable=(CardBlocked,)))
def charge(*, amount: int) -> str:
    return f"charged {amount}"


@activity(name="retries.check_ssn", retry=Retry(max_attempts=1))
def check_ssn(*, ssn: Sensitive[str]) -> None:
    raise ValueError(f"no file for {ssn.reveal()}\x00 \ud800")


@activity(name="retries.twice", retry=Retry(max_attempts=2, initial=1.0, jitter=0.0))
def twice() -> str:
    effects.write(f"attempt {activity_info().attempt}")
    if activity_info().attempt < 2:
        raise Disturbed("once more")
    return "done"


class ChargeWorkflow(Workflow[str]):
    """One charge."""

    async def execute(self, amount: int = 1) -> str:
        return await self.activity(charge, amount=amount)


class CheckWorkflow(Workflow[None]):
    """One check of a secret."""

    async def execute(self, ssn: Sensitive[str]) -> None:
        await self.activity(check_ssn, ssn=ssn)


class VariantWorkflow(Workflow[str]):
    """The same activity, more patient than declared."""

    async def execute(self) -> str:
        patient = twice.options(retry=Retry(max_attempts=9, initial=300.0, maximum=600.0, jitter=0.0))
        return await self.activity(patient)


def first_step(env: WorkflowEnvironment, workflow: type[Workflow[Any]], *args: object, **kwargs: object) -> StepView:
    """Start a run, drive it as far as it goes now, and show its first step."""
    run = env.start(workflow, *args, **kwargs)
    env.skip(NOW)
    return queries.list_steps(run.id)[0]


def test_d18_a_failed_attempt_is_visible_with_its_error_while_it_waits(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb:a"])
    workflow_env.skip(NOW)

    (step,) = queries.list_steps(run.id)
    assert (step.status, step.attempts) == ("scheduled", 1)
    assert step.error is not None
    assert (step.error["type"], step.error["code"], step.error["message"]) == (
        "Disturbed",
        "disturbed",
        "a is disturbed",
    )
    assert [attempt.number for attempt in step.tries] == [1]
    shown = queries.get_run(run.id)
    assert (shown.status, shown.wake_at, shown.error) == ("waiting", step.due_at, None)
    sound(run.id)


def test_d18_the_wait_is_the_policys_never_earlier_and_at_most_one_jitter_later(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb:a"])
    for base in (10.0, 20.0):
        workflow_env.skip(NOW)
        due = queries.list_steps(run.id)[0].due_at
        assert due is not None
        wait = (due - workflow_env.now).total_seconds()
        assert base <= wait <= base * 1.05

        before = effects.count("tried a")
        workflow_env.skip(due - workflow_env.now - MICROSECOND)
        assert effects.count("tried a") == before
        workflow_env.skip(MICROSECOND)
        assert effects.count("tried a") == before + 1

    assert queries.get_run(run.id).status == "completed"
    sound(run.id)


def test_d18_after_an_outage_an_overdue_retry_comes_promptly_and_once(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb:a"])
    workflow_env.skip(NOW)

    workflow_env.now += timedelta(days=1)
    workflow_env.restart()
    workflow_env.skip(NOW)

    assert effects.count("tried a") == 2
    assert queries.get_run(run.id).status == "waiting"


def test_d18_a_retry_survives_a_restart(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["write:x", "disturb:a", "write:y"])
    workflow_env.skip(NOW)

    workflow_env.restart()
    workflow_env.finish(run.id)

    assert effects.count("x") == effects.count("y") == 1
    assert queries.get_run(run.id).status == "completed"


def test_history_tells_each_attempt_and_the_failure_once(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb_always:a"])

    with pytest.raises(WorkflowFailed):
        workflow_env.finish(run.id)

    assert kinds(run.id)[2:-1] == ["StepScheduled", *["StepStarted", "AttemptFailed"] * 3, "StepFailed"]
    assert [data["attempt"] for data in entries(run.id, "StepStarted")] == [1, 2, 3]
    assert entries(run.id, "StepFailed")[0]["attempts"] == 3
    (step,) = queries.list_steps(run.id)
    assert (step.status, step.attempts, len(step.tries)) == ("failed", 3, 3)
    sound(run.id)


def test_the_code_meets_the_last_error_with_the_number_of_attempts(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb_always:a"])

    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.finish(run.id)

    assert failed.value.code == "disturbed"
    assert "cast.disturb_always failed after 3 attempt(s): a is disturbed" in str(failed.value)


# --- What is never tried again ---------------------------------------------------------------------------------------


class OwnRefusal(NonRetryable):
    code = "own_refusal"


@pytest.mark.parametrize(
    "error",
    [
        CastRefused("no"),
        OwnRefusal("no"),
        CardBlocked("no"),
        TypeError("wrong call"),
        NameError("unknown name"),
        AttributeError("unknown attribute"),
        NotImplementedError("not yet"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_d18_refusals_and_programming_errors_are_never_tried_again(
    workflow_env: WorkflowEnvironment, error: Exception
) -> None:
    workflow_env.mock(charge).raises(error)

    step = first_step(workflow_env, ChargeWorkflow)

    assert (step.status, step.attempts) == ("failed", 1)
    assert step.error is not None
    assert step.error["type"] == type(error).__name__


@pytest.mark.parametrize("error", [ValueError("bad"), OSError("away"), KeyError("x"), Disturbed("so"), RuntimeError()])
def test_d18_any_other_error_is_tried_again(workflow_env: WorkflowEnvironment, error: Exception) -> None:
    workflow_env.mock(charge).raises(error).returns("at last")

    run = workflow_env.start(ChargeWorkflow)

    assert workflow_env.finish(run.id) == "at last"
    assert queries.list_steps(run.id)[0].attempts == 2


@pytest.mark.parametrize("error", [SystemExit(3), Cancelled()], ids=lambda error: type(error).__name__)
def test_what_is_no_exception_fails_the_attempt_all_the_same(
    workflow_env: WorkflowEnvironment, error: BaseException
) -> None:
    """A library that calls sys.exit() must neither end the worker nor leave the run leased."""
    workflow_env.mock(charge).raises(error)
    run = workflow_env.start(ChargeWorkflow)

    workflow_env.skip(timedelta(minutes=10))

    assert queries.get_run(run.id).status == "failed"
    step_error = queries.list_steps(run.id)[0].error
    assert step_error is not None
    assert step_error["type"] == type(error).__name__
    sound(run.id)


@pytest.mark.parametrize("result", [object(), 5, Decimal("NaN"), ["a list"]])
def test_d18_a_result_that_does_not_fit_is_never_tried_again(workflow_env: WorkflowEnvironment, result: object) -> None:
    """The effect stands, so trying again would double it."""
    workflow_env.mock(charge).returns(result)

    step = first_step(workflow_env, ChargeWorkflow)

    assert (step.status, step.attempts) == ("failed", 1)
    assert step.error is not None
    assert step.error["code"] == "invalid_input"


def test_a_variants_policy_is_the_one_that_counts_also_after_a_restart(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(VariantWorkflow)
    workflow_env.skip(NOW)
    workflow_env.restart()
    due = queries.list_steps(run.id)[0].due_at
    assert due == workflow_env.now + timedelta(seconds=300)

    assert workflow_env.finish(run.id) == "done"
    assert effects.labels() == ["attempt 1", "attempt 2"]


def test_error_texts_are_scrubbed_of_the_secrets_of_the_call_and_storable(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CheckWorkflow, ssn=SSN)
    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.finish(run.id)

    (step,) = queries.list_steps(run.id)
    assert step.error is not None
    assert step.error["message"].startswith("no file for •••")
    assert "\x00" not in step.error["message"]
    everything = [queries.get_run(run.id), queries.get_history(run.id), step, failed.value, failed.value.__cause__]
    assert SSN not in str(everything)


def test_an_activity_that_is_gone_fails_its_step(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An undo is found by name alone; when nobody knows the name, the plan holds instead of skipping it."""
    run = workflow_env.start(CastWorkflow, ["make:a", "refuse:b"])
    activities = dict(registry.activities)
    del activities["cast.undo_write"]
    monkeypatch.setattr(registry, "activities", activities)

    workflow_env.skip(NOW)

    held = queries.get_run(run.id)
    assert (held.status, held.hold_reason) == ("held", "compensation_failed")
    assert queries.list_steps(run.id)[-1].error["code"] == "unknown_activity"  # type: ignore[index]
    sound(run.id)


def test_steps_before_the_failed_one_are_not_run_again(workflow_env: WorkflowEnvironment) -> None:
    run = workflow_env.start(CastHoldsWorkflow, ["write:a", "disturb:b", "write:c"])

    workflow_env.finish(run.id)

    assert len(workflow_env.calls(write)) == 2
    assert len(workflow_env.calls(disturb)) == 3

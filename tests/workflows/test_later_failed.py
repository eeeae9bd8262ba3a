"""Attempts that somebody fails by a token, and what becomes of those that nobody ends in time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, codes, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    SILENCE,
    TIMEOUT,
    TOKENS,
    Disturbed,
    Refused,
    SentOutWorkflow,
    inside,
    raising,
    sign,
)
from tests.workflows.views import entries, kinds, sound
from workflows import Workflow, activity_info, conf, operations, queries
from workflows.core.errors import InvalidInput, TokenUnknown
from workflows.testing import WorkflowEnvironment

INSTANT = timedelta(microseconds=1)
SENT, HERE = "sign:a", "sign_here:a"
both = pytest.mark.parametrize("line", [SENT, HERE])


@pytest.fixture(autouse=True)
def _no_tokens_yet() -> Iterator[None]:
    TOKENS.clear()
    yield
    TOKENS.clear()


def signed(env: WorkflowEnvironment, line: str) -> uuid.UUID:
    """A run whose step waits for its token, its function has returned."""
    run_id = ask(env, SentOutWorkflow, [line])
    if line.split(":")[0] != "sign_here":
        work(run_id)
    return run_id


def go(run_id: uuid.UUID, line: str) -> None:
    """Let the function of the step run."""
    if line == SENT:
        work(run_id)
    else:
        drive(run_id)


# --- Failed ----------------------------------------------------------------------------------------------------------


@both
def test_an_attempt_that_somebody_failed_is_tried_again_as_its_policy_says(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = signed(workflow_env, line)

    operations.fail_step(TOKENS[0], error="the signer was away")
    workflow_env.skip(NOW)
    (step,) = queries.list_steps(run_id)
    assert (step.status, step.due_at) == ("scheduled", workflow_env.now + BACK_OFF)
    workflow_env.skip(BACK_OFF)

    assert len(TOKENS) == 2
    operations.complete_step(TOKENS[1], result="signed")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["signed"]
    assert codes(run_id) == ["step_failed", None]
    assert [data["error"]["message"] for data in entries(run_id, "AttemptFailed")] == ["the signer was away"]  # type: ignore[index]
    sound(run_id)


@both
@pytest.mark.parametrize(
    ("error", "retryable"),
    [(Refused("never"), None), ("never", False), (Disturbed("never"), False), (TypeError("never"), None)],
)
def test_a_final_failure_is_not_tried_again(
    workflow_env: WorkflowEnvironment, line: str, error: str | Exception, retryable: bool | None
) -> None:
    run_id = signed(workflow_env, line)

    operations.fail_step(TOKENS[0], error=error, retryable=retryable)
    workflow_env.skip(timedelta(minutes=1))

    assert state(run_id) == ("failed", None)
    assert len(TOKENS) == 1
    assert queries.get_run(run_id).error["message"].endswith("never")  # type: ignore[index]
    sound(run_id)


@both
def test_a_failure_counts_like_one_that_the_function_raised(workflow_env: WorkflowEnvironment, line: str) -> None:
    """Two tries are allowed: the function fails once, the token once."""
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    if line == SENT:
        drive(run_id)
    with inside(raising(Disturbed())):
        go(run_id, line)
    workflow_env.skip(BACK_OFF)

    operations.fail_step(TOKENS[1], error="away")
    workflow_env.skip(timedelta(minutes=5))

    assert state(run_id) == ("failed", None)
    assert codes(run_id) == ["disturbed", "step_failed"]


def test_an_error_that_the_activity_declares_final_is_final(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, FinalLaterWorkflow)
    work(run_id)

    operations.fail_step(TOKENS[0], error=Disturbed("for good"))
    workflow_env.skip(timedelta(minutes=1))

    assert state(run_id) == ("failed", None)
    assert len(TOKENS) == 1


class FinalLaterWorkflow(Workflow[str]):
    """A signature that does not pass when it is disturbed."""

    async def execute(self) -> str:
        retry = type(sign.options_.retry)(max_attempts=5, non_retryable=(Disturbed,))
        return await self.activity(sign.options(retry=retry), label="a")


# --- Time ------------------------------------------------------------------------------------------------------------


def test_the_time_out_runs_from_the_attempts_start_not_from_the_functions_end(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [SENT])

    def take_a_minute() -> None:
        workflow_env.now += timedelta(minutes=1)

    with inside(take_a_minute):
        work(run_id)
    workflow_env.now += TIMEOUT - timedelta(minutes=1)
    assert sweep() == 0
    workflow_env.now += INSTANT
    assert sweep() == 1

    assert codes(run_id) == ["timed_out"]


def test_in_place_the_time_out_of_the_settings_runs_from_the_attempts_start(workflow_env: WorkflowEnvironment) -> None:
    run_id = signed(workflow_env, HERE)
    began = row(run_id).started_at
    assert began is not None
    workflow_env.now = began + conf.engine().activity_timeout + INSTANT

    assert sweep() == 1

    assert codes(run_id) == ["timed_out"]
    workflow_env.skip(BACK_OFF)
    operations.complete_step(TOKENS[1], result="signed")
    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_a_late_token_is_unknown_though_no_sweep_has_run(workflow_env: WorkflowEnvironment) -> None:
    run_id = signed(workflow_env, SENT)
    workflow_env.now += TIMEOUT
    operations.heartbeat_step(TOKENS[0])

    workflow_env.now += INSTANT

    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="too late")
    workflow_env.skip(BACK_OFF)
    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="much too late")
    operations.complete_step(TOKENS[1], result="in time")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["in time"]


@both
def test_an_outcome_that_came_in_time_counts_however_late_the_driver_is(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    """Its hint was lost, and the sweep finds the attempt overdue before anybody drives the run."""
    run_id = signed(workflow_env, line)
    workflow_env.now += TIMEOUT
    operations.complete_step(TOKENS[0], result="in time")

    workflow_env.now += timedelta(hours=1)
    sweep()
    drive(run_id)

    assert queries.get_run(run_id).result == ["in time"]
    assert codes(run_id) == [None]
    sound(run_id)


@both
def test_an_outcome_that_came_in_a_pause_is_delivered_when_the_run_goes_on(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = signed(workflow_env, line)
    operations.pause_run(run_id, reason="look")
    operations.complete_step(TOKENS[0], result="in the pause")
    workflow_env.skip(timedelta(hours=1))
    assert state(run_id) == ("held", "paused")
    assert "StepCompleted" not in kinds(run_id)

    operations.resume_run(run_id, reason="go on")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["in the pause"]
    sound(run_id)


def test_a_heartbeat_by_token_keeps_the_attempt_alive_and_its_details(workflow_env: WorkflowEnvironment) -> None:
    run_id = signed(workflow_env, "sign_alive:a")
    for page in range(5):
        workflow_env.now += SILENCE
        operations.heartbeat_step(TOKENS[0], details={"page": page})
        assert sweep() == 0

    workflow_env.now += SILENCE + INSTANT
    with pytest.raises(TokenUnknown):
        operations.heartbeat_step(TOKENS[0])
    assert sweep() == 1
    found: list[object] = []
    workflow_env.now += BACK_OFF
    with inside(lambda: found.append(activity_info().last_details)):
        work(run_id)

    assert found == [{"page": 4}]
    assert codes(run_id) == ["heartbeat_lost", None]


def test_details_of_a_heartbeat_that_cannot_be_stored_are_refused(workflow_env: WorkflowEnvironment) -> None:
    run_id = signed(workflow_env, "sign_alive:a")

    with pytest.raises(InvalidInput):
        operations.heartbeat_step(TOKENS[0], details=object())

    assert row(run_id).beat is None

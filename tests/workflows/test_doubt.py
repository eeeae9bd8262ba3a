"""SEMANTICS D19: an unknown outcome of what must not be repeated is a doubt: the run is held, nothing runs again."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import break_off, expire, take_over
from tests.workflows.sent_out_acts import ask, begin, close, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    SILENCE,
    TIMEOUT,
    TOKENS,
    Blocked,
    Disturbed,
    Refused,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds, sound
from workflows import Retry, conf, operations, queries
from workflows.core import payloads
from workflows.core.definitions import DefinitionError, activity, registry
from workflows.core.retry import PROGRAMMING_ERRORS
from workflows.runtime import execution, process
from workflows.testing import WorkflowEnvironment

INSTANT = timedelta(microseconds=1)
SENT, HERE = "wire:a", "wire_here:a"
both = pytest.mark.parametrize("line", [SENT, HERE])


def start(env: WorkflowEnvironment, line: str) -> uuid.UUID:
    """A run whose first step is about to be called."""
    run_id = env.start(SentOutWorkflow, [line]).id
    if line != HERE:
        drive(run_id)
    return run_id


def go(run_id: uuid.UUID, line: str) -> None:
    """Let the step be called."""
    if line == HERE:
        drive(run_id)
    else:
        work(run_id)


def in_doubt(env: WorkflowEnvironment, run_id: uuid.UUID, *, effects_left: int = 1) -> None:
    """Fail unless the run is held in doubt and stays so, and nothing more was called."""
    env.skip(timedelta(days=1))
    assert state(run_id) == ("held", "in_doubt")
    assert effects.labels() == ["a"] * effects_left
    assert row(run_id).status in ("failed", "timed_out")
    sound(run_id)


# --- Known outcomes --------------------------------------------------------------------------------------------------


@both
def test_a_success_is_no_doubt(workflow_env: WorkflowEnvironment, line: str) -> None:
    assert workflow_env.run(SentOutWorkflow, [line]) == ["did a"]


@both
@pytest.mark.parametrize("error", [Refused("no"), Blocked("declared")])
def test_a_refusal_and_a_declared_error_are_known_failures(
    workflow_env: WorkflowEnvironment, line: str, error: Exception
) -> None:
    """Nothing was done, so there is nothing to undo either."""
    run_id = start(workflow_env, line)

    with inside(raising(error)):
        go(run_id, line)
    workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)
    assert codes(run_id) == [error.code]  # type: ignore[attr-defined]
    assert effects.labels() == ["a"]
    sound(run_id)


@both
def test_arguments_that_do_not_fit_are_a_known_failure(workflow_env: WorkflowEnvironment, line: str) -> None:
    """The call never began."""
    run_id = start(workflow_env, line)
    signature = registry.activities[f"sent.{line.split(':')[0]}"].signature

    with pytest.MonkeyPatch.context() as patch:

        def misfit(stored: object) -> dict[str, object]:
            raise payloads.PayloadError("an older build's argument")

        patch.setattr(signature, "decode", misfit)
        go(run_id, line)
    workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == []


# --- Unknown outcomes ------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "error",
    [
        Disturbed("the line broke"),
        TimeoutError("no answer"),
        SystemExit(1),
        OperationalError("database is locked"),
        *(error("a bug") for error in PROGRAMMING_ERRORS),
    ],
    ids=repr,
)
def test_any_other_error_is_a_doubt(workflow_env: WorkflowEnvironment, line: str, error: BaseException) -> None:
    """Whatever it says, the call had begun: a passing error of the database too, which others meet again."""
    run_id = start(workflow_env, line)

    with inside(raising(error)):
        go(run_id, line)

    in_doubt(workflow_env, run_id)
    assert [data["reason"] for data in entries(run_id, "RunHeld")] == ["in_doubt"]
    assert len(entries(run_id, "AttemptFailed")) == len(entries(run_id, "StepStarted")) == 1
    assert "StepFailed" not in kinds(run_id)


@both
def test_a_result_that_cannot_be_stored_is_a_doubt(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = start(workflow_env, line)

    with inside(lambda: {"not": "a text"}):
        go(run_id, line)

    in_doubt(workflow_env, run_id)


@pytest.mark.parametrize("where", ["member.begun", "attempt.before", "attempt.inside", "commit.before"])
def test_a_worker_that_dies_of_it_is_a_doubt(workflow_env: WorkflowEnvironment, where: str) -> None:
    """Even if the call had not begun yet: nobody can tell."""
    run_id = start(workflow_env, SENT)

    die(workflow_env, run_id, where=where)

    in_doubt(workflow_env, run_id, effects_left=effects.count("a"))
    assert codes(run_id) == ["worker_lost"]


@pytest.mark.parametrize("where", ["attempt.before", "attempt.inside", "commit.before"])
def test_a_worker_that_dies_of_it_in_place_is_a_doubt(workflow_env: WorkflowEnvironment, where: str) -> None:
    run_id = start(workflow_env, HERE)

    expire(break_off(run_id, f"{where}@sent.wire_here"))
    workflow_env.restart()
    take_over(workflow_env)

    in_doubt(workflow_env, run_id, effects_left=effects.count("a"))
    assert codes(run_id) == ["worker_lost"]


@pytest.mark.parametrize(("silence", "code"), [(TIMEOUT, "timed_out"), (SILENCE, "heartbeat_lost")])
def test_a_time_out_and_a_lost_heartbeat_are_a_doubt(
    workflow_env: WorkflowEnvironment, silence: timedelta, code: str
) -> None:
    run_id = start(workflow_env, "wire_in_time:a")
    begin(run_id)

    workflow_env.now += silence + INSTANT
    sweep()

    in_doubt(workflow_env, run_id, effects_left=0)
    assert codes(run_id) == [code]


def test_an_error_in_doubt_is_told_with_the_same_four_parts_as_any_other(workflow_env: WorkflowEnvironment) -> None:
    """The engine's own marks stay inside; the step says by itself that it is in doubt."""
    run_id = start(workflow_env, SENT)
    die(workflow_env, run_id, where="attempt.inside")
    in_doubt(workflow_env, run_id, effects_left=effects.count("a"))

    (step,) = queries.list_steps(run_id)
    told = [queries.get_run(run_id).error, step.error, *(attempt.error for attempt in step.tries)]

    assert step.in_doubt
    assert [set(error) for error in told if error is not None] == [{"type", "code", "message", "cause"}] * len(
        [error for error in told if error is not None]
    )
    assert step.error is not None


def test_a_time_out_in_place_is_a_doubt(workflow_env: WorkflowEnvironment) -> None:
    run_id = start(workflow_env, HERE)

    def too_long() -> None:
        workflow_env.now += conf.engine().activity_timeout + INSTANT
        before = process.use(process.inline())
        assert take_over(workflow_env) == [run_id]
        process.use(before)

    with inside(too_long):
        drive(run_id)

    in_doubt(workflow_env, run_id)
    assert codes(run_id) == ["timed_out"]


def test_a_step_that_no_worker_began_is_no_doubt(workflow_env: WorkflowEnvironment) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [SENT]).id
    with pytest.MonkeyPatch.context() as patch:
        wire = registry.activities["sent.wire"]
        patch.setattr(wire, "options_", wire.options(schedule_to_start=timedelta(seconds=5)).options_)
        drive(run_id)
        workflow_env.now += timedelta(seconds=5) + INSTANT
        sweep()
        drive(run_id)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == []


@both
def test_a_retry_policy_does_not_make_it_repeatable(workflow_env: WorkflowEnvironment, line: str) -> None:
    activity_ = registry.activities[f"sent.{line.split(':')[0]}"]
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activity_, "options_", activity_.options(retry=Retry(max_attempts=9, initial=0.0)).options_)
        if line != HERE:
            drive(run_id)
        with inside(raising(Disturbed())):
            go(run_id, line)

        in_doubt(workflow_env, run_id)


# --- Drivers that let go ---------------------------------------------------------------------------------------------


def test_a_driver_that_lets_go_before_the_call_leaves_the_step_unstarted(workflow_env: WorkflowEnvironment) -> None:
    """A process that is told to shut down begins nothing more: what follows is no doubt."""
    run_id = workflow_env.start(SentOutWorkflow, ["wire_here:first", HERE]).id

    with inside(process.leave, lambda: None):
        try:
            drive(run_id)
            assert [(step.status, step.attempts) for step in queries.list_steps(run_id)] == [
                ("completed", 1),
                ("scheduled", 0),
            ]
        finally:
            process._state.leaving = False
        drive(run_id)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a", "first"]
    sound(run_id)


def test_locks_met_while_a_token_is_kept_do_not_call_it_again(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place: the function has returned, and the row that says so meets locks."""
    monkeypatch.setattr("workflows.runtime.execution.time.sleep", lambda seconds: None)
    leave_open, refusals = execution._leave_open, [OperationalError("database is locked")] * 2

    def locked(*args: object) -> object:
        if refusals:
            raise refusals.pop()
        return leave_open(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(execution, "_leave_open", locked)
    TOKENS.clear()
    run_id = workflow_env.start(SentOutWorkflow, ["sign_here:a"]).id
    with pytest.MonkeyPatch.context() as patch:
        here = registry.activities["sent.sign_here"]
        patch.setattr(here, "options_", type(here.options_)(repeatable=False))
        drive(run_id)
        workflow_env.skip(NOW)

    assert effects.labels() == ["a"]


# --- Side by side ----------------------------------------------------------------------------------------------------


def test_in_a_gather_a_doubt_waits_for_nobody_and_the_others_that_are_out_settle(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["wire:a", "write:b", "write:c"])
    with inside(raising(Disturbed())):
        work(run_id, 1)
    drive(run_id)
    assert state(run_id) == ("held", "in_doubt")

    work(run_id, 2)

    assert effects.labels() == ["a"]  # held: no attempt begins
    operations.resolve_step(run_id, 1, outcome="happened", result="wired", reason="seen")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["wired", "did b", "did c"]
    sound(run_id)


def test_a_doubt_of_a_run_that_was_closed_meanwhile_holds_nobody(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [SENT])
    begin(run_id)
    expire(process.current().id)
    workflow_env.restart()
    close(run_id)

    assert sweep() == 0
    drive(run_id)

    assert state(run_id) == ("terminated", None)


# --- Declared --------------------------------------------------------------------------------------------------------


def test_reconcile_goes_with_what_is_not_repeatable() -> None:
    ask_ = registry.activities["sent.ask"]

    with pytest.raises(DefinitionError, match="repeatable"):

        @activity(name="doubt.repeatable", reconcile=ask_)
        def repeatable(*, label: str) -> None: ...


def test_reconcile_asks_for_the_key_and_arguments_that_there_are() -> None:
    ask_ = registry.activities["sent.ask"]

    with pytest.raises(DefinitionError, match="label"):

        @activity(name="doubt.misfit", repeatable=False, reconcile=ask_)
        def misfit(*, amount: int) -> None: ...

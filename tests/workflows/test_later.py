"""Steps that somebody outside ends by a token, sent out and in place: the first to end one ends it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import break_off, expire, take_over
from tests.workflows.sent_out_acts import ask, close, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    TOKENS,
    Disturbed,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
    sign,
    sign_here,
)
from tests.workflows.views import kinds, sound
from workflows import Workflow, activity, activity_info, operations, queries
from workflows.core.definitions import registry
from workflows.core.errors import InvalidInput, TokenUnknown
from workflows.models import Run
from workflows.runtime import process
from workflows.runtime.locking import locked_run
from workflows.testing import WorkflowEnvironment

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


# --- Completed -------------------------------------------------------------------------------------------------------


@both
def test_a_step_waits_for_its_token_after_its_function_returned(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = signed(workflow_env, line)
    workflow_env.skip(timedelta(minutes=1))

    assert state(run_id) == ("waiting", None)
    assert row(run_id).status == "running"
    assert not Run.objects.filter(pk=run_id, driver__isnull=False).exists()
    sound(run_id)


@both
def test_the_result_of_the_token_reaches_the_code_not_that_of_the_function(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = signed(workflow_env, line)

    operations.complete_step(TOKENS[0], result="signed by Ada")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["signed by Ada"]
    assert effects.labels() == ["a"]
    assert codes(run_id) == [None]
    assert kinds(run_id).count("StepStarted") == kinds(run_id).count("StepCompleted") == 1
    sound(run_id)


@both
def test_what_the_function_returns_beside_its_token_is_not_even_looked_at(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line]).id

    def of_another_type(*, label: str) -> object:
        TOKENS.append(activity_info().complete_later())
        return object()

    activity_ = registry.activities[f"sent.{line.partition(':')[0]}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activity_, "_function", of_another_type)
        workflow_env.skip(NOW)

    assert row(run_id).status == "running"
    operations.complete_step(TOKENS[0], result="signed")
    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)


@both
def test_a_token_may_be_used_before_the_function_returns(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    if line == SENT:
        drive(run_id)

    with inside(lambda: operations.complete_step(TOKENS[0], result="at once")):
        go(run_id, line)
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["at once"]
    assert codes(run_id) == [None]
    sound(run_id)


@both
def test_a_function_that_raises_after_its_token_was_used_changes_nothing(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    """It reached the other side, which answered by the token, and then lost its connection."""
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    if line == SENT:
        drive(run_id)

    def lose_the_connection() -> None:
        operations.complete_step(TOKENS[0], result="at once")
        raise Disturbed

    with inside(lose_the_connection):
        go(run_id, line)
    workflow_env.skip(timedelta(minutes=1))

    assert queries.get_run(run_id).result == ["at once"]
    assert effects.labels() == ["a"]
    assert codes(run_id) == [None]
    sound(run_id)


@both
def test_a_function_that_raises_before_its_token_was_used_takes_it_back(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    if line == SENT:
        drive(run_id)

    with inside(raising(Disturbed())):
        go(run_id, line)

    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="too late")
    assert codes(run_id) == ["disturbed"]
    workflow_env.skip(BACK_OFF)
    operations.complete_step(TOKENS[1], result="the second time")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["the second time"]
    sound(run_id)


@both
def test_a_worker_that_dies_after_its_token_was_used_changes_nothing(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    if line == SENT:
        drive(run_id)

    with inside(lambda: operations.complete_step(TOKENS[0], result="at once")):
        if line == SENT:
            die(workflow_env, run_id, where="attempt.inside")
            sweep()
        else:
            expire(break_off(run_id, "attempt.inside"))
            workflow_env.restart()
            take_over(workflow_env)
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["at once"]
    assert effects.labels() == ["a"]
    assert codes(run_id) == [None]
    sound(run_id)


@both
def test_a_worker_that_dies_before_its_function_returns_leaves_a_token_that_is_late(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    if line == SENT:
        drive(run_id)
        die(workflow_env, run_id, where="attempt.inside")
        sweep()
    else:
        expire(break_off(run_id, "attempt.inside"))
        workflow_env.restart()
        take_over(workflow_env)
    workflow_env.skip(NOW)

    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="too late")
    operations.complete_step(TOKENS[1], result="in time")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["in time"]
    assert codes(run_id) == ["worker_lost", None]
    sound(run_id)


@both
def test_the_worker_may_die_once_the_function_has_returned(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = signed(workflow_env, line)
    expire(process.current().id)
    workflow_env.restart()

    assert sweep() == 0
    assert take_over(workflow_env) == []
    operations.complete_step(TOKENS[0], result="signed")
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert codes(run_id) == [None]


# --- Used, late, unknown ---------------------------------------------------------------------------------------------


@both
def test_a_token_is_used_once(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = signed(workflow_env, line)
    operations.complete_step(TOKENS[0], result="first")

    for again in (
        lambda: operations.complete_step(TOKENS[0], result="second"),
        lambda: operations.fail_step(TOKENS[0], error="second"),
        lambda: operations.heartbeat_step(TOKENS[0]),
    ):
        with pytest.raises(TokenUnknown) as refused:
            again()
        assert refused.value.code == "token_unknown"

    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["first"]
    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="third")


@pytest.mark.parametrize("token", ["", "no such token", "x" * 5000, None, 7, b"bytes"])
def test_what_is_no_token_is_unknown(workflow_env: WorkflowEnvironment, token: object) -> None:
    with pytest.raises(TokenUnknown):
        operations.complete_step(token, result="x")  # type: ignore[arg-type]


@both
def test_of_two_tokens_of_one_attempt_the_first_used_ends_it(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    if line == SENT:
        drive(run_id)
    with inside(lambda: TOKENS.append(activity_info().complete_later())):
        go(run_id, line)

    operations.complete_step(TOKENS[1], result="second token")
    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="first token")

    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["second token"]


@both
@pytest.mark.parametrize("steps_too", [True, False])
def test_a_token_of_a_run_that_closed_is_unknown(workflow_env: WorkflowEnvironment, line: str, steps_too: bool) -> None:
    """Whether or not what was out was given up with it."""
    run_id = signed(workflow_env, line)
    close(run_id, steps_too=steps_too)

    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="too late")
    assert row(run_id).result is None


# --- A result of the wrong type --------------------------------------------------------------------------------------


@both
def test_a_result_of_the_wrong_type_is_refused_and_the_token_stays_open(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    run_id = signed(workflow_env, line)

    for wrong in (7, None, ["signed"], object(), "\x00"):
        with pytest.raises(InvalidInput):
            operations.complete_step(TOKENS[0], result=wrong)
    assert row(run_id).status == "running"

    operations.complete_step(TOKENS[0], result="signed")
    workflow_env.skip(NOW)
    assert state(run_id) == ("completed", None)


def test_an_outcome_that_was_left_for_another_attempt_is_passed_over(workflow_env: WorkflowEnvironment) -> None:
    run_id = signed(workflow_env, HERE)
    before = {"seq": 1, "ticket": row(run_id).ticket - 1}
    with locked_run(run_id) as run:
        run.leave_fact("outcome", before | {"result": "old", "error": None, "retryable": True, "doubt": False})

    workflow_env.skip(NOW)

    assert row(run_id).status == "running"
    operations.complete_step(TOKENS[0], result="signed")
    workflow_env.skip(NOW)
    assert queries.get_run(run_id).result == ["signed"]


# --- Beside others ---------------------------------------------------------------------------------------------------


def test_a_cancel_waits_for_the_token_and_undoes_what_it_brought(workflow_env: WorkflowEnvironment) -> None:
    run_id = signed(workflow_env, SENT)
    operations.cancel_run(run_id, reason="no longer")
    workflow_env.skip(NOW)
    assert state(run_id)[0] == "waiting"

    operations.complete_step(TOKENS[0], result="signed")
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert effects.count("undo a") == 1
    sound(run_id)


def test_tokens_of_a_gather_end_each_its_own_step(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["sign:a", "sign_here:b", "write:c"])
    work(run_id, 1, 2, 3)

    operations.complete_step(TOKENS[1], result="second")
    operations.complete_step(TOKENS[0], result="first")
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["first", "second", "did c"]
    sound(run_id)


@activity(name="later.book", transactional=True)
def book_later() -> str:
    TOKENS.append(activity_info().complete_later())
    return "booked"


class BookLaterWorkflow(Workflow[str]):
    """Asks for what cannot be."""

    async def execute(self) -> str:
        return await self.activity(book_later)


def test_a_transactional_activity_cannot_be_completed_later(workflow_env: WorkflowEnvironment) -> None:
    """It ends with its transaction."""
    run_id = workflow_env.start(BookLaterWorkflow).id

    workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)
    assert TOKENS == []


def test_outside_the_engine_a_token_is_nobodys(workflow_env: WorkflowEnvironment) -> None:
    assert sign(label="a") == "did a"
    assert sign_here(label="b") == "did b"

    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="x")

"""What comes of an attempt in doubt from outside: failures by its token, and outcomes that come too late."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    TIMEOUT,
    TOKENS,
    Disturbed,
    Refused,
    SentOutWorkflow,
    inside,
)
from tests.workflows.views import sound
from workflows import operations, queries
from workflows.core import payloads
from workflows.core.errors import TokenUnknown
from workflows.testing import WorkflowEnvironment

INSTANT = timedelta(microseconds=1)
SENT, HERE = "wire:a", "wire_here:a"


def start(env: WorkflowEnvironment, line: str) -> uuid.UUID:
    """A run whose first step is about to be called."""
    run_id = env.start(SentOutWorkflow, [line]).id
    if line != HERE:
        drive(run_id)
    return run_id


def in_doubt(env: WorkflowEnvironment, run_id: uuid.UUID, *, effects_left: int = 1) -> None:
    """Fail unless the run is held in doubt and stays so, and nothing more was called."""
    env.skip(timedelta(days=1))
    assert state(run_id) == ("held", "in_doubt")
    assert effects.labels() == ["a"] * effects_left
    assert row(run_id).status in ("failed", "timed_out")
    sound(run_id)


# --- Ended by somebody else ------------------------------------------------------------------------------------------


@pytest.fixture
def _no_tokens_yet() -> None:
    TOKENS.clear()


@pytest.mark.usefixtures("_no_tokens_yet")
def test_a_token_that_fails_it_leaves_it_in_doubt(workflow_env: WorkflowEnvironment) -> None:
    """Else it would be tried again as the policy says."""
    run_id = start(workflow_env, "sign_once:a")
    work(run_id)

    operations.fail_step(TOKENS[0], error="no idea")

    in_doubt(workflow_env, run_id)
    assert len(TOKENS) == 1


@pytest.mark.usefixtures("_no_tokens_yet")
@pytest.mark.parametrize(("error", "retryable"), [("declined", False), (Refused("declined"), None)])
def test_a_token_that_fails_it_for_good_says_that_nothing_was_done(
    workflow_env: WorkflowEnvironment, error: str | Exception, retryable: bool | None
) -> None:
    run_id = start(workflow_env, "sign_once:a")
    work(run_id)

    operations.fail_step(TOKENS[0], error=error, retryable=retryable)
    workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == ["a"]


@pytest.mark.usefixtures("_no_tokens_yet")
def test_a_token_that_says_it_may_be_tried_again_is_not_believed(workflow_env: WorkflowEnvironment) -> None:
    run_id = start(workflow_env, "sign_once:a")
    work(run_id)

    operations.fail_step(TOKENS[0], error=Refused("try again"), retryable=True)
    workflow_env.skip(timedelta(hours=1))

    assert len(TOKENS) == 1
    assert effects.labels() == ["a"]


# --- Late outcomes ---------------------------------------------------------------------------------------------------


def evidence(run_id: uuid.UUID) -> object:
    text = row(run_id).evidence
    return payloads.loads(text) if text is not None else None


@pytest.mark.parametrize("late", ["result", "error"])
def test_a_late_outcome_is_kept_as_evidence_and_changes_nothing(workflow_env: WorkflowEnvironment, late: str) -> None:
    run_id = start(workflow_env, "wire_in_time:a")

    def too_long() -> str:
        workflow_env.now += TIMEOUT + INSTANT
        sweep()
        drive(run_id)
        if late == "error":
            raise Disturbed("at last")
        return "at last"

    with inside(too_long):
        work(run_id)

    kept = evidence(run_id)
    assert isinstance(kept, dict)
    assert kept["at"] == workflow_env.now.isoformat()
    assert (kept["result"], (kept["error"] or {}).get("message")) == (
        ("at last", None) if late == "result" else (None, "at last")
    )
    assert state(run_id) == ("held", "in_doubt")
    assert queries.get_run(run_id).error["code"] == "timed_out"  # type: ignore[index]
    shown = queries.get_doubt(run_id, 1).step.evidence
    assert shown is not None
    assert shown.at == workflow_env.now
    sound(run_id)


@pytest.mark.usefixtures("_no_tokens_yet")
@pytest.mark.parametrize("swept", [False, True])
def test_a_late_token_is_unknown_and_what_it_brought_is_kept_as_evidence(
    workflow_env: WorkflowEnvironment, swept: bool
) -> None:
    run_id = start(workflow_env, "sign_once:a")
    work(run_id)
    workflow_env.now += TIMEOUT + INSTANT
    if swept:
        sweep()
        drive(run_id)

    with pytest.raises(TokenUnknown):
        operations.complete_step(TOKENS[0], result="signed after all")

    in_doubt(workflow_env, run_id)
    kept = evidence(run_id)
    assert isinstance(kept, dict)
    assert kept["result"] == "signed after all"


def test_an_outcome_that_comes_when_the_doubt_is_over_is_no_evidence(workflow_env: WorkflowEnvironment) -> None:
    run_id = start(workflow_env, "wire_in_time:a")

    def much_too_long() -> None:
        workflow_env.now += TIMEOUT + INSTANT
        sweep()
        drive(run_id)
        operations.resolve_step(run_id, 1, outcome="happened", result="seen", reason="statement of the bank")
        drive(run_id)

    with inside(much_too_long):
        work(run_id)

    assert queries.get_run(run_id).result == ["seen"]
    assert evidence(run_id) is None
    sound(run_id)


def test_a_late_outcome_of_what_may_be_repeated_is_no_evidence(workflow_env: WorkflowEnvironment) -> None:
    """There is nobody to show it to: the step has timed out, and its undo copes with either."""
    run_id = start(workflow_env, "pay:a")

    def too_long() -> None:
        workflow_env.now += TIMEOUT + INSTANT
        sweep()

    with inside(too_long, too_long):
        work(run_id)
        workflow_env.now += BACK_OFF
        work(run_id)

    assert row(run_id).status == "timed_out"
    assert evidence(run_id) is None

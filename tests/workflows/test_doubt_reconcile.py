"""SEMANTICS D19: the counterparty is asked by key before anybody is held, and again until somebody knows."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.faulting import break_off, expire, take_over
from tests.workflows.sent_out_acts import ask, die, drive, is_driven, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    Disturbed,
    Refused,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    counterparty,
    inside,
    raising,
)
from tests.workflows.views import entries, kinds, sound
from workflows import Outcome, operations, queries
from workflows.core.definitions import registry
from workflows.operations import resolving
from workflows.runtime import advance
from workflows.testing import WorkflowEnvironment

SENT, HERE = "ask_wire:a", "ask_wire_here:a"
both = pytest.mark.parametrize("line", [SENT, HERE])


def doubted(env: WorkflowEnvironment, line: str, workflow: Any = SentOutWorkflow) -> uuid.UUID:
    """Whether it happened nobody knows; the counterparty has just been asked."""
    run_id: uuid.UUID = env.start(workflow, [line]).id
    with inside(raising(Disturbed("the line broke"))):
        drive(run_id)
        if not effects.labels():
            work(run_id)
    drive(run_id)
    return run_id


@both
def test_what_happened_goes_on_with_the_result_that_the_counterparty_knows(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    with counterparty(Outcome.happened("receipt 7")) as asked:
        run_id = doubted(workflow_env, line)

    assert queries.get_run(run_id).result == ["receipt 7"]
    assert effects.labels() == ["a"]
    assert asked == [{"key": f"{run_id}:1", "label": "a"}]
    assert "RunHeld" not in kinds(run_id)
    (told,) = entries(run_id, "StepResolved")
    assert (told["seq"], told["outcome"], told["actor"]) == (1, "happened", "reconcile")
    assert queries.list_steps(run_id)[0].result == "receipt 7"
    sound(run_id)


@both
def test_what_was_not_done_is_a_known_failure_with_nothing_to_undo(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    with counterparty(Outcome.not_done()):
        run_id = doubted(workflow_env, line)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == ["a"]
    assert kinds(run_id).count("StepFailed") == 1
    error = queries.get_run(run_id).error
    assert error is not None
    assert "the line broke" in error["message"]
    assert "in_doubt" not in (queries.list_steps(run_id)[0].error or {})
    sound(run_id)


def test_what_was_not_done_in_time_is_a_known_failure_too_with_nothing_to_undo(
    workflow_env: WorkflowEnvironment,
) -> None:
    """The attempt was overdue: that would be an unknown outcome, if nobody had asked."""
    activity = registry.activities["sent.ask_wire"]
    with pytest.MonkeyPatch.context() as patch, counterparty(Outcome.not_done()):
        patch.setattr(activity, "options_", activity.options(timeout=timedelta(seconds=5)).options_)
        run_id = ask(workflow_env, SentOutWorkflow, ["make:first", SENT])
        work(run_id, 1)
        drive(run_id)

        def too_long() -> None:
            workflow_env.now += timedelta(seconds=6)
            sweep()

        with inside(too_long):
            work(run_id, 2)
        workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert row(run_id, 2).status == "timed_out"
    assert [item.undoes for item in queries.get_compensation_plan(run_id)] == [1]
    sound(run_id)


@both
def test_what_happened_and_is_given_up_later_is_undone(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line, "try_once:b"]).id
    with counterparty(Outcome.happened("receipt 7")), inside(raising(Disturbed()), raising(Refused())):
        workflow_env.skip(NOW)

    assert state(run_id) == ("compensated", None)
    assert effects.count("undo a") == 1
    sound(run_id)


@both
@pytest.mark.parametrize(
    "answer",
    [
        Outcome.unknown(),
        Disturbed("no connection"),
        OperationalError("database is locked"),
        SystemExit(2),
        "what was the question?",
        None,
        Outcome.happened(7),
        Outcome.happened(None),
        Outcome.happened(object()),
    ],
)
def test_an_answer_that_nobody_can_use_holds_the_run(
    workflow_env: WorkflowEnvironment, line: str, answer: object
) -> None:
    """It does not know, it cannot be asked, it says something else, or its result is not one of this step."""
    with counterparty(answer):
        run_id = doubted(workflow_env, line)

    assert state(run_id) == ("held", "in_doubt")
    assert not is_driven(run_id)
    assert effects.labels() == ["a"]
    sound(run_id)


@both
def test_nobody_is_asked_about_an_outcome_that_is_known(workflow_env: WorkflowEnvironment, line: str) -> None:
    with counterparty(Outcome.unknown()) as asked:
        workflow_env.run(SentOutWorkflow, [line])
        run_id = workflow_env.start(SentOutWorkflow, [line]).id
        with inside(raising(Refused())):
            workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)
    assert asked == []


@pytest.mark.parametrize("line", [SENT, HERE])
def test_the_counterparty_is_asked_when_a_worker_died(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = workflow_env.start(SentOutWorkflow, [line]).id
    with counterparty(Outcome.happened("receipt 7")):
        if line == SENT:
            drive(run_id)
            die(workflow_env, run_id, where="attempt.inside")
            sweep()
            drive(run_id)
        else:
            expire(break_off(run_id, "attempt.inside"))
            workflow_env.restart()
            take_over(workflow_env)

    assert queries.get_run(run_id).result == ["receipt 7"]
    assert effects.labels() == ["a"]
    sound(run_id)


def test_a_driver_that_dies_before_it_asked_leaves_the_question_to_the_next(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [SENT])
    with inside(raising(Disturbed())):
        work(run_id)

    claimed = advance.claim_run(run_id)
    assert claimed is not None
    expire(claimed[0].driver)
    workflow_env.restart()
    with counterparty(Outcome.happened("receipt 7")) as asked:
        take_over(workflow_env)

    assert len(asked) == 1
    assert state(run_id) == ("completed", None)


def test_a_process_that_lost_its_lease_does_not_ask(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [SENT])
    with inside(raising(Disturbed())):
        work(run_id)
    claimed = advance.claim_run(run_id)
    assert claimed is not None
    claimed[1].lapsed = True

    with counterparty(Outcome.unknown()) as asked:
        advance.drive(*claimed)

    assert asked == []


# --- Side by side ----------------------------------------------------------------------------------------------------


def test_two_doubts_of_one_gather_are_asked_about_one_after_the_other(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, [SENT, "ask_wire:b"])
    with counterparty(Outcome.happened("first"), Outcome.happened("second")) as asked:
        with inside(raising(Disturbed()), raising(Disturbed())):
            work(run_id, 1, 2)
        drive(run_id)

    assert queries.get_run(run_id).result == ["first", "second"]
    assert [each["label"] for each in asked] == ["a", "b"]
    sound(run_id)


def test_a_doubt_that_nobody_knows_does_not_keep_another_from_being_found_out_afterwards(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, [SENT, "ask_wire:b"])
    with counterparty(Outcome.unknown(), Outcome.happened("second")) as asked:
        with inside(raising(Disturbed()), raising(Disturbed())):
            work(run_id, 1, 2)
        drive(run_id)
        assert state(run_id) == ("held", "in_doubt")
        operations.resolve_step(run_id, 1, outcome="happened", result="seen", reason="statement of the bank")
        workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["seen", "second"]
    assert [each["label"] for each in asked] == ["a", "b"]
    sound(run_id)


def test_of_two_doubts_of_a_held_run_the_second_may_be_known_first(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, [SENT, "ask_wire:b"])
    answers: list[Any] = [Outcome.unknown()]
    with counterparty(*answers), inside(raising(Disturbed()), raising(Disturbed())):
        work(run_id, 1, 2)
        drive(run_id)

    with counterparty(Outcome.unknown(), Outcome.happened("second"), Outcome.unknown()):
        assert resolving.resolve_known() == [run_id]
        workflow_env.skip(NOW)

    assert state(run_id) == ("held", "in_doubt")
    assert [row(run_id, seq).status for seq in (1, 2)] == ["failed", "completed"]
    sound(run_id)

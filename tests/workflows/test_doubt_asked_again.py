"""SEMANTICS D19: counterparties are asked again about runs held in doubt until somebody knows."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import OperationalError

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, drive, state, work
from tests.workflows.sent_out_cast import (
    Disturbed,
    SentOutHoldsWorkflow,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    counterparty,
    inside,
    raising,
)
from tests.workflows.views import entries, sound
from workflows import Outcome, operations, queries
from workflows.core.definitions import registry
from workflows.core.errors import NotAllowedInState
from workflows.models import AuditEntry, Run
from workflows.operations import resolving
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


# --- Asked again -----------------------------------------------------------------------------------------------------


@both
def test_a_held_run_goes_on_by_itself_once_the_counterparty_knows(workflow_env: WorkflowEnvironment, line: str) -> None:
    with counterparty(Outcome.unknown(), Outcome.unknown(), Outcome.happened("receipt 7")) as asked:
        run_id = doubted(workflow_env, line)
        assert resolving.resolve_known() == []
        assert state(run_id) == ("held", "in_doubt")
        assert resolving.resolve_known() == [run_id]
        workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["receipt 7"]
    assert len(asked) == 3
    assert effects.labels() == ["a"]
    entry = AuditEntry.objects.get(run_id=run_id, act="resolve")
    assert (entry.actor, entry.reason) == ("system", resolving.RECONCILED)
    sound(run_id)


@both
def test_a_held_run_fails_by_itself_once_the_counterparty_says_that_nothing_was_done(
    workflow_env: WorkflowEnvironment, line: str
) -> None:
    with counterparty(Outcome.unknown(), Outcome.not_done()):
        run_id = doubted(workflow_env, line)
        assert resolving.resolve_known() == [run_id]
        workflow_env.skip(NOW)

    assert state(run_id) == ("failed", None)
    assert effects.labels() == ["a"]
    sound(run_id)


@pytest.mark.parametrize("answer", [Disturbed("away"), Outcome.happened(7), "?"], ids=repr)
def test_an_unusable_answer_leaves_a_held_run_held_and_the_others_are_asked(
    workflow_env: WorkflowEnvironment, answer: object
) -> None:
    with counterparty(Outcome.unknown(), Outcome.unknown(), answer, Outcome.happened("receipt 7")):
        first, second = doubted(workflow_env, SENT), _doubted_too(workflow_env)
        assert len(resolving.resolve_known()) == 1

    assert sorted(state(run_id) for run_id in (first, second)) == [("held", "in_doubt"), ("pending", None)]


def _doubted_too(env: WorkflowEnvironment) -> uuid.UUID:
    run_id = ask(env, SentOutWorkflow, [SENT])
    with inside(raising(Disturbed())):
        work(run_id)
    drive(run_id)
    return run_id


def test_runs_whose_activity_names_nobody_to_ask_stay_held(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["wire:a"])
    with inside(raising(Disturbed())):
        work(run_id)
    drive(run_id)

    assert resolving.resolve_known() == []
    assert state(run_id) == ("held", "in_doubt")


def test_runs_held_for_another_reason_are_not_asked_about(workflow_env: WorkflowEnvironment) -> None:
    with counterparty(Outcome.not_done()) as asked:
        run_id = doubted(workflow_env, SENT, SentOutHoldsWorkflow)
        assert state(run_id) == ("held", "failure")
        asked.clear()
        assert resolving.resolve_known() == []

    assert asked == []


def test_however_many_are_in_doubt_each_is_asked_about_in_turn(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those at the front that nobody knows do not keep the others from being asked about."""
    monkeypatch.setattr(resolving, "_AT_ONCE", 2)
    with counterparty(Outcome.unknown()) as asked:
        runs = {_doubted_too(workflow_env) for _ in range(5)}
        asked.clear()
        for _ in range(3):
            resolving.resolve_known()

    assert {each["key"] for each in asked} == {f"{run_id}:1" for run_id in runs}


def test_a_run_that_cannot_be_resolved_now_keeps_the_others_from_nothing(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counterparty(Outcome.unknown()):
        runs = [_doubted_too(workflow_env) for _ in range(2)]
    resolve, refusals = resolving._resolve, [OperationalError("lock time-out")]

    def locked(*args: object, **more: object) -> None:
        if refusals:
            raise refusals.pop()
        resolve(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(resolving, "_resolve", locked)
    with counterparty(Outcome.happened("receipt 7")):
        assert len(resolving.resolve_known()) == 1
        assert len(resolving.resolve_known()) == 1
        workflow_env.skip(NOW)

    assert {state(run_id) for run_id in runs} == {("completed", None)}


def test_an_operator_who_was_quicker_than_the_counterparty_is_not_overruled(
    workflow_env: WorkflowEnvironment,
) -> None:
    def operator() -> None:
        operations.resolve_step(run_id, 1, outcome="happened", result="seen", reason="statement of the bank")

    with counterparty(Outcome.unknown()):
        run_id = doubted(workflow_env, SENT)
    reconcile = registry.activities["sent.ask"]
    with pytest.MonkeyPatch.context() as patch:

        def slow(*, key: str, label: str) -> Outcome:
            operator()
            return Outcome.not_done()

        patch.setattr(reconcile, "_function", slow)
        assert resolving.resolve_known() == []
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["seen"]
    assert len(entries(run_id, "StepResolved")) == 1
    sound(run_id)


def test_a_counterparty_that_answers_when_the_run_goes_on_for_another_doubt_is_heard_by_its_driver(
    workflow_env: WorkflowEnvironment,
) -> None:
    """An operator resolved the first while the counterparty was asked about the second: nothing is held to release."""
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["wire:a", "ask_wire:b"])
    with counterparty(Outcome.unknown()), inside(raising(Disturbed()), raising(Disturbed())):
        work(run_id, 1, 2)
        drive(run_id)

    def slow(*, key: str, label: str) -> Outcome:
        operations.resolve_step(run_id, 1, outcome="happened", result="seen", reason="statement of the bank")
        return Outcome.happened("receipt 7")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry.activities["sent.ask"], "_function", slow)
        assert resolving.resolve_known() == []
    assert len(entries(run_id, "RunReleased")) == 1
    with counterparty(Outcome.happened("receipt 7")):
        workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["seen", "receipt 7"]
    sound(run_id)


# --- What a retry may do then ----------------------------------------------------------------------------------------


@both
def test_what_was_not_done_may_be_tried_again_by_an_operator(workflow_env: WorkflowEnvironment, line: str) -> None:
    with counterparty(Outcome.not_done()):
        run_id = doubted(workflow_env, line, SentOutHoldsWorkflow)
        operations.retry_run(run_id, reason="the line is back")
        workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert effects.labels() == ["a", "a"]
    sound(run_id)


def test_a_run_in_doubt_is_not_retried(workflow_env: WorkflowEnvironment) -> None:
    with counterparty(Outcome.unknown()):
        run_id = doubted(workflow_env, SENT)

    with pytest.raises(NotAllowedInState):
        operations.retry_run(run_id, reason="again", input={"label": "b"})

    assert Run.objects.get(pk=run_id).hold_reason == "in_doubt"

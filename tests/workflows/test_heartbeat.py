"""Heartbeats of attempts: they show that one lives, and keep details for the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.faulting import die as die_in_place
from tests.workflows.faulting import expire, take_over
from tests.workflows.sent_out_acts import ask, begin, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import BACK_OFF, SILENCE, Disturbed, SentOutWorkflow, inside, raising
from tests.workflows.views import entries, kinds, sound
from workflows import Retry, Workflow, activity, activity_info, queries
from workflows.core.errors import PayloadError
from workflows.runtime import process
from workflows.runtime.hosting import AttemptGivenUp
from workflows.testing import WorkflowEnvironment

INSTANT = timedelta(microseconds=1)
FOUND: list[Any] = []


@activity(name="heartbeat.here", retry=Retry(max_attempts=2, initial=10.0, jitter=0.0))
def work_here() -> str:
    """Runs with its workflow's code; each attempt says how far it came and fails the first time."""
    info = activity_info()
    FOUND.append(info.last_details)
    info.heartbeat({"page": info.attempt})
    if info.attempt == 1:
        raise Disturbed
    return "done"


class HeartbeatHereWorkflow(Workflow[str]):
    """One step in place."""

    async def execute(self) -> str:
        return await self.activity(work_here)


def beat(details: Any = None) -> None:
    activity_info().heartbeat(details)


def remember() -> None:
    FOUND.append(activity_info().last_details)


@pytest.fixture(autouse=True)
def _nothing_found_yet() -> None:
    FOUND.clear()


def test_an_attempt_without_heartbeat_is_tried_again(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])
    begin(run_id)

    workflow_env.now += SILENCE
    assert sweep() == 0
    workflow_env.now += INSTANT
    assert sweep() == 1

    workflow_env.skip(BACK_OFF)
    assert state(run_id) == ("completed", None)
    assert codes(run_id) == ["heartbeat_lost", None]
    sound(run_id)


def test_the_last_attempt_that_falls_silent_times_the_step_out_and_its_undo_runs(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])
    for _ in range(2):
        begin(run_id)
        workflow_env.now += SILENCE + INSTANT
        sweep()
        workflow_env.now += BACK_OFF
    drive(run_id)

    assert state(run_id) == ("compensated", None)
    assert row(run_id).status == "timed_out"
    assert effects.count("undo a") == 1
    assert kinds(run_id).count("StepTimedOut") == 1
    sound(run_id)


def test_each_heartbeat_allows_for_another_silence(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])

    def long_work() -> None:
        for _ in range(5):
            workflow_env.now += SILENCE
            assert sweep() == 0
            beat()

    with inside(long_work):
        work(run_id)

    drive(run_id)
    assert state(run_id) == ("completed", None)
    assert codes(run_id) == [None]


def test_the_next_attempt_finds_the_last_details(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])

    def fall_silent() -> None:
        remember()
        beat({"page": 3})
        beat({"page": 4, "of": [1, 2]})
        workflow_env.now += SILENCE + INSTANT
        sweep()

    with inside(fall_silent, remember):
        work(run_id)
        workflow_env.now += BACK_OFF
        work(run_id)

    assert FOUND == [None, {"page": 4, "of": [1, 2]}]


@pytest.mark.parametrize("how", ["failed", "died"])
def test_details_outlive_an_attempt_that_failed_or_whose_worker_died(
    workflow_env: WorkflowEnvironment, how: str
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])

    def first() -> None:
        beat("half way")
        if how == "failed":
            raise Disturbed

    with inside(first, remember):
        if how == "failed":
            work(run_id)
        else:
            die(workflow_env, run_id, where="attempt.inside")
            sweep()
        workflow_env.now += BACK_OFF
        work(run_id)

    assert FOUND == ["half way"]


def test_details_of_earlier_attempts_stay_until_a_later_one_gives_its_own(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])

    with inside(lambda: beat("half way"), remember, remember):
        die(workflow_env, run_id, where="attempt.inside")
        sweep()
        die(workflow_env, run_id, where="attempt.inside")
        sweep()
        work(run_id)

    assert FOUND == ["half way", "half way"]


@pytest.mark.parametrize("why", ["silent", "dead", "settled"])
def test_the_heartbeat_of_an_attempt_that_was_given_up_raises(workflow_env: WorkflowEnvironment, why: str) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])
    stopped: list[str] = []

    def given_up_meanwhile() -> None:
        if why == "dead":
            expire(process.current().id)
        else:
            workflow_env.now += SILENCE + INSTANT
        sweep()
        if why == "settled":
            before = process.use(process.inline())
            workflow_env.now += BACK_OFF
            work(run_id)
            process.use(before)
        try:
            beat("too late")
        except AttemptGivenUp as error:
            stopped.append(error.code)
            raise

    acts = [given_up_meanwhile, lambda: None] if why == "settled" else [given_up_meanwhile]
    with inside(*acts):
        work(run_id)

    assert stopped == ["attempt_given_up"]
    assert row(run_id).beat is None
    assert "attempt_given_up" not in codes(run_id)


def test_what_a_given_up_attempt_raises_then_is_no_second_failure(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])

    def given_up_meanwhile() -> None:
        workflow_env.now += SILENCE + INSTANT
        sweep()
        beat()

    with inside(given_up_meanwhile):
        work(run_id)

    assert row(run_id).failures == 1
    workflow_env.skip(BACK_OFF)
    assert state(run_id) == ("completed", None)
    assert [error["code"] for error in (data["error"] for data in entries(run_id, "AttemptFailed"))] == [  # type: ignore[index]
        "heartbeat_lost"
    ]
    sound(run_id)


def test_an_attempt_that_is_out_may_beat_though_it_declares_no_heartbeat(workflow_env: WorkflowEnvironment) -> None:
    """It keeps details; nobody gives it up for its silence."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    def first() -> None:
        beat("half way")
        assert row(run_id).beat_by is None
        workflow_env.now += timedelta(minutes=5)
        assert sweep() == 0
        raise Disturbed

    with inside(first, remember):
        work(run_id)
        workflow_env.now += BACK_OFF
        work(run_id)

    assert FOUND == ["half way"]


def test_details_that_cannot_be_stored_are_refused_in_the_attempt(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])
    refused: list[str] = []

    def wrong() -> None:
        try:
            beat(object())
        except PayloadError as error:
            refused.append(error.code)

    with inside(wrong):
        work(run_id)

    assert refused == ["invalid_input"]
    assert row(run_id).status == "completed"


def test_a_step_that_settled_is_not_given_up_for_its_last_heartbeat(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])
    with inside(beat):
        work(run_id)

    workflow_env.now += SILENCE + INSTANT

    assert sweep() == 0
    assert row(run_id).status == "completed"


def test_a_retry_in_its_back_off_is_not_given_up_for_its_silence(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["report:a"])
    with inside(raising(Disturbed())):
        work(run_id)

    workflow_env.now += timedelta(hours=1)

    assert sweep() == 0


# --- In place --------------------------------------------------------------------------------------------------------


def test_an_attempt_in_place_keeps_details_too(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(HeartbeatHereWorkflow) == "done"
    assert FOUND == [None, {"page": 1}]


def test_an_attempt_in_place_that_dies_with_its_process_has_kept_nothing(workflow_env: WorkflowEnvironment) -> None:
    """Its details are written with its outcome."""
    run = workflow_env.start(HeartbeatHereWorkflow)
    die_in_place(workflow_env, run.id, "attempt.inside@heartbeat.here")

    assert take_over(workflow_env) == [run.id]

    assert queries.get_run(run.id).status == "completed"
    assert FOUND == [None, None]


def test_outside_the_engine_a_heartbeat_does_nothing() -> None:
    FOUND.clear()
    with pytest.raises(Disturbed):
        work_here()
    assert FOUND == [None]


def test_a_heartbeat_names_its_own_attempt_only(workflow_env: WorkflowEnvironment) -> None:
    """That of one step does not keep another alive."""
    first, second = (ask(workflow_env, SentOutWorkflow, [f"report:{label}"]) for label in "ab")
    begin(first)

    def beat_late() -> None:
        workflow_env.now += SILENCE
        beat()
        workflow_env.now += INSTANT
        assert sweep() == 1

    with inside(beat_late):
        work(second)

    assert row(first).status == "scheduled"
    assert row(second).status == "completed"

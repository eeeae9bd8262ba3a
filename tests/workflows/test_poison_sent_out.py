"""SEMANTICS C16: a step that kills its workers again and again holds its run; resumed, it has fresh tries."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from pytest_django import Settings

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.sent_out_acts import ask, begin, codes, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    Disturbed,
    SentOutCleanUpWorkflow,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    raising,
)
from tests.workflows.views import entries, sound
from workflows import conf, operations, queries
from workflows.testing import WorkflowEnvironment

MOST = conf.engine().poison_crashes


def kill(env: WorkflowEnvironment, run_id: uuid.UUID, times: int, seq: int = 1) -> None:
    """So many workers die of one step, one after the other."""
    for _ in range(times):
        die(env, run_id, seq, where="attempt.inside")
        sweep()


def poisoned(env: WorkflowEnvironment) -> uuid.UUID:
    run_id = ask(env, SentOutWorkflow, ["write:a"])
    kill(env, run_id, MOST)
    drive(run_id)
    assert state(run_id) == ("held", "worker_lost")
    return run_id


def test_five_workers_are_five() -> None:
    assert MOST == 5


def test_a_step_whose_workers_die_again_and_again_holds_its_run(workflow_env: WorkflowEnvironment) -> None:
    run_id = poisoned(workflow_env)

    held = queries.get_run(run_id)
    assert held.error is not None
    assert held.error["code"] == "worker_lost"
    assert "step 1" in held.error["message"]
    assert codes(run_id) == ["worker_lost"] * MOST
    assert effects.count("a") == MOST
    sound(run_id)


def test_before_the_fifth_the_run_goes_on(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    kill(workflow_env, run_id, MOST - 1)

    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert codes(run_id) == ["worker_lost"] * (MOST - 1) + [None]
    sound(run_id)


def test_the_setting_says_how_many(workflow_env: WorkflowEnvironment, settings: Settings) -> None:
    settings.WORKFLOWS = {**settings.WORKFLOWS, "POISON_CRASHES": 2}
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])

    kill(workflow_env, run_id, 2)
    drive(run_id)

    assert state(run_id) == ("held", "worker_lost")


def test_other_runs_go_on(workflow_env: WorkflowEnvironment) -> None:
    other = ask(workflow_env, SentOutWorkflow, ["write:b"])
    poisoned(workflow_env)

    workflow_env.skip(NOW)

    assert state(other) == ("completed", None)


def test_while_it_is_held_nobody_dies_of_it(workflow_env: WorkflowEnvironment) -> None:
    run_id = poisoned(workflow_env)

    workflow_env.skip(timedelta(days=1))

    assert effects.count("a") == MOST
    assert state(run_id) == ("held", "worker_lost")


def test_resumed_it_has_fresh_tries(workflow_env: WorkflowEnvironment) -> None:
    run_id = poisoned(workflow_env)
    operations.resume_run(run_id, reason="the workers have more memory")
    drive(run_id)

    kill(workflow_env, run_id, MOST - 1)
    assert state(run_id)[0] == "waiting"
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert codes(run_id) == ["worker_lost"] * (2 * MOST - 1) + [None]
    sound(run_id)


def test_resumed_it_may_be_held_again(workflow_env: WorkflowEnvironment) -> None:
    run_id = poisoned(workflow_env)
    operations.resume_run(run_id, reason="the workers have more memory")
    drive(run_id)

    kill(workflow_env, run_id, MOST)
    drive(run_id)

    assert state(run_id) == ("held", "worker_lost")
    assert len(entries(run_id, "RunHeld")) == 2
    sound(run_id)


def test_a_sixth_worker_that_began_before_the_hold_has_fresh_tries_too(workflow_env: WorkflowEnvironment) -> None:
    """The message is out again at once; the driver that holds the run comes after it."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    kill(workflow_env, run_id, MOST)
    begin(run_id)
    drive(run_id)
    assert state(run_id) == ("held", "worker_lost")

    operations.resume_run(run_id, reason="the workers have more memory")
    drive(run_id)

    assert row(run_id).losses == 0
    assert state(run_id)[0] == "waiting"


def test_a_step_that_settles_before_the_hold_is_delivered_after_it(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    kill(workflow_env, run_id, MOST)
    work(run_id)
    drive(run_id)
    assert state(run_id) == ("held", "worker_lost")

    operations.resume_run(run_id, reason="it went well in the end")
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_cancelled_it_is_undone(workflow_env: WorkflowEnvironment) -> None:
    """Nobody knows what the dead have done."""
    run_id = ask(workflow_env, SentOutCleanUpWorkflow, "make:a")
    kill(workflow_env, run_id, MOST)
    drive(run_id)
    assert state(run_id) == ("held", "worker_lost")

    operations.cancel_run(run_id, reason="no longer")
    workflow_env.skip(NOW)

    assert state(run_id) == ("cancelled", None)
    assert effects.count("undo a") == 1
    sound(run_id)


def test_an_attempt_that_ended_between_starts_the_count_anew(workflow_env: WorkflowEnvironment) -> None:
    """Only consecutive crashes count: a failure is progress."""
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a"])
    kill(workflow_env, run_id, MOST - 1)
    with inside(raising(Disturbed())):
        work(run_id)
    workflow_env.now += BACK_OFF

    kill(workflow_env, run_id, MOST - 1)
    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_deaths_of_different_steps_are_not_added_up(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    for seq in (1, 2) * (MOST - 1):
        kill(workflow_env, run_id, 1, seq)

    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)


def test_in_a_gather_the_others_are_delivered_when_the_run_goes_on(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    begin(run_id, 2)
    kill(workflow_env, run_id, MOST, 1)
    drive(run_id)
    assert state(run_id) == ("held", "worker_lost")

    operations.resume_run(run_id, reason="more memory")
    workflow_env.now += timedelta(hours=1)
    workflow_env.skip(BACK_OFF)

    assert state(run_id) == ("completed", None)
    sound(run_id)


@pytest.mark.parametrize("line", ["wire:a"])
def test_what_must_not_be_repeated_kills_one_worker_at_most(workflow_env: WorkflowEnvironment, line: str) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, [line])
    kill(workflow_env, run_id, 1)
    drive(run_id)

    assert state(run_id) == ("held", "in_doubt")
    assert effects.labels() == ["a"]

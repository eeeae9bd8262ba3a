"""Rows are the truth, messages are hints: an id in, one call; any of them may be lost, doubled or late."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from tests.workflows import effects
from tests.workflows.cast import NOW, CastWorkflow
from tests.workflows.faulting import die
from workflows import operations, queries, tasks
from workflows.runtime import dispatch
from workflows.testing import WorkflowEnvironment

Hint = tuple[str, str, float | None]


class Broker:
    """Stands where the Celery app stands, and keeps what is sent."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []
        self.down = False

    def send_task(self, name: str, *, args: list[Any], countdown: float | None = None, **options: Any) -> None:
        if self.down:
            raise ConnectionError("no broker there")
        assert options == {"ignore_result": True}
        (only,) = args
        self.hints.append((name, only, countdown))


broker = Broker()


@pytest.fixture(autouse=True)
def _sending_to_the_broker(settings: Settings) -> None:
    broker.__init__()  # type: ignore[misc]
    settings.WORKFLOWS = {**settings.WORKFLOWS, "CELERY_APP": f"{__name__}.broker"}


@pytest.fixture
def env(workflow_env: WorkflowEnvironment) -> Iterator[WorkflowEnvironment]:
    """The kit, with the hints it would keep back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch._Silence, "on", False)
        yield workflow_env


@pytest.mark.django_db(transaction=True)
def test_a_start_hints_with_the_runs_id_alone() -> None:
    run = operations.start_run(CastWorkflow, ["write:a"])

    assert broker.hints == [("workflows.advance", str(run.id), None)]


@pytest.mark.django_db(transaction=True)
def test_a_delayed_start_hints_nobody_yet() -> None:
    operations.start_run(CastWorkflow, ["write:a"], delay=timedelta(hours=1))

    assert broker.hints == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [operations.cancel_run, operations.rerun])
def test_an_act_that_makes_a_run_due_hints_for_it(env: WorkflowEnvironment, act: Any) -> None:
    run = env.start(CastWorkflow, ["disturb:a"])
    env.skip(NOW)
    broker.hints.clear()

    due = act(run.id, reason="now")

    assert broker.hints == [("workflows.advance", str(due.id), None)]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_is_logged_and_the_wake_finds_the_run(
    env: WorkflowEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    broker.down = True
    with caplog.at_level(logging.WARNING, logger="workflows.dispatch"):
        run = operations.start_run(CastWorkflow, ["write:a"])
    assert f"hint for run {run.id} was not sent" in caplog.text
    broker.down = False

    tasks.wake()

    assert broker.hints == [("workflows.advance", str(run.id), None)]


def test_a_retry_within_a_minute_gets_a_countdown_that_is_not_early(env: WorkflowEnvironment) -> None:
    run = env.start(CastWorkflow, ["disturb:a"])
    env.skip(NOW)

    (hint,) = broker.hints
    wake_at = queries.get_run(run.id).wake_at
    assert wake_at is not None
    assert hint == ("workflows.advance", str(run.id), (wake_at - env.now).total_seconds())


def test_the_wake_hints_for_each_due_run_once_and_for_no_other(env: WorkflowEnvironment) -> None:
    due = [env.start(CastWorkflow, ["write:a"]), env.start(CastWorkflow, ["write:b"])]
    operations.start_run(CastWorkflow, ["write:c"], delay=timedelta(hours=1))
    broker.hints.clear()

    tasks.wake()
    tasks.wake()

    assert sorted(hint[1] for hint in broker.hints) == sorted(str(run.id) for run in due)


def test_the_sweep_hints_for_runs_of_silent_processes(env: WorkflowEnvironment) -> None:
    run = env.start(CastWorkflow, ["write:a"])
    die(env, run.id, "attempt.before@cast.write")
    broker.hints.clear()

    tasks.sweep()

    assert broker.hints == [("workflows.advance", str(run.id), None)]


def test_a_hint_drives_its_run(env: WorkflowEnvironment) -> None:
    run = env.start(CastWorkflow, ["write:a"])

    tasks.advance(str(run.id))

    assert queries.get_run(run.id).status == "completed"


@pytest.mark.parametrize("times", [2, 3])
def test_doubled_hints_change_nothing(env: WorkflowEnvironment, times: int) -> None:
    run = env.start(CastWorkflow, ["make:a", "refuse:b"])

    for _ in range(times):
        tasks.advance(str(run.id))

    assert queries.get_run(run.id).status == "compensated"
    assert effects.count("a") == effects.count("undo a") == 1


def test_a_hint_that_comes_early_or_for_an_unknown_run_does_nothing(env: WorkflowEnvironment) -> None:
    run = env.start(CastWorkflow, ["disturb:a"])
    env.skip(NOW)

    tasks.advance(str(run.id))
    tasks.advance(str(uuid.uuid4()))

    assert effects.count("tried a") == 1
    assert queries.get_run(run.id).status == "waiting"


def test_a_run_that_the_engine_cannot_drive_raises_nothing_to_celery_and_is_tried_again(
    env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = env.start(CastWorkflow, ["write:a"])

    def break_down(*args: object, **kwargs: object) -> None:
        raise LookupError("something nobody thought of")

    with monkeypatch.context() as patch:
        patch.setattr("workflows.store.load_history", break_down)
        tasks.advance(str(run.id))
    assert "could not be driven further" in caplog.text
    assert queries.get_run(run.id).wake_at is not None

    env.skip(timedelta(minutes=1))

    assert queries.get_run(run.id).status == "completed"

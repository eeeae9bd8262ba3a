"""SEMANTICS C15: a gather is joined from rows; the last to settle hints, a failure hints at once, chords only wake."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from tests.workflows import effects
from tests.workflows.cast import NOW
from tests.workflows.cast import write as write_here
from tests.workflows.sent_out_acts import ask, begin, die, drive, row, state, sweep, work
from tests.workflows.sent_out_cast import (
    BACK_OFF,
    TIMEOUT,
    Disturbed,
    Refused,
    SentOutSideBySideWorkflow,
    SentOutWorkflow,
    inside,
    make,
    pay,
    prompt,
    raising,
    report,
    write,
)
from tests.workflows.views import sound
from workflows import Workflow, queries, tasks
from workflows.models import Run
from workflows.runtime import dispatch, members, policies, settling
from workflows.store import StoredStep, stored_step
from workflows.testing import WorkflowEnvironment


def woken(run_id: uuid.UUID) -> bool:
    """Whether somebody hinted since the run was last driven."""
    return Run.objects.filter(pk=run_id, wake_at__isnull=False).exists()


# --- Who hints -------------------------------------------------------------------------------------------------------


def test_of_a_gather_the_member_that_settles_last_hints_and_no_other(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b", "write:c"])
    hints = []

    for seq in (2, 1, 3):
        work(run_id, seq)
        hints.append(woken(run_id))

    assert hints == [False, False, True]
    drive(run_id)
    assert state(run_id) == ("completed", None)


def test_a_member_that_fails_for_good_hints_at_once_so_that_the_others_are_cancelled_early(
    workflow_env: WorkflowEnvironment,
) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b", "write:c"])

    with inside(raising(Refused())):
        work(run_id, 2)
    assert woken(run_id)
    drive(run_id)

    assert [row(run_id, seq).status for seq in (1, 2, 3)] == ["cancelled", "failed", "cancelled"]
    sound(run_id)


def test_a_member_that_fails_and_is_tried_again_hints_nobody(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])

    with inside(raising(Disturbed())):
        work(run_id, 1)
    assert not woken(run_id)
    work(run_id, 2)
    assert not woken(run_id)

    workflow_env.now += BACK_OFF
    work(run_id, 1)
    assert woken(run_id)


def test_a_member_that_is_given_up_for_good_hints(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["pay:a", "write:b"])
    with inside(raising(Disturbed())):
        work(run_id, 1)
    workflow_env.now += BACK_OFF
    begin(run_id, 1)
    workflow_env.now += TIMEOUT + timedelta(seconds=1)

    sweep()

    assert woken(run_id)
    drive(run_id)
    assert [row(run_id, seq).status for seq in (1, 2)] == ["timed_out", "cancelled"]


def test_a_failure_left_while_the_run_is_driven_sets_the_mark(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    Run.objects.filter(pk=run_id).update(driver=uuid.uuid4())

    with inside(raising(Refused())):
        work(run_id, 1)

    assert Run.objects.get(pk=run_id).wanted


def test_a_member_asks_whether_it_was_the_last_after_its_own_commit(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two members settle at once, and each looks when both have written: asked before, nobody was the last."""
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    settle, is_awaited = settling.settle, members._is_awaited
    asked: list[bool] = []

    def the_other_settles_too(*args: Any) -> bool:
        monkeypatch.setattr(settling, "settle", settle)
        done = settle(*args)
        work(run_id, 2)
        return done

    def look(*args: Any) -> bool:
        asked.append(is_awaited(*args))
        return asked[-1]

    monkeypatch.setattr(settling, "settle", the_other_settles_too)
    monkeypatch.setattr(members, "_is_awaited", look)
    work(run_id, 1)

    assert asked == [False, False]
    assert woken(run_id)


@pytest.mark.parametrize("order", [[1, 2, 3], [3, 1, 2], [2, 2, 1, 3, 1]])
def test_members_may_come_in_any_order_and_twice(workflow_env: WorkflowEnvironment, order: list[int]) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b", "write:c"])

    for seq in order:
        work(run_id, seq)
    drive(run_id)
    drive(run_id)

    assert queries.get_run(run_id).result == ["did a", "did b", "did c"]
    assert effects.labels() == ["a", "b", "c"]
    sound(run_id)


def test_a_body_that_comes_early_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    """A doubled member makes a chord fire before all have settled."""
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    work(run_id, 1)

    tasks.advance(str(run_id))
    tasks.advance(str(run_id))

    assert state(run_id) == ("waiting", None)
    work(run_id, 2)
    drive(run_id)
    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_a_body_that_never_comes_is_not_missed(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    die(workflow_env, run_id, 1)
    work(run_id, 2)

    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    sound(run_id)


def test_a_step_that_is_no_member_hints_whatever_else_is_out(workflow_env: WorkflowEnvironment) -> None:
    run_id = ask(workflow_env, SentOutHandlesWorkflow)

    work(run_id, 2)

    assert woken(run_id)


class SentOutHandlesWorkflow(Workflow[list[str]]):
    """Two handles that are awaited one after the other: no gather."""

    async def execute(self) -> list[str]:
        first, second = self.start(write, label="a"), self.start(write, label="b")
        return [await second, await first]


# --- How members travel ----------------------------------------------------------------------------------------------


def members_of(count: int, activity: Any = write_here) -> list[StoredStep]:
    made = []
    for seq in range(1, count + 1):
        step = StoredStep(
            seq, "activity", activity.name, "scheduled", 0, 0, 0, f"key:{seq}", {}, None, None, None, None, None, None,
            None,  # type: ignore[arg-type]
            queue=activity.options_.queue or "", batch=1, policy=policies.stored(activity),
        )  # fmt: skip
        made.append(step)
    return made


def sizes(count: int, processes: int, activity: Any = write_here) -> list[int]:
    return [len(chunk) for chunk in dispatch.chunks(members_of(count, activity), processes=processes)]


@pytest.mark.parametrize(
    ("count", "processes", "expected"),
    [
        (2, 1, [1, 1]),
        (8, 1, [1] * 8),
        (9, 1, [4, 4, 1]),
        (9, 2, [2, 2, 2, 2, 1]),
        (10, 8, [1] * 10),
        (100, 2, [25] * 4),
        (1000, 2, [50] * 20),
        (1000, 0, [50] * 20),
    ],
)
def test_members_travel_in_chunks_only_above_eight_at_least_two_for_each_process(
    count: int, processes: int, expected: list[int]
) -> None:
    assert sizes(count, processes) == expected


def test_every_member_travels_once_and_in_order() -> None:
    members_ = members_of(137)

    chunks = dispatch.chunks(members_, processes=3)

    assert [step.seq for chunk in chunks for step in chunk] == list(range(1, 138))


@pytest.mark.parametrize("activity", [write, pay, report, make, prompt])
def test_an_activity_with_a_queue_or_bounds_of_its_own_travels_alone(activity: Any) -> None:
    """One that takes its time, or waits for its worker, must not stand behind others of its message."""
    assert sizes(20, 1, activity) == [1] * 20


# --- What is sent ----------------------------------------------------------------------------------------------------


@dataclass
class Broker:
    """Stands where the Celery app stands, and keeps what is sent."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    headers: list[list[dict[str, Any]]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False
    conf: Any = field(default_factory=lambda: type("Conf", (), {"task_default_queue": "celery"}))

    def send_task(self, name: str, **options: Any) -> None:
        if self.down:
            raise ConnectionError("no broker there")
        self.sent.append({"name": name, **options})

    def signature(self, name: str, **options: Any) -> dict[str, Any]:
        return {"name": name, **options}

    def chord(self, header: list[dict[str, Any]], *, app: Any) -> Callable[[dict[str, Any]], None]:
        def send(body: dict[str, Any]) -> None:
            if self.down:
                raise ConnectionError("no broker there")
            self.headers.append(header)
            self.bodies.append(body)

        return send


broker = Broker()


@pytest.fixture
def env(workflow_env: WorkflowEnvironment, settings: Settings) -> Iterator[WorkflowEnvironment]:
    """The kit, with the messages it would keep back."""
    broker.__init__()  # type: ignore[misc]
    settings.WORKFLOWS = {**settings.WORKFLOWS, "CELERY_APP": f"{__name__}.broker", "CHORDS": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch._Silence, "on", False)
        patch.setattr(dispatch, "chord", broker.chord)
        yield workflow_env


committed = pytest.mark.django_db(transaction=True)


@committed
def test_a_step_is_sent_to_its_queue_with_nothing_but_its_name(env: WorkflowEnvironment) -> None:
    run_id = ask(env, SentOutWorkflow, ["write:secret"])

    (message,) = [sent for sent in broker.sent if sent["name"] == "workflows.attempt"]
    assert message["args"] == [str(run_id), [1]]
    assert message["queue"] == "celery.writers"
    assert "secret" not in str(broker.sent)


@committed
def test_a_flat_gather_is_a_chord_whose_body_wakes_the_run(env: WorkflowEnvironment) -> None:
    run_id = ask(env, SentOutSideBySideWorkflow, ["write:a", "write:b", "write:c"])

    (header,), (body,) = broker.headers, broker.bodies
    assert [signature["args"] for signature in header] == [[str(run_id), [seq]] for seq in (1, 2, 3)]
    assert all(signature["options"]["queue"] == "celery.writers" for signature in header)
    assert (body["name"], body["args"]) == ("workflows.advance", [str(run_id)])
    assert [sent for sent in broker.sent if sent["name"] == "workflows.attempt"] == []


@committed
def test_without_a_place_for_results_members_are_sent_one_by_one(env: WorkflowEnvironment, settings: Settings) -> None:
    settings.WORKFLOWS = {**settings.WORKFLOWS, "CHORDS": False}

    run_id = ask(env, SentOutSideBySideWorkflow, ["write:a", "write:b"])

    assert broker.headers == []
    attempts = [sent["args"] for sent in broker.sent if sent["name"] == "workflows.attempt"]
    assert attempts == [[str(run_id), [1]], [str(run_id), [2]]]


@committed
def test_a_retry_that_is_near_is_sent_with_a_countdown_alone(env: WorkflowEnvironment) -> None:
    run_id = ask(env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    broker.sent.clear()

    with inside(raising(Disturbed())):
        work(run_id, 1)

    (message,) = broker.sent
    assert (message["args"], message["countdown"]) == ([str(run_id), [1]], BACK_OFF.total_seconds())
    assert len(broker.headers) == 1


@committed
@pytest.mark.parametrize("line", ["write:a", "make:a"])
def test_a_broker_that_is_down_stops_nobody(env: WorkflowEnvironment, line: str) -> None:
    broker.down = True
    run_id = ask(env, SentOutSideBySideWorkflow, [line, "write:b"])
    assert [row(run_id, seq).status for seq in (1, 2)] == ["scheduled", "scheduled"]
    broker.down = False

    env.now += timedelta(seconds=10)
    tasks.wake()

    sent = [message["args"][1] for message in broker.sent if message["name"] == "workflows.attempt"]
    assert sorted(sent) == [[1], [2]]
    work(run_id, 1, 2)
    assert state(run_id) == ("completed", None)
    sound(run_id)


@committed
def test_what_is_rolled_back_is_not_sent(env: WorkflowEnvironment) -> None:
    """A step is sent once it is written; a refused commit sends nothing."""
    run_id = ask(env, SentOutWorkflow, ["write:a"])
    broker.sent.clear()
    stored = stored_step(row(run_id))

    with pytest.raises(RuntimeError), transaction.atomic():
        dispatch.send_step(run_id, stored)
        raise RuntimeError("rolled back")

    assert broker.sent == []


@committed
def test_the_last_member_drives_the_run_on_itself(env: WorkflowEnvironment) -> None:
    """Inline: it costs no message, and no other worker."""
    run_id = ask(env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    broker.sent.clear()

    work(run_id, 1)
    work(run_id, 2)

    assert state(run_id) == ("completed", None)
    assert broker.sent == []

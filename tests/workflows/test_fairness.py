"""SEMANTICS C17: a driver gives way after a slice if others wait, and coming back to a run costs no replay."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings

from tests.workflows import effects
from tests.workflows.cast import NOW, CastWorkflow
from tests.workflows.sent_out_acts import ask, drive, state, work
from tests.workflows.sent_out_cast import SentOutSideBySideWorkflow, SentOutWorkflow
from tests.workflows.views import entries, sound, undone
from workflows import Workflow, activity, operations, queries, store
from workflows.models import Run
from workflows.runtime import session, suspended
from workflows.testing import WorkflowEnvironment

Change = Callable[[timedelta], None]


@activity(name="fairness.write")
def write(*, label: str) -> str:
    effects.write(label)
    ORDER.append(label)
    return label


#: Labels in the order in which they were written.
ORDER: list[str] = []


class FairnessWorkflow(Workflow[list[str]]):
    """Steps in place, one after the other."""

    async def execute(self, label: str, steps: int) -> list[str]:
        return [await self.activity(write, label=f"{label}{number}") for number in range(1, steps + 1)]


@pytest.fixture
def slice_of(settings: Settings) -> Change:
    """Set how long a driver keeps its run while others wait."""

    def change(length: timedelta) -> None:
        settings.WORKFLOWS = {**settings.WORKFLOWS, "SLICE": length}

    return change


@pytest.fixture(autouse=True)
def _nothing_written_yet() -> None:
    ORDER.clear()


class Counted:
    """How often code was replayed and a history read."""

    replays = 0
    histories = 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Counted]]:
    Counted.replays = Counted.histories = 0
    replay, load = session.replay, store.load_history

    def counting_replay(*args: object) -> object:
        Counted.replays += 1
        return replay(*args)  # type: ignore[arg-type]

    def counting_load(run_id: uuid.UUID) -> object:
        Counted.histories += 1
        return load(run_id)

    monkeypatch.setattr(session, "replay", counting_replay)
    monkeypatch.setattr(store, "load_history", counting_load)
    yield Counted


# --- Giving way ------------------------------------------------------------------------------------------------------


def test_after_its_slice_a_driver_gives_way_to_a_run_that_waits(
    workflow_env: WorkflowEnvironment, slice_of: Change
) -> None:
    slice_of(timedelta(0))
    run = workflow_env.start(FairnessWorkflow, "a", 3)
    other = workflow_env.start(FairnessWorkflow, "b", 1)

    drive(run.id)

    let_go = Run.objects.get(pk=run.id)
    assert (let_go.status, let_go.driver, let_go.wake_at) == ("pending", None, workflow_env.now)
    assert ORDER == ["a1"]
    drive(other.id)
    drive(run.id)
    assert state(run.id) == state(other.id) == ("completed", None)
    assert effects.labels() == ["a1", "a2", "a3", "b1"]
    sound(run.id)


def test_runs_that_share_a_worker_take_turns(workflow_env: WorkflowEnvironment, slice_of: Change) -> None:
    slice_of(timedelta(0))
    runs = [workflow_env.start(FairnessWorkflow, label, 4).id for label in "abc"]

    for _ in range(5):
        for run_id in runs:
            drive(run_id)

    assert {state(run_id) for run_id in runs} == {("completed", None)}
    assert len(ORDER) == 12
    first_done = min(ORDER.index(f"{label}4") for label in "abc")
    assert {label[0] for label in ORDER[:first_done]} == {"a", "b", "c"}


def test_a_driver_does_a_step_before_it_gives_way(workflow_env: WorkflowEnvironment, slice_of: Change) -> None:
    """However long it took to come to where the run stands: else runs would wait for each other for ever."""
    slice_of(timedelta(0))
    run = workflow_env.start(FairnessWorkflow, "a", 3)
    workflow_env.start(FairnessWorkflow, "b", 1)

    for number in (1, 2, 3):
        workflow_env.restart()
        drive(run.id)
        assert len(ORDER) == number


def test_the_step_that_it_gives_way_at_has_not_begun(workflow_env: WorkflowEnvironment, slice_of: Change) -> None:
    """Else it would count as lost when the run is taken up again."""
    slice_of(timedelta(0))
    run = workflow_env.start(FairnessWorkflow, "a", 3)
    workflow_env.start(FairnessWorkflow, "b", 1)

    drive(run.id)

    last = queries.list_steps(run.id)[-1]
    assert (last.status, last.attempts) == ("scheduled", 0)


def test_nobody_gives_way_if_nobody_waits(workflow_env: WorkflowEnvironment, slice_of: Change) -> None:
    slice_of(timedelta(0))
    run = workflow_env.start(FairnessWorkflow, "a", 3)

    drive(run.id)

    assert state(run.id) == ("completed", None)


def test_before_its_slice_is_over_a_driver_keeps_its_run(workflow_env: WorkflowEnvironment, slice_of: Change) -> None:
    slice_of(timedelta(hours=1))
    run = workflow_env.start(FairnessWorkflow, "a", 3)
    workflow_env.start(FairnessWorkflow, "b", 1)

    drive(run.id)

    assert state(run.id) == ("completed", None)


@pytest.mark.parametrize("why", ["not due", "held", "closed", "driven"])
def test_a_run_that_nobody_could_drive_now_does_not_count_as_waiting(
    workflow_env: WorkflowEnvironment, slice_of: Change, why: str
) -> None:
    slice_of(timedelta(0))
    delay = timedelta(hours=1) if why == "not due" else None
    other = operations.start_run(FairnessWorkflow, "b", 1, delay=delay)
    if why == "held":
        operations.pause_run(other.id, reason="look")
    elif why == "closed":
        operations.cancel_run(other.id, reason="no longer")
    elif why == "driven":
        Run.objects.filter(pk=other.id).update(driver=uuid.uuid4())
    run = workflow_env.start(FairnessWorkflow, "a", 3)

    drive(run.id)

    assert state(run.id) == ("completed", None)


def test_a_plan_gives_way_too(workflow_env: WorkflowEnvironment, slice_of: Change) -> None:
    run = workflow_env.start(CastWorkflow, ["make:a", "make:b", "make:c", "refuse:d"])
    slice_of(timedelta(hours=1))
    workflow_env.start(FairnessWorkflow, "other", 1)
    slice_of(timedelta(0))

    turns = []
    for _ in range(8):
        drive(run.id)
        turns.append(state(run.id)[0])

    assert turns.count("compensating") >= 3
    assert turns[-1] == "compensated"
    assert undone(run.id) == ["c", "b", "a"]
    sound(run.id)


# --- Coming back -----------------------------------------------------------------------------------------------------


def test_coming_back_after_a_slice_costs_no_replay(
    workflow_env: WorkflowEnvironment, slice_of: Change, counted: type[Counted]
) -> None:
    slice_of(timedelta(0))
    run = workflow_env.start(FairnessWorkflow, "a", 6)
    workflow_env.start(FairnessWorkflow, "b", 1)

    for _ in range(7):
        drive(run.id)

    assert state(run.id) == ("completed", None)
    assert (counted.replays, counted.histories) == (1, 1)
    assert queries.get_run(run.id).result == [f"a{number}" for number in range(1, 7)]
    sound(run.id)


def test_coming_back_for_what_was_sent_out_costs_no_replay(
    workflow_env: WorkflowEnvironment, counted: type[Counted]
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a", "write:b", "write:c"])

    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert (counted.replays, counted.histories) == (1, 1)


def test_what_members_wrote_meanwhile_does_not_make_it_replay(
    workflow_env: WorkflowEnvironment, counted: type[Counted]
) -> None:
    """They write their own rows; only the driver appends history."""
    run_id = ask(workflow_env, SentOutSideBySideWorkflow, ["write:a", "write:b"])
    work(run_id, 1, 2)

    drive(run_id)

    assert queries.get_run(run_id).result == ["did a", "did b"]
    assert counted.replays == 1


@pytest.mark.parametrize("act", [operations.pause_run, operations.cancel_run])
def test_what_others_wrote_into_its_history_meanwhile_makes_it_replay(
    workflow_env: WorkflowEnvironment, counted: type[Counted], act: Callable[..., object]
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a", "write:b"])
    act(run_id, reason="look")
    if act is operations.pause_run:
        operations.resume_run(run_id, reason="go on")

    workflow_env.skip(NOW)

    assert counted.replays == 2
    assert state(run_id)[0] == ("completed" if act is operations.pause_run else "cancelled")
    sound(run_id)


def test_a_process_that_starts_anew_replays(workflow_env: WorkflowEnvironment, counted: type[Counted]) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a", "write:b"])
    workflow_env.restart()
    work(run_id)

    drive(run_id)
    workflow_env.skip(NOW)

    assert counted.replays == 2
    assert queries.get_run(run_id).result == ["did a", "did b"]


def test_a_process_keeps_so_many_and_drops_the_oldest(
    workflow_env: WorkflowEnvironment, counted: type[Counted], settings: Settings
) -> None:
    settings.WORKFLOWS = {**settings.WORKFLOWS, "SUSPENDED_RUNS": 2}
    runs = [ask(workflow_env, SentOutWorkflow, [f"write:{label}"]) for label in "abc"]
    assert counted.replays == 3

    workflow_env.skip(NOW)

    assert counted.replays == 4
    assert {state(run_id) for run_id in runs} == {("completed", None)}


def test_a_setting_of_none_keeps_none(
    workflow_env: WorkflowEnvironment, counted: type[Counted], settings: Settings
) -> None:
    settings.WORKFLOWS = {**settings.WORKFLOWS, "SUSPENDED_RUNS": 0}
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a", "write:b"])

    workflow_env.skip(NOW)

    assert state(run_id) == ("completed", None)
    assert counted.replays == 3


def test_a_run_that_has_closed_or_is_held_is_not_kept(workflow_env: WorkflowEnvironment) -> None:
    workflow_env.run(SentOutWorkflow, ["write:a"])
    run_id = ask(workflow_env, CastWorkflow, ["refuse:a"])
    assert state(run_id)[0] == "failed"

    assert not suspended._kept


def test_a_kept_run_goes_on_where_another_process_has_driven_it_meanwhile(
    workflow_env: WorkflowEnvironment, counted: type[Counted]
) -> None:
    run_id = ask(workflow_env, SentOutWorkflow, ["write:a", "write:b", "write:c"])
    kept = dict(suspended._kept)
    suspended._kept.clear()
    work(run_id, 1)
    drive(run_id)  # elsewhere
    suspended._kept.clear()
    suspended._kept.update(kept)

    work(run_id, 2)
    drive(run_id)
    workflow_env.skip(NOW)

    assert queries.get_run(run_id).result == ["did a", "did b", "did c"]
    assert len(entries(run_id, "StepCompleted")) == 3
    assert counted.replays == 3
    sound(run_id)

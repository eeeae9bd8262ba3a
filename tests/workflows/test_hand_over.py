"""SEMANTICS C14: whoever leaves a fact while a run is driven sets a mark; no driver lets go over it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, CastWorkflow
from tests.workflows.views import entries, kinds, sound
from workflows import Workflow, activity, activity_info, operations, queries, store
from workflows.models import InboxItem, Run
from workflows.testing import WorkflowEnvironment


@activity(name="hand_over.last")
def last() -> str:
    """The last step of its run."""
    return "last"


class LastWorkflow(Workflow[str]):
    """One step; then it ends or waits for its retry."""

    async def execute(self) -> str:
        return await self.activity(last)


#: What happens a second before the step `hand_over.meanwhile` settles, put there by a test.
MEANWHILE: list[Callable[[uuid.UUID], object]] = []


@activity(name="hand_over.meanwhile")
def meanwhile() -> str:
    """Something happens while the last step runs."""
    run_id = activity_info().run_id
    assert run_id is not None
    MEANWHILE.pop()(run_id)
    return "done"


class CancelledInItsLastStepWorkflow(Workflow[str]):
    """Ends right after its only step."""

    async def execute(self) -> str:
        return await self.activity(meanwhile)


Commit = Callable[[store.Checkpoint], store.Head | None]


def just_before(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, status: str) -> None:
    """Call `act` in the instant before the commit that would let the run go in `status`."""
    commit: Commit = store.commit

    def slip_in(checkpoint: store.Checkpoint) -> store.Head | None:
        if checkpoint.driver is not None and checkpoint.run.get("status") == status:
            monkeypatch.setattr(store, "commit", commit)
            act()
        return commit(checkpoint)

    monkeypatch.setattr(store, "commit", slip_in)


def cancel(run_id: uuid.UUID) -> Callable[[], object]:
    return lambda: operations.cancel_run(run_id, reason="in that instant")


def test_c14_a_cancel_in_the_instant_a_run_closes_is_recorded_as_too_late(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code has ended; the act is not lost without a word."""
    run = workflow_env.start(LastWorkflow)
    just_before(monkeypatch, cancel(run.id), status="completed")

    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.result, after.requested) == ("completed", "last", None)
    (told,) = entries(run.id, "CancelRequested")
    assert told["too_late"] is True
    assert not InboxItem.objects.filter(taken_at=None).exists()
    sound(run.id)


def test_c14_a_cancel_in_the_instant_a_run_is_let_go_is_delivered(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the mark the run would wait for its retry, and the cancel for the run."""
    run = workflow_env.start(CastWorkflow, ["disturb:a"])
    just_before(monkeypatch, cancel(run.id), status="waiting")

    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "cancelled"
    assert effects.count("tried a") == 1
    sound(run.id)


def test_c14_a_pause_in_the_instant_a_run_is_let_go_is_delivered(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = workflow_env.start(CastWorkflow, ["disturb:a"])
    just_before(monkeypatch, lambda: operations.pause_run(run.id, reason="look"), status="waiting")

    workflow_env.skip(NOW)

    after = queries.get_run(run.id)
    assert (after.status, after.hold_reason, after.requested) == ("held", "paused", None)
    sound(run.id)


def test_c14_a_cancel_left_during_the_last_step_reaches_the_code_before_its_result(
    workflow_env: WorkflowEnvironment,
) -> None:
    """Facts are taken in the order in which they became true: the cancel came before the step settled."""
    run = workflow_env.start(CancelledInItsLastStepWorkflow)

    def cancel_a_second_before(run_id: uuid.UUID) -> None:
        operations.cancel_run(run_id, reason="while it runs")
        workflow_env.now += timedelta(seconds=1)

    MEANWHILE.append(cancel_a_second_before)
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).status == "cancelled"
    order = [kind for kind in kinds(run.id) if kind in ("CancelRequested", "StepCompleted", "RunCancelled")]
    assert order == ["CancelRequested", "StepCompleted", "RunCancelled"]
    assert queries.list_steps(run.id)[0].status == "completed"
    sound(run.id)


def test_c14_the_mark_is_taken_away_before_looking_so_that_what_comes_later_marks_again(
    workflow_env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = workflow_env.start(CastWorkflow, ["write:a"])
    looked: list[bool] = []
    load = store.load_inbox

    def look(run_id: uuid.UUID) -> object:
        looked.append(Run.objects.values_list("wanted", flat=True).get(pk=run_id))
        return load(run_id)

    monkeypatch.setattr(store, "load_inbox", look)
    just_before(monkeypatch, cancel(run.id), status="completed")

    workflow_env.skip(NOW)

    assert len(looked) == 2
    assert not any(looked)

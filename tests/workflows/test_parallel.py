"""SEMANTICS B7, A: side by side on rows: all settle, the first failure is raised once, every effect has its undo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import (
    NOW,
    attempt,
    book,
    disturb,
    disturb_always,
    make,
    make_booked,
    refuse,
    undo_write,
    write,
)
from tests.workflows.improvised import (
    FailingWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    make_later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries, kinds, step_statuses, undone
from workflows import ActivityFailed, Retry, WorkflowFailed, operations, queries
from workflows.runtime import advance, members
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


# --- Results ---------------------------------------------------------------------------------------------------------


async def labelled(workflow: ImprovisedWorkflow, label: str) -> str:
    first = await workflow.activity(write, label=f"{label}1")
    return f"{first}, {await workflow.activity(book, label=f'{label}2')}"


def test_members_run_once_each_and_results_stand_in_the_order_given(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(
            named=workflow.activity(write, label="a"),
            listed=workflow.gather(workflow.activity(book, label="b"), workflow.activity(write, label="c")),
            branch=labelled(workflow, "d"),
            nothing=workflow.gather(),
        )

    assert workflow_env.run(ImprovisedWorkflow, improvise(body)) == {
        "named": "wrote a",
        "listed": ["booked b", "wrote c"],
        "branch": "wrote d1, booked d2",
        "nothing": [],
    }
    assert effects.labels() == ["a", "b", "c", "d1", "d2"]


def test_in_the_kit_members_run_in_the_order_they_were_scheduled(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(*(workflow.activity(write, label=label) for label in "dacb"))

    workflow_env.run(ImprovisedWorkflow, improvise(body))

    assert [call["label"] for call in workflow_env.calls(write)] == list("dacb")


def test_members_of_a_flat_gather_are_one_batch_and_others_are_not(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(*(workflow.activity(write, label=label) for label in "ab"))
        await workflow.gather(*(workflow.activity(write, label=label) for label in "cd"), max_parallel=2)
        await workflow.gather(labelled(workflow, "e"), labelled(workflow, "f"))

    run = begin(workflow_env, body)

    assert [step.batch for step in queries.list_steps(run.id)] == [1, 1] + [None] * 6


def test_max_parallel_lets_no_more_run_at_once(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(*(workflow.activity(later, label=label) for label in "abcd"), max_parallel=2)

    run = begin(workflow_env, body)
    for settled, begun in (("", "ab"), ("b", "abc"), ("a", "abcd"), ("d", "abcd")):
        if settled:
            settle(settled)
            workflow_env.skip(NOW)
        assert effects.labels() == [f"began {label}" for label in begun]
    settle("c")

    assert workflow_env.finish(run.id) == [f"did {label}" for label in "abcd"]


def test_a_gather_goes_on_in_another_process(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(later, label="a"), workflow.activity(later, label="b"))

    run = begin(workflow_env, body)
    settle("b")
    workflow_env.restart()
    workflow_env.skip(NOW)
    workflow_env.restart()
    settle("a")

    assert workflow_env.finish(run.id) == ["did a", "did b"]
    assert effects.labels() == ["began a", "began b"]


def test_a_started_handle_runs_while_the_code_goes_on(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start(later, label="a")
        second = await workflow.activity(write, label="b")
        return [second, await handle]

    run = begin(workflow_env, body)
    assert effects.labels() == ["b", "began a"]
    settle("a")

    assert workflow_env.finish(run.id) == ["wrote b", "did a"]


# --- The first failure -----------------------------------------------------------------------------------------------


def test_a_member_that_has_started_commits_later_and_is_undone_once_after_it(
    workflow_env: WorkflowEnvironment,
) -> None:
    """gather(a, b), both with undo: b fails while a runs, a commits later: a's undo runs once, after a."""

    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(make_later, label="a"), workflow.activity(refuse, label="b"))

    run = begin(workflow_env, body)
    assert state(run.id) == "waiting"
    assert effects.count("undo a") == 0
    workflow_env.skip(timedelta(seconds=5))
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert effects.count("undo a") == 1
    told = kinds(run.id)
    assert told.index("StepFailed") < told.index("StepCompleted") < told.index("CompensationStarted")


@pytest.mark.parametrize("fails", ["a", "c"])
def test_what_has_not_started_is_cancelled_and_never_runs(workflow_env: WorkflowEnvironment, fails: str) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(
            *(workflow.activity(refuse if label == fails else make, label=label) for label in "abcd")
        )

    run = begin(workflow_env, body)

    before = {"a": [], "c": ["a", "b"]}[fails]
    assert state(run.id) == ("compensated" if before else "failed")
    assert [call["label"] for call in workflow_env.calls(make)] == before
    assert undone(run.id) == before[::-1]
    assert [status for name, status in step_statuses(run.id) if name == "make"].count("cancelled") == 3 - len(before)


def test_the_first_failure_delivered_is_raised_once_and_is_the_runs_error(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(later, label="a"), workflow.activity(later, label="b"))

    run = begin(workflow_env, body)
    refuse_later("b")
    workflow_env.skip(NOW)
    refuse_later("a")

    with pytest.raises(WorkflowFailed, match="no to b"):
        workflow_env.finish(run.id)
    assert len(entries(run.id, "StepFailed")) == 2


def test_members_that_all_fail_before_anybody_looks_are_all_settled(workflow_env: WorkflowEnvironment) -> None:
    """Workers were faster than the driver: what has an outcome is not given up, though its attempt was never told."""

    async def body(workflow: ImprovisedWorkflow) -> Any:
        steps = [workflow.activity(refuse, label="a"), workflow.activity(refuse, label="b")]
        return await workflow.gather(*steps, workflow.activity(make, label="c"))

    run = workflow_env.start(ImprovisedWorkflow, improvise(body))
    advance.advance(run.id)
    members.attempt(run.id, [1, 2, 3])
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert [status for _, status in step_statuses(run.id)] == ["failed", "failed", "completed", "completed"]
    assert "no to a" in str(queries.get_run(run.id).error)
    assert undone(run.id) == ["c"]
    told = [(entry.kind, entry.data["seq"]) for entry in queries.get_history(run.id) if entry.data.get("seq") == 2]
    assert [kind for kind, _ in told] == ["StepScheduled", "StepStarted", "AttemptFailed", "StepFailed"]


def test_the_plan_runs_in_reverse_order_of_delivery_not_of_scheduling(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(*(workflow.activity(make_later, label=label) for label in "abc"))
        await workflow.activity(refuse, label="d")

    run = begin(workflow_env, body)
    for label in "bca":
        settle(label)
        workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["a", "c", "b"]


def test_a_branch_that_is_cancelled_meets_it_once_and_may_tidy_up(workflow_env: WorkflowEnvironment) -> None:
    met: list[str] = []

    async def tidy(workflow: ImprovisedWorkflow) -> None:
        try:
            await workflow.activity(make_later, label="a")
            await workflow.activity(make, label="never")
        except BaseException as raised:
            met.append(type(raised).__name__)
            await workflow.activity(write, label="tidied")
            raise

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(tidy(workflow), workflow.activity(later, label="b"))

    run = begin(workflow_env, body)
    refuse_later("b")
    workflow_env.skip(NOW)
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert met == ["Cancelled"]
    assert effects.count("tidied") == effects.count("undo a") == 1
    assert effects.count("never") == 0


def test_a_member_in_its_back_off_is_given_up_and_what_it_attempted_is_undone(
    workflow_env: WorkflowEnvironment,
) -> None:
    tried = attempt.options(retry=Retry(max_attempts=5, initial=60.0))

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(workflow.activity(tried, label="a"), workflow.activity(later, label="b"))

    run = begin(workflow_env, body)
    refuse_later("b")
    workflow_env.skip(timedelta(hours=1))

    assert state(run.id) == "compensated"
    assert step_statuses(run.id)[0] == ("attempt", "cancelled")
    assert effects.count("a") == effects.count("undo a") == 1


def test_a_failure_that_a_member_recovers_from_cancels_nobody(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(disturb, label="a"), workflow.activity(later, label="b"))

    run = begin(workflow_env, body)
    workflow_env.skip(timedelta(minutes=5))
    settle("b")

    assert workflow_env.finish(run.id) == ["did a", "did b"]


def test_a_failure_that_the_code_catches_stops_nothing(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.gather(workflow.activity(make, label="a"), workflow.activity(refuse, label="b"))
        except ActivityFailed:
            return await workflow.activity(write, label="instead")

    run = begin(workflow_env, body)

    assert state(run.id) == "completed"
    assert effects.labels() == ["a", "instead", "refused b"]
    assert [item.status for item in queries.get_compensation_plan(run.id)] == ["planned"]


def test_tolerated_failures_end_the_run_well_and_leave_the_others_effects(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        members = [workflow.activity(make, label="a"), workflow.activity(refuse, label="b"), labelled(workflow, "c")]
        return await workflow.gather(*members, tolerate=1)

    assert workflow_env.run(ImprovisedWorkflow, improvise(body)) == ["made a", None, "wrote c1, booked c2"]
    assert effects.labels() == ["a", "c1", "c2", "refused b"]


# --- The end ---------------------------------------------------------------------------------------------------------


def test_a_return_with_open_handles_gives_up_what_has_not_started_and_settles_the_rest(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> str:
        workflow.start(later, label="a")
        await workflow.activity(later, label="b")
        workflow.start(write, label="never")
        return "done"

    run = begin(workflow_env, body)
    settle("b")
    workflow_env.skip(NOW)
    assert state(run.id) == "waiting"
    settle("a")

    assert workflow_env.finish(run.id) == "done"
    assert effects.count("never") == 0
    assert step_statuses(run.id)[2] == ("write", "cancelled")


def test_a_failure_with_open_handles_settles_them_before_the_plan_and_undoes_them(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        workflow.start(make_later, label="a")
        await workflow.activity(make, label="b")
        await workflow.activity(later, label="c")

    run = begin(workflow_env, body)
    refuse_later("c")
    workflow_env.skip(NOW)
    assert state(run.id) == "waiting"
    assert effects.count("undo b") == 0
    settle("a")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["a", "b"]


def test_a_failure_stops_the_commands_of_other_branches(workflow_env: WorkflowEnvironment) -> None:
    """A4: a handler that could go on asks for nothing any more."""

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(later, label="a")

    run = begin(workflow_env, body)
    operations.signal_run(run.id, "break_off_later", "handler")
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(NOW)
    settle("handler")
    workflow_env.skip(NOW)

    assert state(run.id) == "failed"
    assert queries.get_run(run.id).error["code"] == "cast_refused"  # type: ignore[index]
    assert len(queries.list_steps(run.id)) == 2


@pytest.mark.parametrize("workflow", [ImprovisedWorkflow, FailingWorkflow])
def test_steps_of_members_enter_the_plan_though_nobody_awaited_them(
    workflow_env: WorkflowEnvironment, workflow: type[ImprovisedWorkflow]
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        workflow.start(make_booked, label="a")
        workflow.start(disturb_always, label="b")
        await workflow.activity(later, label="c")

    run = begin(workflow_env, body, workflow)
    refuse_later("c")
    workflow_env.skip(NOW)

    assert effects.count("undo a") == (1 if workflow is ImprovisedWorkflow else 0)
    (item,) = queries.get_compensation_plan(run.id)
    assert (item.undone_activity, item.activity) == ("cast.make_booked", undo_write.name)


def test_an_undo_added_by_hand_in_a_branch_stands_from_its_commit_on(workflow_env: WorkflowEnvironment) -> None:
    async def branch(workflow: ImprovisedWorkflow, label: str) -> None:
        workflow.add_compensation(undo_write, label=label)
        await workflow.activity(later, label=label)

    async def body(workflow: ImprovisedWorkflow) -> None:
        await workflow.gather(branch(workflow, "a"), branch(workflow, "b"))

    run = begin(workflow_env, body)
    refuse_later("a")
    settle("b")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert undone(run.id) == ["b", "a"]

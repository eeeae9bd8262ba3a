"""SEMANTICS B7, B10: members side by side settle all; the first failure cancels the others and is raised once."""

from __future__ import annotations

from typing import Any

from tests.core.flows import GatheringWorkflow, ProbeWorkflow, labels, other_step, probe, step
from tests.core.memory import MemoryRun, scheduled
from workflows import ActivityFailed, Cancelled
from workflows.core.commands import CancelStep
from workflows.core.machine import Finished

SEEN: list[str] = []


async def follow(workflow: ProbeWorkflow, label: str, *, steps: int = 2) -> str:
    """A branch that notes what it meets."""
    try:
        for number in range(1, steps + 1):
            await workflow.activity(step, label=f"{label}{number}")
    except (ActivityFailed, Cancelled) as met:
        SEEN.append(f"{label} met {type(met).__name__}")
        raise
    return label


def gathering(*names: str) -> MemoryRun:
    """A run of one gather whose branches are named; its result says how gather ended."""
    SEEN.clear()

    async def body(workflow: ProbeWorkflow) -> Any:
        try:
            return await workflow.gather(*(follow(workflow, name) for name in names))
        except (ActivityFailed, Cancelled) as raised:
            SEEN.append(f"gather raised {type(raised).__name__}")
            return str(raised)

    return probe(body)


def test_members_begin_in_the_order_given() -> None:
    assert labels(gathering("a", "b", "c").start()) == ["a1", "b1", "c1"]


def test_results_stand_in_the_order_given_whatever_the_order_of_settling() -> None:
    run = gathering("a", "b")
    run.start()
    run.complete(2)
    run.complete(1)
    run.complete(3)
    run.complete(4)

    assert run.machine.finished == Finished(result=["a", "b"])


def test_named_members_give_a_dict_in_the_order_given() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return list((await workflow.gather(z=workflow.activity(step), a=workflow.activity(step))).items())

    run = probe(body)
    run.start()
    run.complete(2, "second")
    run.complete(1, "first")

    assert run.machine.finished == Finished(result=[["z", "first"], ["a", "second"]])


def test_an_empty_gather_gives_an_empty_result() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather()

    run = probe(body)
    run.start()

    assert run.machine.finished == Finished(result=[])


def test_the_first_failure_is_raised_only_when_all_have_settled() -> None:
    run = gathering("a", "b")
    run.start()
    run.begin(1)
    run.begin(2)

    assert run.fail(1, "first") == []
    assert run.machine.finished is None

    run.complete(2)
    assert run.machine.finished == Finished(result="flows.step failed after 1 attempt(s): first")


def test_the_first_failure_cancels_steps_that_have_not_started() -> None:
    run = gathering("a", "b", "c")
    run.start()
    run.begin(1)
    run.begin(2)

    assert run.fail(1) == [CancelStep(3, "flows.step")]


def test_a_started_step_is_delivered_to_its_branch_which_meets_cancelled_at_its_next_await() -> None:
    run = gathering("a", "b")
    run.start()
    run.begin(1)
    run.begin(2)
    run.fail(1)

    assert run.complete(2) == []
    assert SEEN == ["a met ActivityFailed", "b met Cancelled", "gather raised ActivityFailed"]


def test_a_branch_that_is_cancelled_may_tidy_up_with_steps() -> None:
    SEEN.clear()

    async def tidy(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.activity(step, label="b1")
        finally:
            await workflow.activity(other_step, label="tidy")
            SEEN.append("tidied")

    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.gather(follow(workflow, "a"), tidy(workflow))
        except ActivityFailed as raised:
            return str(raised)
        return "no failure"

    run = probe(body)
    run.start()
    run.begin(1)

    assert scheduled(run.fail(1, "first")) == ["flows.other_step"]
    assert run.machine.finished is None

    run.complete(3)
    assert "tidied" in SEEN
    assert run.machine.finished is not None
    assert "first" in run.machine.finished.result


def test_a_later_failure_is_not_raised() -> None:
    run = gathering("a", "b")
    run.start()
    run.begin(1)
    run.begin(2)
    run.fail(1, "first")
    run.fail(2, "second")

    assert run.machine.finished is not None
    assert run.machine.finished.result.endswith("first")


def test_the_first_failure_is_the_first_delivered_not_the_first_given() -> None:
    run = gathering("a", "b")
    run.start()
    run.begin(1)
    run.begin(2)
    run.fail(2, "delivered first")
    run.fail(1, "delivered second")

    assert run.machine.finished is not None
    assert run.machine.finished.result.endswith("delivered first")


def test_a_branch_that_catches_its_own_failure_cancels_nobody() -> None:
    async def careful(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.activity(step, label="risky")
        except ActivityFailed:
            return "caught"
        return "done"

    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(careful(workflow), follow(workflow, "b", steps=1))

    run = probe(body)
    run.start()
    assert run.fail(1) == []
    run.complete(2)

    assert run.machine.finished == Finished(result=["caught", "b"])


def test_a_failure_deep_inside_cancels_the_others_on_every_floor() -> None:
    SEEN.clear()

    async def inner(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(follow(workflow, "c"), follow(workflow, "d"))

    async def body(workflow: ProbeWorkflow) -> Any:
        try:
            return await workflow.gather(follow(workflow, "a"), inner(workflow))
        except ActivityFailed as raised:
            return str(raised)

    run = probe(body)
    assert labels(run.start()) == ["a1", "c1", "d1"]
    for seq in (1, 2, 3):
        run.begin(seq)
    run.fail(2, "deep")
    run.complete(3)
    run.complete(1)

    assert SEEN == ["c met ActivityFailed", "d met Cancelled", "a met Cancelled"]
    assert run.machine.finished is not None
    assert run.machine.finished.result.endswith("deep")


def test_a_cancel_of_the_run_reaches_every_branch_once() -> None:
    run = gathering("a", "b")
    run.start()
    run.begin(1)

    assert run.cancel() == [CancelStep(2, "flows.step")]
    run.complete(1)

    assert sorted(SEEN) == ["a met Cancelled", "b met Cancelled", "gather raised Cancelled"]


def test_after_a_cancel_clean_up_may_run_side_by_side() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        try:
            await workflow.gather(follow(workflow, "a"), follow(workflow, "b"))
        except Cancelled:
            return await workflow.gather(follow(workflow, "tidy", steps=1), follow(workflow, "up", steps=1))

    run = probe(body)
    run.start()
    assert labels(run.cancel()) == ["tidy1", "up1"]
    run.complete(3)
    run.complete(4)

    assert run.machine.finished == Finished(result=["tidy", "up"])


def test_branches_that_become_ready_together_run_first_in_first_out() -> None:
    run = gathering("a", "b", "c", "d")
    run.start()
    run.begin(2)

    run.fail(2)

    assert SEEN[:4] == ["b met ActivityFailed", "a met Cancelled", "c met Cancelled", "d met Cancelled"]


def test_a_member_that_is_no_call_of_this_workflow_is_refused_at_the_call() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.gather("a text")
        except TypeError as refusal:
            return str(refusal)
        return "accepted"

    run = probe(body)
    run.start()

    assert run.machine.finished is not None
    assert "not a str" in run.machine.finished.result


def test_branches_replay_from_each_point_of_their_history() -> None:
    run = MemoryRun(GatheringWorkflow)
    run.start()
    for seq in (2, 1, 3, 4):
        run.complete(seq)

    machine = run.replayed()

    assert [handle.command.args["label"] for handle in machine.open_steps if handle.command] == ["after"]

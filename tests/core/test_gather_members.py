"""SEMANTICS B7: what can be gathered: calls, handles, coroutines, other gathers, by place or by name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.core.flows import ProbeWorkflow, labels, other_step, probe, step
from tests.core.memory import MemoryRun, scheduled
from workflows import ActivityFailed, Cancelled
from workflows.core.commands import CancelStep
from workflows.core.events import EventKind
from workflows.core.machine import Finished

pytestmark = pytest.mark.usefixtures("runs_replay")

HOUR = timedelta(hours=1)


async def branch(workflow: ProbeWorkflow, label: str, *, steps: int = 1) -> str:
    for number in range(1, steps + 1):
        await workflow.activity(step, label=f"{label}{number}")
    return label


def refusal_of(run: MemoryRun) -> Any:
    """What a body returned that caught a refusal; nothing may have been asked for."""
    assert run.start() == []
    assert run.machine.finished is not None
    return run.machine.finished.result


def test_calls_handles_timers_waits_and_coroutines_stand_side_by_side() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="handle")
        return await workflow.gather(
            handle,
            workflow.activity(step, label="call"),
            branch(workflow, "branch"),
            workflow.sleep(HOUR),
            workflow.wait_for(lambda: workflow.heard),
            workflow.first_of(workflow.activity(step, label="raced"), workflow.sleep(HOUR)),
        )

    run = probe(body)
    begun = run.start()
    assert labels(begun) == ["handle", "call", "raced", "branch1"]
    assert scheduled(begun).count("sleep") == 2
    for seq in (1, 2, 5, 7):
        run.complete(seq, f"result {seq}")
    run.fire(3)
    run.signal("say", word="go")

    assert run.machine.finished == Finished(result=["result 1", "result 2", "branch", None, True, "result 5"])


def test_a_gather_of_gathers_gives_results_inside_results() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(
            left=workflow.gather(branch(workflow, "a"), branch(workflow, "b")),
            right=workflow.gather(c=branch(workflow, "c")),
        )

    run = probe(body)
    assert labels(run.start()) == ["a1", "b1", "c1"]
    for seq in (3, 1, 2):
        run.complete(seq)

    assert run.machine.finished == Finished(result={"left": ["a", "b"], "right": {"c": "c"}})


def test_a_handle_that_has_settled_is_gathered_with_its_result() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        await handle
        return await workflow.gather(handle, workflow.activity(step, label="b"))

    run = probe(body)
    run.start()
    run.complete(1, "A")
    run.complete(2, "B")

    assert run.machine.finished == Finished(result=["A", "B"])


def test_a_handle_that_has_failed_fails_the_gather_and_nothing_else_begins() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        await workflow.activity(step, label="meanwhile")
        return await workflow.gather(handle, workflow.activity(step, label="b"), branch(workflow, "c"))

    run = probe(body)
    run.start()
    run.fail(1, "no")

    assert run.complete(2) == []
    assert run.machine.finished is not None
    assert run.machine.finished.failed_step == 1


def test_of_handles_that_failed_before_the_first_delivered_is_raised() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handles = [workflow.start(step, label=label) for label in "ab"]
        await workflow.activity(step, label="meanwhile")
        return await workflow.gather(*handles)

    run = probe(body)
    run.start()
    run.fail(2)
    run.fail(1)
    run.complete(3)

    assert run.machine.finished is not None
    assert run.machine.finished.failed_step == 2


def test_a_handle_may_be_awaited_twice_and_gives_the_same_each_time() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        return [await handle, await handle]

    run = probe(body)
    assert labels(run.start()) == ["a"]
    run.complete(1, "A")

    assert run.machine.finished == Finished(result=["A", "A"])


def test_a_failure_that_is_awaited_twice_is_raised_twice() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        met = []
        for _ in range(2):
            try:
                await handle
            except ActivityFailed as failure:
                met.append(str(failure.__cause__))
        return met

    run = probe(body)
    run.start()
    run.fail(1, "no")

    assert run.machine.finished == Finished(result=["no", "no"])


def test_two_branches_may_await_one_handle() -> None:
    async def waiting(handle: Any) -> Any:
        return await handle

    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        return await workflow.gather(waiting(handle), waiting(handle), handle)

    run = probe(body)
    assert labels(run.start()) == ["a"]
    run.complete(1, "A")

    assert run.machine.finished == Finished(result=["A"] * 3)


def test_a_branch_that_is_given_up_leaves_the_step_to_others_that_await_it() -> None:
    async def waiting(handle: Any) -> Any:
        return await handle

    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="shared")

        async def failing() -> Any:
            return await workflow.gather(waiting(handle), workflow.activity(step, label="fails"))

        gathered = await workflow.gather(waiting(handle), failing(), return_failures=True)
        return [type(value).__name__ for value in gathered]

    run = probe(body)
    run.start()
    run.begin(2)

    assert run.fail(2) == []
    run.complete(1, "shared after all")

    assert run.machine.finished == Finished(result=["str", "ActivityFailed"])


def test_a_condition_that_raises_is_a_failure_like_any_other() -> None:
    """The members that have started are settled before it is raised."""

    async def body(workflow: ProbeWorkflow) -> str:
        started = workflow.start(step, label="started")
        await workflow.wait_for(lambda: workflow.heard)
        try:
            await workflow.gather(started, workflow.wait_for(lambda: workflow.heard[7]))
        except IndexError:
            return "raised"
        return "done"

    run = probe(body)
    run.start()
    run.begin(1)
    run.signal("say", word="go")
    assert not run.machine.ended

    run.complete(1)
    assert run.machine.finished == Finished(result="raised")


def test_a_race_that_never_began_does_not_keep_a_gather_waiting() -> None:
    """A handle that had failed before fails the gather at once; the race's started handle settles later."""

    async def body(workflow: ProbeWorkflow) -> Any:
        failed, slow = workflow.start(step, label="a"), workflow.start(step, label="b")
        await workflow.activity(step, label="meanwhile")
        return await workflow.gather(failed, workflow.first_of(slow, workflow.sleep(HOUR)))

    run = probe(body)
    run.start()
    for seq in (1, 2, 3):
        run.begin(seq)
    run.fail(1)
    run.complete(3)
    assert run.machine.ended

    run.complete(2)
    assert run.machine.finished is not None
    assert run.machine.finished.failed_step == 1


# --- The plan of `self.compensate()` as a member ---------------------------------------------------------------------


def test_a_plan_that_runs_is_awaited_when_another_member_fails() -> None:
    async def undoing(workflow: ProbeWorkflow) -> str:
        await workflow.compensate()
        return "undone"

    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(undoing(workflow), workflow.activity(other_step, label="a"))

    run = probe(body)
    run.start()
    run.begin(1)
    run.machine.note(run.record(EventKind.PLAN_STARTED, {"end": "resume", "seq": 2}))

    assert run.fail(1) == []
    assert run.machine.finished is None
    run.complete(2)
    assert run.machine.finished is not None
    assert run.replayed().finished == run.machine.finished


def test_a_plan_that_has_not_begun_is_given_up_when_another_member_fails() -> None:
    async def undoing(workflow: ProbeWorkflow) -> None:
        await workflow.compensate()

    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(undoing(workflow), workflow.activity(other_step, label="a"))

    run = probe(body)
    run.start()
    run.begin(1)

    assert run.fail(1) == [CancelStep(2, "compensate")]


# --- Refused at the call ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["a text", None, 7, step, [1], lambda: None, ProbeWorkflow])
def test_what_is_no_call_of_this_workflow_is_refused_at_the_call(member: Any) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            workflow.gather(member)
        except TypeError as refusal:
            return str(refusal)
        return "accepted"

    assert f"not a {type(member).__name__}" in refusal_of(probe(body))


def test_a_call_of_another_run_is_refused_at_the_call() -> None:
    kept: list[Any] = []

    async def lender(workflow: ProbeWorkflow) -> None:
        kept.append(workflow.activity(step, label="lent"))

    async def borrower(workflow: ProbeWorkflow) -> str:
        try:
            workflow.gather(kept[0])
        except TypeError as refusal:
            return str(refusal)
        return "accepted"

    probe(lender).start()

    assert "of this workflow" in refusal_of(probe(borrower))


def test_the_same_coroutine_twice_is_refused_at_the_call() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        twice = branch(workflow, "a")
        try:
            workflow.gather(twice, twice)
        except ValueError as refusal:
            return str(refusal)
        return "accepted"

    assert "twice" in refusal_of(probe(body))


def test_the_same_coroutine_in_two_gathers_is_refused_at_the_second_call() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        twice = branch(workflow, "a")
        workflow.gather(twice)
        try:
            workflow.first_of(twice)
        except ValueError as refusal:
            return str(refusal)
        return "accepted"

    assert "twice" in refusal_of(probe(body))


@pytest.mark.parametrize("kind", ["call", "sleep", "gather"])
def test_the_same_member_twice_is_refused_at_the_call(kind: str) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        calls: dict[str, Any] = {
            "call": workflow.activity(step),
            "sleep": workflow.sleep(HOUR),
            "gather": workflow.gather(),
        }
        member = calls[kind]
        try:
            workflow.gather(member, member)
        except ValueError as refusal:
            return str(refusal)
        return "accepted"

    assert "twice" in refusal_of(probe(body))


def test_members_in_a_row_and_by_name_together_are_refused_at_the_call() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            workflow.gather(workflow.activity(step), b=workflow.activity(step))  # type: ignore[call-overload]
        except TypeError as refusal:
            return str(refusal)
        return "accepted"

    assert "not both" in refusal_of(probe(body))


def test_what_was_refused_or_never_awaited_keeps_no_run_from_its_end() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.gather(branch(workflow, "forgotten"))
        try:
            workflow.gather(branch(workflow, "refused"), "a text")  # type: ignore[call-overload]
        except TypeError:
            return "ended"
        return "accepted"

    assert refusal_of(probe(body)) == "ended"


def test_a_cancelled_member_may_tidy_up_and_gather_awaits_that() -> None:
    async def tidy(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            await workflow.gather(branch(workflow, "tidy"), branch(workflow, "up"))
            raise

    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(tidy(workflow), workflow.activity(step, label="fails"))

    run = probe(body)
    run.start()
    assert labels(run.fail(1)) == ["tidy1", "up1"]
    run.complete(3)
    assert run.machine.finished is None
    run.complete(4)

    assert run.machine.finished is not None
    assert run.machine.finished.failed_step == 1

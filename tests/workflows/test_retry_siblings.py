"""SEMANTICS D20: a retry of parallel runs: whatever settled stays, what was given up is open again, numbers are new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, disturb, make, refuse_until_repaired, write
from tests.workflows.improvised import (
    HOUR,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    later,
    make_later,
    refuse_later,
    settle,
    state,
)
from tests.workflows.views import entries, step_statuses
from workflows import ActivityFailed, Cancelled, Workflow, operations, queries, signal
from workflows.core.errors import RetryRefused
from workflows.models import InboxItem
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")

#: Whether what fails in the code of these tests has been repaired.
REPAIRED: dict[str, bool] = {}


@pytest.fixture(autouse=True)
def _broken() -> Iterator[None]:
    REPAIRED.clear()
    yield


class WaitingHandlerWorkflow(HeldWorkflow):
    """Has a handler that waits."""

    name = "retry_siblings.Waiting"

    @signal
    async def hang(self) -> None:
        """Waits for the word `go`."""
        await self.wait_for(lambda: "go" in self.heard)
        self.heard.append("went")


async def three(workflow: ImprovisedWorkflow) -> Any:
    return await workflow.gather(*(workflow.activity(make_later, label=label) for label in "abc"))


def retried(env: WorkflowEnvironment, run_id: Any) -> None:
    operations.retry_run(run_id, reason="again")
    env.skip(NOW)


def test_siblings_in_their_back_off_go_on_trying_after_it(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(disturb, label="a"), workflow.activity(later, label="b"))

    run = begin(workflow_env, body, HeldWorkflow)
    refuse_later("b")
    workflow_env.skip(NOW)
    assert step_statuses(run.id)[0] == ("disturb", "cancelled")
    retried(workflow_env, run.id)
    settle("b")

    assert workflow_env.finish(run.id) == ["did a", "did b"]
    assert effects.count("tried a") == 3


@pytest.mark.parametrize("kind", ["back-off", "timer", "wait"])
def test_what_was_given_up_only_when_the_run_ended_is_open_again(workflow_env: WorkflowEnvironment, kind: str) -> None:
    """Given up in a later activation than the failure's own: the branch's handle, once all had settled."""

    async def branch(workflow: ImprovisedWorkflow) -> Any:
        handles: dict[str, Any] = {
            "back-off": lambda: workflow.start(disturb, label="x"),
            "timer": lambda: workflow.first_of(workflow.sleep(HOUR), workflow.activity(later, label="e")),
            "wait": lambda: workflow.gather(workflow.wait_for(lambda: "go" in workflow.heard), sleeping(workflow)),
        }
        if kind == "back-off":
            handle = handles[kind]()
            return [await workflow.activity(later, label="d"), await handle]
        return [await workflow.activity(later, label="d"), await handles[kind]()]

    async def sleeping(workflow: ImprovisedWorkflow) -> None:
        await workflow.sleep(HOUR)

    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(branch(workflow), workflow.activity(later, label="b"))

    run = begin(workflow_env, body, HeldWorkflow)
    refuse_later("b")
    workflow_env.skip(NOW)
    settle("d")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (failure)"

    retried(workflow_env, run.id)
    settle("b")
    operations.signal_run(run.id, "say", "go")
    workflow_env.skip(2 * HOUR)
    if kind == "timer":
        settle("e")

    assert workflow_env.finish(run.id)[1] == "did b"


def test_a_handle_that_code_left_open_when_it_raised_is_open_again(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        handle = workflow.start(disturb, label="x")
        await workflow.activity(later, label="a")
        if not REPAIRED:
            raise ValueError("a bug")
        return await handle

    run = begin(workflow_env, body, HeldWorkflow)
    settle("a")
    workflow_env.skip(NOW)
    assert step_statuses(run.id)[0] == ("disturb", "cancelled")
    REPAIRED["code"] = True

    retried(workflow_env, run.id)

    assert workflow_env.finish(run.id) == "did x"


@pytest.mark.parametrize("raised_in", ["branch", "handler"])
def test_code_that_raised_is_decided_again_where_it_raised_though_others_settled_since(
    workflow_env: WorkflowEnvironment, raised_in: str
) -> None:
    async def branch(workflow: ImprovisedWorkflow) -> str:
        done = await workflow.activity(later, label="a")
        if raised_in == "branch" and not REPAIRED:
            raise ValueError("a bug")
        return done

    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(branch(workflow), workflow.activity(later, label="b"), workflow.sleep(HOUR))

    class RepairedWorkflow(HeldWorkflow):
        name = f"retry_siblings.Repaired{raised_in}"

        @signal
        def break_off(self, why: str) -> None:
            """Fails until it is repaired."""
            if not REPAIRED:
                raise ValueError(why)

    run = begin(workflow_env, body, RepairedWorkflow)
    if raised_in == "handler":
        operations.signal_run(run.id, "break_off", "a bug")
        workflow_env.skip(NOW)
    settle("a")
    workflow_env.skip(NOW)
    settle("b")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (failure)"
    REPAIRED["code"] = True
    workflow_env.restart()

    retried(workflow_env, run.id)

    assert state(run.id) == "waiting"
    assert workflow_env.finish(run.id) == ["did a", "did b", None]
    assert effects.labels() == ["began a", "began b"]


def test_signals_and_updates_after_the_failure_are_delivered_again_in_order(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(workflow.activity(later, label="a"), workflow.activity(later, label="b"))
        return list(workflow.heard)

    run = begin(workflow_env, body, HeldWorkflow)
    operations.signal_run(run.id, "say", "before")
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(NOW)
    operations.signal_run(run.id, "say", "after")
    answered = operations.update_run(run.id, "add", "updated", id="u")
    settle("b")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (failure)"

    retried(workflow_env, run.id)
    settle("a")

    assert workflow_env.finish(run.id) == ["before", "after", "updated"]
    assert operations.update_run(run.id, "add", "updated", id="u") == answered == 3
    assert len(entries(run.id, "SignalReceived")) == 2
    assert not InboxItem.objects.filter(taken_at=None).exists()


def test_a_timer_that_fired_after_the_failure_is_delivered_again(workflow_env: WorkflowEnvironment) -> None:
    class SleepyWorkflow(HeldWorkflow):
        name = "retry_siblings.Sleepy"

        @signal
        async def nap(self) -> None:
            """Sleeps beside the code."""
            await self.sleep(HOUR)
            self.heard.append("slept")

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(workflow.activity(later, label="a"), workflow.activity(later, label="b"))
        await workflow.wait_for(lambda: workflow.heard)
        return list(workflow.heard)

    run = begin(workflow_env, body, SleepyWorkflow)
    operations.signal_run(run.id, "nap")
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(2 * HOUR)
    settle("b")
    workflow_env.skip(NOW)
    assert state(run.id) == "held (failure)"

    retried(workflow_env, run.id)
    settle("a")

    assert workflow_env.finish(run.id) == ["slept"]
    assert len(entries(run.id, "TimerFired")) == 1


def test_numbers_of_what_was_asked_for_in_reaction_are_never_given_again(workflow_env: WorkflowEnvironment) -> None:
    async def tidy(workflow: ImprovisedWorkflow) -> str:
        try:
            return await workflow.activity(later, label="a")
        except Cancelled:
            workflow.start(write, label="tidied in vain")
            raise

    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(tidy(workflow), workflow.activity(refuse_until_repaired, label="b"))
        return await workflow.activity(write, label="after")

    run = begin(workflow_env, body, HeldWorkflow)
    workflow_env.skip(NOW)
    before = {step.seq for step in queries.list_steps(run.id)}
    effects.write("repaired")
    retried(workflow_env, run.id)
    settle("a")

    assert workflow_env.finish(run.id) == "wrote after"
    steps = queries.list_steps(run.id)
    assert len({step.seq for step in steps}) == len(steps)
    assert {step.seq for step in steps if step.arguments["label"] == "after"}.isdisjoint(before)


def test_a_reaction_that_has_begun_refuses_the_retry(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.gather(workflow.activity(later, label="a"), workflow.activity(make, label="b"))
        except ActivityFailed:
            await workflow.activity(write, label="reaction")
            raise

    run = begin(workflow_env, body, HeldWorkflow)
    refuse_later("a")
    workflow_env.skip(NOW)

    with pytest.raises(RetryRefused, match="has begun"):
        operations.retry_run(run.id, reason="again")
    assert state(run.id) == "held (failure)"


def test_a_wait_that_was_satisfied_since_refuses_the_retry(workflow_env: WorkflowEnvironment) -> None:
    """Its step is completed, which is final: the code could not wait for it again."""

    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(workflow.activity(later, label="a"), workflow.activity(later, label="b"))

    run = begin(workflow_env, body, WaitingHandlerWorkflow)
    operations.signal_run(run.id, "hang")
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(NOW)
    operations.signal_run(run.id, "say", "go")
    workflow_env.skip(NOW)
    settle("b")
    workflow_env.skip(NOW)

    with pytest.raises(RetryRefused, match="a wait has been satisfied"):
        operations.retry_run(run.id, reason="again")


def test_a_wait_that_is_still_open_is_waited_for_again(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(workflow.activity(later, label="a"), workflow.activity(later, label="b"))
        await workflow.wait_for(lambda: "went" in workflow.heard)
        return list(workflow.heard)

    run = begin(workflow_env, body, WaitingHandlerWorkflow)
    operations.signal_run(run.id, "hang")
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(NOW)
    settle("b")
    workflow_env.skip(NOW)
    retried(workflow_env, run.id)
    settle("a")
    operations.signal_run(run.id, "say", "go")

    assert workflow_env.finish(run.id) == ["go", "went"]


def test_edited_input_is_for_the_failed_member_alone(workflow_env: WorkflowEnvironment) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.gather(
            workflow.activity(make, label="a"),
            workflow.activity(refuse_until_repaired, label="b"),
            workflow.activity(make, label="c"),
        )

    run = begin(workflow_env, body, HeldWorkflow)
    keys = {step.seq: step.key for step in queries.list_steps(run.id)}
    effects.write("repaired")
    operations.retry_run(run.id, reason="another label", input={"label": "d"})

    assert workflow_env.finish(run.id) == ["made a", "did d", "made c"]
    after = {step.seq: step.key for step in queries.list_steps(run.id)}
    assert [seq for seq in after if after[seq] != keys[seq]] == [2]
    assert after[2] == f"{keys[2]}:g2"


def test_undos_of_siblings_stand_after_a_retry_each_once(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, three, HeldWorkflow)
    settle("a")
    refuse_later("b")
    workflow_env.skip(NOW)
    settle("c")
    workflow_env.skip(NOW)
    retried(workflow_env, run.id)
    refuse_later("b")
    workflow_env.skip(NOW)
    operations.compensate_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    assert state(run.id) == "compensated"
    assert effects.count("undo a") == effects.count("undo c") == 1
    assert effects.count("undo b") == 0


def test_a_failure_in_a_race_is_retried_and_what_the_race_gave_up_is_open_again(
    workflow_env: WorkflowEnvironment,
) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.first_of(workflow.activity(later, label="a"), workflow.sleep(HOUR))

    run = begin(workflow_env, body, HeldWorkflow)
    refuse_later("a")
    workflow_env.skip(NOW)
    assert step_statuses(run.id)[1] == ("sleep", "cancelled")
    retried(workflow_env, run.id)
    workflow_env.skip(HOUR)
    settle("a")

    assert workflow_env.finish(run.id) is None


def test_retry_is_told_with_what_it_opened_again(workflow_env: WorkflowEnvironment) -> None:
    class ShapedWorkflow(Workflow[Any]):
        name = "retry_siblings.Shaped"
        on_failure = "hold"

        async def execute(self) -> Any:
            return await self.gather(self.activity(later, label="a"), self.sleep(HOUR), self.sleep(2 * HOUR))

    run = workflow_env.start(ShapedWorkflow)
    workflow_env.skip(NOW)
    refuse_later("a")
    workflow_env.skip(NOW)
    operations.retry_run(run.id, actor="ada", reason="again")

    (told,) = entries(run.id, "RetryRequested")
    assert (told["seq"], told["reopened"], told["next_seq"]) == (1, [2, 3], 4)
    workflow_env.skip(NOW)
    settle("a")
    assert workflow_env.finish(run.id) == ["did a", None, None]

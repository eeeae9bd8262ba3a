"""Facts in, commands out: how a live workflow is driven, one delivered fact at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.core.flows import CatchingWorkflow, ProbeWorkflow, SequenceWorkflow, count, other_step, probe, step
from tests.core.memory import BEGIN, MemoryRun, scheduled
from workflows import ActivityFailed
from workflows.core.commands import CancelStep
from workflows.core.errors import PayloadError
from workflows.core.machine import Finished


def test_the_start_asks_for_the_first_step_only() -> None:
    run = MemoryRun(SequenceWorkflow)

    (command,) = run.start()

    assert (command.seq, command.name, command.args) == (1, "flows.step", {"label": "0"})  # type: ignore[union-attr]
    assert run.machine.finished is None


def test_each_result_asks_for_the_next_step_and_the_last_one_finishes() -> None:
    run = MemoryRun(SequenceWorkflow, steps=2)
    run.start()

    assert scheduled(run.complete(1, "one")) == ["flows.step"]
    assert run.complete(2, "two") == []
    assert run.machine.finished == Finished(result=["one", "two"])
    assert run.machine.open_steps == []


def test_the_result_reaches_the_code_as_its_declared_type() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.activity(count, upto=3) + 1

    run = probe(body)
    run.start()
    run.complete(1, 3)

    assert run.machine.finished == Finished(result=4)


def test_a_failure_reaches_the_code_with_activity_type_code_attempts_and_cause() -> None:
    met: list[ActivityFailed] = []

    async def body(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.activity(step, label="a")
        except ActivityFailed as failure:
            met.append(failure)

    run = probe(body)
    run.start()
    run.fail(1, "the card is blocked", code="card_blocked")

    (failure,) = met
    assert (failure.activity, failure.type, failure.code, failure.attempts) == (
        "flows.step",
        "Refusal",
        "card_blocked",
        1,
    )
    assert "the card is blocked" in str(failure)
    assert str(failure.__cause__) == "the card is blocked"
    assert run.machine.finished == Finished()


def test_a_failure_that_leaves_execute_ends_the_run_with_its_error() -> None:
    run = MemoryRun(SequenceWorkflow)
    run.start()
    run.fail(1, "no", code="blocked")

    finished = run.machine.finished
    assert finished is not None
    assert finished.error is not None
    assert (finished.error["type"], finished.error["code"], finished.cancelled) == ("ActivityFailed", "blocked", False)


def test_an_argument_that_does_not_fit_is_refused_where_it_is_given_and_no_step_is_asked_for() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.activity(count, upto="many")  # type: ignore[arg-type]
        except PayloadError as refusal:
            return str(refusal)
        return "accepted"

    run = probe(body)

    assert run.start() == []
    assert run.machine.finished is not None
    assert "upto" in run.machine.finished.result


def test_arguments_of_a_step_are_given_by_name() -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.activity(count, 3)  # type: ignore[call-arg]

    run = probe(body)
    run.start()

    assert run.machine.finished is not None
    assert run.machine.finished.error is not None
    assert run.machine.finished.error["type"] == "TypeError"


def test_a_result_that_does_not_fit_the_workflows_type_is_an_error_of_the_run() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return object()

    run = probe(body)
    run.start()

    assert run.machine.finished is not None
    assert run.machine.finished.error is not None
    assert run.machine.finished.error["code"] == "invalid_input"


def test_now_is_the_time_of_delivery_and_never_goes_back() -> None:
    seen: list[Any] = []

    async def body(workflow: ProbeWorkflow) -> None:
        for label in "abc":
            seen.append(workflow.now())
            await workflow.activity(step, label=label)
        seen.append(workflow.now())

    run = probe(body)
    run.start()
    for seq, minutes in ((1, 10), (2, 5), (3, 20)):
        fact = run.record_completion(seq)
        run.deliver(fact, at=BEGIN + timedelta(minutes=minutes))

    assert [moment - BEGIN for moment in seen[1:]] == [timedelta(minutes=m) for m in (10, 10, 20)]
    assert seen[0] == run.events[1].at


# --- Cancel ----------------------------------------------------------------------------------------------------------


def test_a_cancel_is_raised_at_the_await_and_clean_up_may_ask_for_steps() -> None:
    run = MemoryRun(CatchingWorkflow)
    run.start()

    commands = run.cancel()

    assert scheduled(commands) == ["flows.other_step"]
    run.complete(2)
    assert run.machine.finished == Finished(result="met Cancelled")


def test_a_cancel_gives_up_the_step_that_has_not_started() -> None:
    run = MemoryRun(CatchingWorkflow)
    run.start()

    assert run.cancel()[0] == CancelStep(1, "flows.step")


def test_a_cancel_leaves_the_step_that_has_started_to_settle_before_the_run_ends() -> None:
    run = MemoryRun(SequenceWorkflow)
    run.start()
    run.begin(1)

    assert run.cancel() == []
    assert run.machine.ended
    assert run.machine.finished is None

    run.complete(1, "late")
    finished = run.machine.finished
    assert finished is not None
    assert finished.cancelled


def test_a_cancel_that_leaves_execute_ends_it_as_cancelled() -> None:
    run = MemoryRun(SequenceWorkflow)
    run.start()
    run.cancel()

    finished = run.machine.finished
    assert finished is not None
    assert finished.cancelled
    assert finished.error is not None
    assert finished.error["code"] == "cancelled"


def test_a_cancel_is_raised_once() -> None:
    async def body(workflow: ProbeWorkflow) -> list[str]:
        met = []
        for label in "abc":
            try:
                await workflow.activity(step, label=label)
            except BaseException as raised:
                met.append(type(raised).__name__)
        return met

    run = probe(body)
    run.start()
    run.cancel()
    run.complete(2)
    run.complete(3)

    assert run.machine.finished == Finished(result=["Cancelled"])


def test_a_cancel_is_not_swallowed_by_except_exception() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.activity(step, label="a")
        except Exception:
            return "swallowed"
        return "done"

    run = probe(body)
    run.start()
    run.cancel()

    assert run.machine.finished is not None
    assert run.machine.finished.cancelled


def test_a_cancel_of_branches_gives_up_what_has_not_started_and_awaits_what_has() -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.gather(workflow.activity(step, label="a"), workflow.activity(other_step, label="b"))

    run = probe(body)
    assert scheduled(run.start()) == ["flows.step", "flows.other_step"]
    run.begin(1)

    commands = run.cancel()

    assert commands == [CancelStep(2, "flows.other_step")]
    assert run.machine.finished is None
    run.complete(1)
    assert run.machine.finished is not None


def test_memory_does_not_grow_with_the_steps_a_run_has_done() -> None:
    run = MemoryRun(SequenceWorkflow, steps=50)
    run.start()
    for seq in range(1, 50):
        run.complete(seq)

    assert list(run.machine.steps) == [50]


@pytest.mark.parametrize("late", [1, 2])
def test_facts_of_branches_may_come_in_any_order(late: int) -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(a=workflow.activity(step), b=workflow.activity(step))

    run = probe(body)
    run.start()
    for seq in sorted((1, 2), key=lambda number: number == late):
        run.complete(seq, f"result {seq}")

    assert run.machine.finished == Finished(result={"a": "result 1", "b": "result 2"})

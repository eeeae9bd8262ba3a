"""SEMANTICS B9: timers and waits, as the machine decides them: when they are due, in which order they go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.core.flows import ProbeWorkflow, labels, probe, step
from tests.core.memory import BEGIN
from workflows import NonDeterminismError
from workflows.core.commands import CancelStep, SatisfyWait, ScheduleStep
from workflows.core.events import EventKind
from workflows.core.machine import Finished
from workflows.core.status import StepKind

pytestmark = pytest.mark.usefixtures("runs_replay")

HOUR = timedelta(hours=1)
#: When a memory run's first activation is delivered.
FIRST = BEGIN + timedelta(seconds=2)


def only(commands: Any) -> ScheduleStep:
    (command,) = commands
    assert isinstance(command, ScheduleStep)
    return command


# --- Timers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("delay", "due"), [
    (HOUR, FIRST + HOUR),
    (timedelta(microseconds=1), FIRST + timedelta(microseconds=1)),
    (timedelta(0), FIRST),
    (timedelta(seconds=-5), FIRST),
    (timedelta(days=3650), FIRST + timedelta(days=3650)),
])  # fmt: skip
def test_a_sleep_is_a_timer_that_is_due_after_its_delay_and_not_before_now(delay: timedelta, due: datetime) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        await workflow.sleep(delay)
        return "woke"

    run = probe(body)
    timer = only(run.start())
    assert (timer.kind, timer.due_at) == (StepKind.TIMER, due)
    run.fire(1)

    assert run.machine.finished == Finished(result="woke")


def test_a_sleep_of_nothing_is_still_a_point_where_others_run() -> None:
    order: list[str] = []

    async def other(workflow: ProbeWorkflow) -> None:
        order.append("other")

    async def sleeping(workflow: ProbeWorkflow) -> None:
        await workflow.sleep(timedelta(0))
        order.append("slept")

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.gather(sleeping(workflow), other(workflow))

    run = probe(body)
    run.start()
    run.fire(1)

    assert order == ["other", "slept"]


def test_a_sleep_counts_from_where_it_is_awaited() -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        nap = workflow.sleep(HOUR)
        await workflow.activity(step, label="a")
        await nap

    run = probe(body)
    run.start()
    fact = run.record(EventKind.STEP_COMPLETED, {"seq": 1, "result": None}, at=BEGIN + timedelta(hours=5))

    timer = only(run.deliver(fact))

    assert timer.due_at == BEGIN + timedelta(hours=6)


@pytest.mark.parametrize("moment", [
    datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    datetime(2026, 3, 1, 10, 30, tzinfo=timezone(HOUR)),
    datetime(2020, 1, 1, tzinfo=UTC),
])  # fmt: skip
def test_sleep_until_is_due_at_its_instant_also_one_that_has_passed(moment: datetime) -> None:
    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.sleep_until(moment)

    assert only(probe(body).start()).due_at == moment


@pytest.mark.parametrize(("call", "error"), [
    (lambda workflow: workflow.sleep(5), TypeError),
    (lambda workflow: workflow.sleep(None), TypeError),
    (lambda workflow: workflow.sleep(timedelta.max), ValueError),
    (lambda workflow: workflow.sleep_until(datetime(2026, 3, 1)), ValueError),
    (lambda workflow: workflow.sleep_until("2026-03-01"), TypeError),
    (lambda workflow: workflow.sleep_until(HOUR), TypeError),
    (lambda workflow: workflow.wait_for(True), TypeError),
    (lambda workflow: workflow.wait_for(lambda: True, timeout=5), TypeError),
    (lambda workflow: workflow.wait_for(lambda: True, timeout=timedelta.max), ValueError),
])  # fmt: skip
def test_what_is_no_time_is_refused_at_the_call(call: Any, error: type[Exception]) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            call(workflow)
        except error:
            return "refused"
        return "accepted"

    run = probe(body)

    assert run.start() == []
    assert run.machine.finished == Finished(result="refused")


# --- wait_for --------------------------------------------------------------------------------------------------------


async def waits(workflow: ProbeWorkflow) -> Any:
    return await workflow.wait_for(lambda: "go" in workflow.heard, timeout=HOUR)


def test_a_condition_that_holds_already_is_no_step() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        workflow.heard.append("go")
        return await waits(workflow)

    run = probe(body)

    assert run.start() == []
    assert run.machine.finished == Finished(result=True)


def test_a_wait_without_a_time_has_no_due_time() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.wait_for(lambda: False)

    command = only(probe(body).start())

    assert (command.kind, command.due_at, command.args) == (StepKind.WAIT, None, {})


def test_a_wait_goes_on_with_true_once_its_condition_holds() -> None:
    run = probe(waits)
    assert only(run.start()).due_at == FIRST + HOUR

    assert run.signal("say", word="wait") == []
    assert run.signal("say", word="go") == [SatisfyWait(1)]

    assert run.machine.finished == Finished(result=True)


def test_a_wait_whose_time_is_over_gives_false_and_that_is_final() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        first = await waits(workflow)
        await workflow.wait_for(lambda: "go" in workflow.heard)
        return first

    run = probe(body)
    run.start()
    run.fire(1)
    run.signal("say", word="go")

    assert run.machine.finished == Finished(result=False)
    assert run.replayed().finished == Finished(result=False)


def test_a_condition_is_asked_for_its_truth() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return [await workflow.wait_for(lambda: workflow.heard), await workflow.wait_for(lambda: 1)]

    run = probe(body)
    run.start()
    run.signal("say", word="anything")

    assert run.machine.finished == Finished(result=[True, True])


def test_a_condition_that_another_branch_makes_true_resumes_its_wait_in_the_same_activation() -> None:
    async def setting(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="a")
        workflow.heard.append("go")

    async def body(workflow: ProbeWorkflow) -> Any:
        await workflow.gather(waits(workflow), setting(workflow))
        return await workflow.activity(step, label="after")

    run = probe(body)
    run.start()

    assert labels(run.complete(2)) == ["after"]


def test_conditions_are_asked_in_the_order_of_their_waits_and_one_goes_on_at_a_time() -> None:
    """The first that holds goes on until all is quiet, then the scan starts anew (SEMANTICS B9)."""
    order: list[str] = []

    async def taking(workflow: ProbeWorkflow, name: str) -> None:
        await workflow.wait_for(lambda: workflow.heard)
        order.append(f"{name} took {workflow.heard.pop()}")

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.gather(taking(workflow, "first"), taking(workflow, "second"))

    run = probe(body)
    run.start()
    assert run.signal("say", word="one") == [SatisfyWait(1)]
    assert run.signal("say", word="two") == [SatisfyWait(2)]

    assert order == ["first took one", "second took two"]


def test_a_wait_that_goes_on_may_make_an_earlier_condition_hold() -> None:
    order: list[str] = []

    async def early(workflow: ProbeWorkflow) -> None:
        await workflow.wait_for(lambda: workflow.allowed)
        order.append("early")

    async def late(workflow: ProbeWorkflow) -> None:
        await workflow.wait_for(lambda: workflow.heard)
        order.append("late")
        workflow.allowed = True

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.gather(early(workflow), late(workflow))

    run = probe(body)
    run.start()

    assert run.signal("say", word="go") == [SatisfyWait(2), SatisfyWait(1)]
    assert order == ["late", "early"]


def test_branches_that_a_fact_made_ready_run_before_any_condition_is_asked() -> None:
    order: list[str] = []

    async def waiting(workflow: ProbeWorkflow) -> None:
        await workflow.wait_for(lambda: workflow.allowed)
        order.append("wait")

    async def setting(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="a")
        workflow.allowed = True
        order.append("set")
        await workflow.gather(more(workflow), more(workflow))

    async def more(workflow: ProbeWorkflow) -> None:
        order.append("more")

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.gather(waiting(workflow), setting(workflow))

    run = probe(body)
    run.start()
    run.complete(2)

    assert order == ["set", "more", "more", "wait"]


def test_a_condition_that_raises_reaches_the_code_that_waits() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.wait_for(lambda: workflow.heard and workflow.heard[7])
        except IndexError:
            return "raised"
        return "went on"

    run = probe(body)
    run.start()
    run.signal("say", word="go")

    assert run.machine.finished == Finished(result="raised")


def test_a_condition_that_raises_at_once_reaches_the_code_that_waits() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.wait_for(lambda: workflow.heard[0])  # type: ignore[arg-type]
        except IndexError:
            return "raised"
        return "went on"

    run = probe(body)

    assert run.start() == []
    assert run.machine.finished == Finished(result="raised")


@pytest.mark.parametrize("moment", ["at once", "later"])
@pytest.mark.parametrize("asks", ["track", "start", "uuid4", "side_effect", "add_compensation"])
def test_a_condition_that_asks_for_something_is_a_violation(asks: str, moment: str) -> None:
    def condition(workflow: ProbeWorkflow) -> bool:
        if moment == "later" and not workflow.heard:
            return False
        acts: dict[str, Any] = {
            "track": lambda: workflow.track("asked"),
            "start": lambda: workflow.start(step, label="asked"),
            "uuid4": workflow.uuid4,
            "side_effect": lambda: workflow.side_effect(lambda: 1),
            "add_compensation": lambda: workflow.add_compensation(step, label="asked"),
        }
        acts[asks]()
        return True

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.wait_for(lambda: condition(workflow))

    run = probe(body)
    with pytest.raises(NonDeterminismError, match="condition of wait_for may only read"):
        run.start()
        run.signal("say", word="go")


def test_waits_that_a_race_gave_up_are_asked_no_more() -> None:
    asked: list[str] = []

    def condition() -> bool:
        asked.append("asked")
        return False

    async def body(workflow: ProbeWorkflow) -> None:
        await workflow.first_of(workflow.wait_for(condition), workflow.wait_for(lambda: workflow.heard))
        asked.clear()
        await workflow.wait_for(lambda: len(workflow.heard) > 1)

    run = probe(body)
    run.start()
    assert CancelStep(1, "wait_for") in run.signal("say", word="go")
    asked.clear()
    run.signal("say", word="again")

    assert asked == []


# --- Replay ----------------------------------------------------------------------------------------------------------


def test_after_a_timer_that_fired_late_now_is_when_it_was_delivered() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        await workflow.sleep(timedelta(seconds=10))
        return workflow.now().isoformat()

    run = probe(body)
    run.start()
    run.deliver(run.record(EventKind.TIMER_FIRED, {"seq": 1, "result": None}, at=FIRST + HOUR))

    assert run.machine.finished == Finished(result=(FIRST + HOUR).isoformat())


def test_a_wait_that_another_code_would_not_have_satisfied_is_a_mismatch() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.wait_for(lambda: "go" in workflow.heard)

    run = probe(body)
    run.start()
    run.signal("say", word="go")
    events = list(run.events)

    async def changed(workflow: ProbeWorkflow) -> Any:
        return await workflow.wait_for(lambda: "stop" in workflow.heard)

    changed.__name__ = "body"
    later = probe(changed)

    with pytest.raises(NonDeterminismError) as mismatch:
        later.replayed(events)
    assert (mismatch.value.expected, mismatch.value.found) == ("wait 1 satisfied", "nothing")
    probe(body)

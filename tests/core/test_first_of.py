"""SEMANTICS B8: `first_of` goes on with the first that settles; losers are given up and settle in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.core.flows import ProbeWorkflow, labels, other_step, probe, step
from tests.core.memory import scheduled
from workflows import ActivityFailed, Cancelled
from workflows.core.commands import CancelStep
from workflows.core.machine import Finished

pytestmark = pytest.mark.usefixtures("runs_replay")

HOUR = timedelta(hours=1)


async def race(workflow: ProbeWorkflow) -> Any:
    """Two steps; then a last one."""
    try:
        won = await workflow.first_of(workflow.activity(step, label="a"), workflow.activity(step, label="b"))
    except ActivityFailed as failure:
        won = f"failed: {failure.__cause__}"
    return [won, await workflow.activity(other_step, label="after")]


# --- The winner ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [1, 2])
def test_the_first_that_settles_gives_the_result_at_once(first: int) -> None:
    run = probe(race)
    assert labels(run.start()) == ["a", "b"]

    assert scheduled(run.complete(first, f"result {first}")) == ["flows.other_step"]

    run.complete(3, "after")
    assert run.machine.finished == Finished(result=[f"result {first}", "after"])


def test_the_first_that_fails_raises_its_error_at_once() -> None:
    run = probe(race)
    run.start()

    assert scheduled(run.fail(2, "no")) == ["flows.other_step"]

    run.complete(3, "after")
    assert run.machine.finished == Finished(result=["failed: no", "after"])


def test_coroutines_race_by_the_end_of_their_last_step() -> None:
    async def branch(workflow: ProbeWorkflow, label: str, steps: int) -> str:
        for number in range(1, steps + 1):
            await workflow.activity(step, label=f"{label}{number}")
        return label

    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.first_of(branch(workflow, "long", 2), branch(workflow, "short", 1))

    run = probe(body)
    run.start()
    run.complete(1)
    run.complete(2)

    assert run.machine.finished == Finished(result="short")


def test_of_handles_that_have_settled_the_one_delivered_first_wins() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handles = [workflow.start(step, label=label) for label in "ab"]
        await workflow.activity(step, label="meanwhile")
        return await workflow.first_of(*handles)

    run = probe(body)
    run.start()
    run.complete(2, "B")
    run.complete(1, "A")
    run.complete(3)

    assert run.machine.finished == Finished(result="B")


def test_what_has_settled_before_wins_and_the_others_never_begin() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        await handle
        return await workflow.first_of(workflow.activity(step, label="b"), handle, workflow.sleep(HOUR))

    run = probe(body)
    run.start()

    assert run.complete(1, "A") == []
    assert run.machine.finished == Finished(result="A")


def test_a_condition_that_holds_wins_before_later_members_begin() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.first_of(workflow.wait_for(lambda: True), workflow.activity(step, label="b"))

    run = probe(body)

    assert run.start() == []
    assert run.machine.finished == Finished(result=True)


def test_one_member_alone_is_awaited() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.first_of(workflow.activity(step, label="a"))

    run = probe(body)
    run.start()
    run.complete(1, "A")

    assert run.machine.finished == Finished(result="A")


def test_a_race_of_races_and_gathers() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.first_of(
            workflow.first_of(workflow.activity(step, label="a"), workflow.activity(step, label="b")),
            workflow.gather(workflow.activity(step, label="c"), workflow.activity(step, label="d")),
        )

    run = probe(body)
    assert labels(run.start()) == ["a", "b", "c", "d"]
    run.complete(3, "C")
    assert run.machine.finished is None
    run.complete(4, "D")

    assert run.machine.finished == Finished(result=["C", "D"])


# --- The losers ------------------------------------------------------------------------------------------------------


def test_losers_that_have_not_started_are_given_up_at_once() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.first_of(
            workflow.activity(step, label="a"),
            workflow.activity(step, label="b"),
            workflow.sleep(HOUR),
            workflow.wait_for(lambda: False, timeout=HOUR),
        )

    run = probe(body)
    run.start()
    run.begin(1)

    assert run.complete(1) == [CancelStep(2, "flows.step"), CancelStep(3, "sleep"), CancelStep(4, "wait_for")]


def test_a_loser_that_has_started_settles_in_the_background_before_the_run_closes() -> None:
    run = probe(race)
    run.start()
    run.begin(2)
    run.complete(1, "A")
    run.complete(3, "after")
    assert run.machine.ended
    assert run.machine.finished is None

    run.complete(2, "late")

    assert run.machine.finished == Finished(result=["A", "after"])


@pytest.mark.parametrize("when", ["before the end", "after it"])
def test_a_loser_that_completes_after_all_is_to_be_undone_at_once(when: str) -> None:
    run = probe(race)
    run.start()
    run.begin(2)
    run.complete(1)
    if when == "after it":
        run.complete(3)

    run.complete(2, "late")

    assert run.machine.completed_after_all == [2]


def test_a_loser_that_fails_after_all_is_heard_by_nobody() -> None:
    run = probe(race)
    run.start()
    run.begin(2)
    run.complete(1, "A")

    assert run.fail(2, "late") == []

    run.complete(3, "after")
    assert run.machine.completed_after_all == []
    assert run.machine.finished == Finished(result=["A", "after"])


@pytest.mark.parametrize("shape", ["gather", "branch", "branch with a gather", "race", "named gather"])
def test_whatever_a_loser_had_started_is_to_be_undone_if_it_completes(shape: str) -> None:
    async def branch(workflow: ProbeWorkflow) -> Any:
        return await workflow.activity(step, label="inner")

    async def nested(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(workflow.activity(step, label="inner"), workflow.sleep(HOUR))

    async def body(workflow: ProbeWorkflow) -> Any:
        wins = workflow.activity(step, label="wins")
        inner = workflow.activity(step, label="inner")
        losers: dict[str, Any] = {
            "gather": lambda: workflow.gather(inner, workflow.sleep(HOUR)),
            "branch": lambda: branch(workflow),
            "branch with a gather": lambda: nested(workflow),
            "race": lambda: workflow.first_of(inner, workflow.sleep(HOUR)),
            "named gather": lambda: workflow.gather(inner=inner, other=workflow.sleep(HOUR)),
        }
        await workflow.first_of(wins, losers[shape]())
        await workflow.activity(other_step, label="after")

    run = probe(body)
    begun = run.start()
    (inner,) = [command.seq for command in begun if getattr(command, "args", {}).get("label") == "inner"]  # type: ignore[union-attr]
    run.begin(inner)
    run.complete(1)

    run.complete(inner)

    assert run.machine.completed_after_all == [inner]


def test_what_a_loser_had_completed_before_stays_in_the_plan() -> None:
    async def branch(workflow: ProbeWorkflow) -> Any:
        await workflow.activity(step, label="first")
        await workflow.activity(step, label="second")

    async def body(workflow: ProbeWorkflow) -> Any:
        await workflow.first_of(branch(workflow), workflow.activity(step, label="wins"))
        await workflow.activity(other_step, label="after")

    run = probe(body)
    run.start()
    run.complete(2)
    run.begin(3)
    run.complete(1)
    run.complete(3)

    assert run.machine.completed_after_all == [3]


def test_a_losing_branch_meets_cancelled_once_and_its_clean_up_is_no_loser() -> None:
    seen: list[str] = []

    async def tidy(workflow: ProbeWorkflow) -> None:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            seen.append("cancelled")
            await workflow.activity(other_step, label="tidy")
            seen.append("tidied")

    async def body(workflow: ProbeWorkflow) -> str:
        await workflow.first_of(tidy(workflow), workflow.activity(step, label="wins"))
        return "went on"

    run = probe(body)
    run.start()
    assert labels(run.complete(1)) == ["tidy"]
    assert run.machine.ended
    run.begin(3)
    run.complete(3)

    assert seen == ["cancelled", "tidied"]
    assert run.machine.completed_after_all == []
    assert run.machine.finished == Finished(result="went on")


def test_a_losing_branch_is_not_awaited_by_the_winner() -> None:
    async def slow(workflow: ProbeWorkflow) -> None:
        await workflow.activity(step, label="slow")

    async def body(workflow: ProbeWorkflow) -> Any:
        await workflow.first_of(slow(workflow), workflow.sleep(HOUR))
        return await workflow.activity(other_step, label="after")

    run = probe(body)
    run.start()
    run.begin(2)

    assert labels(run.fire(1)) == ["after"]


def test_a_handle_that_lost_keeps_its_result_for_whoever_asks_again() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        handle = workflow.start(step, label="a")
        await workflow.first_of(handle, workflow.sleep(HOUR))
        return await handle

    run = probe(body)
    run.start()
    run.begin(1)
    run.fire(2)
    run.complete(1, "A")

    assert run.machine.completed_after_all == [1]
    assert run.machine.finished == Finished(result="A")


def test_a_cancel_of_the_run_cancels_every_member_and_is_raised_once_all_have_settled() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            await workflow.first_of(workflow.activity(step, label="a"), workflow.activity(step, label="b"))
        except Cancelled:
            return "cancelled"
        return "won"

    run = probe(body)
    run.start()
    run.begin(1)

    assert run.cancel() == [CancelStep(2, "flows.step")]
    assert not run.machine.ended
    run.complete(1)

    assert run.machine.finished == Finished(result="cancelled")
    assert run.machine.completed_after_all == []


# --- Refused at the call ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("members", "error"), [((), ValueError), (("a text",), TypeError), ((None,), TypeError)])
def test_a_race_of_nothing_or_of_strangers_is_refused_at_the_call(
    members: tuple[Any, ...], error: type[Exception]
) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        try:
            workflow.first_of(*members)
        except error as refusal:
            return str(refusal)
        return "accepted"

    run = probe(body)
    run.start()

    assert run.machine.finished is not None
    assert run.machine.finished.result.startswith("first_of")

"""SEMANTICS B7: how much of a gather may fail, and how much of it runs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.core.flows import ProbeWorkflow, labels, probe, step
from tests.core.memory import MemoryRun
from workflows import ActivityFailed, Cancelled
from workflows.core.commands import CancelStep
from workflows.core.machine import Finished

pytestmark = pytest.mark.usefixtures("runs_replay")


def gathering(*names: str, **options: Any) -> MemoryRun:
    """A run of one gather of steps, begun; its result tells how the gather ended."""

    async def body(workflow: ProbeWorkflow) -> Any:
        try:
            gathered = await workflow.gather(*(workflow.activity(step, label=name) for name in names), **options)
        except (ActivityFailed, Cancelled) as raised:
            return f"raised {type(raised).__name__}: {raised}"
        return [str(value) for value in gathered]

    run = probe(body)
    run.start()
    for seq in range(1, len(run.machine.open_steps) + 1):
        run.begin(seq)
    return run


def result_of(run: MemoryRun) -> Any:
    assert run.machine.finished is not None
    return run.machine.finished.result


# --- tolerate --------------------------------------------------------------------------------------------------------


def test_tolerated_failures_leave_none_in_their_places() -> None:
    run = gathering("a", "b", "c", tolerate=1)
    run.fail(2)
    run.complete(1, "A")
    run.complete(3, "C")

    assert result_of(run) == ["A", "None", "C"]


def test_a_tolerated_failure_cancels_nobody() -> None:
    run = gathering("a", "b", "c", tolerate=1)

    assert run.fail(2) == []
    assert run.machine.finished is None


def test_beyond_the_tolerance_the_first_failure_is_raised_once_all_have_settled() -> None:
    run = gathering("a", "b", "c", tolerate=1)
    run.fail(3, "the first")
    run.fail(1, "the second")
    assert run.machine.finished is None

    run.complete(2)

    assert result_of(run) == "raised ActivityFailed: flows.step failed after 1 attempt(s): the first"


def test_beyond_the_tolerance_what_has_not_started_is_given_up() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(*(workflow.activity(step, label=name) for name in "abc"), tolerate=1)

    run = probe(body)
    run.start()
    run.begin(1)
    run.begin(2)
    run.fail(1)

    assert run.fail(2) == [CancelStep(3, "flows.step")]


def test_a_tolerance_of_all_never_raises() -> None:
    run = gathering("a", "b", tolerate=2)
    run.fail(1)
    run.fail(2)

    assert result_of(run) == ["None", "None"]


# --- min_successful --------------------------------------------------------------------------------------------------


def test_enough_successes_leave_none_in_the_places_that_failed() -> None:
    run = gathering("a", "b", "c", min_successful=2)
    run.fail(1)
    run.complete(2, "B")
    run.complete(3, "C")

    assert result_of(run) == ["None", "B", "C"]


def test_too_few_successes_raise_the_first_failure() -> None:
    run = gathering("a", "b", "c", min_successful=2)
    run.fail(2, "the first")
    run.fail(1, "the second")
    run.complete(3)

    assert str(result_of(run)).endswith("the first")


def test_all_settle_though_enough_have_succeeded() -> None:
    run = gathering("a", "b", min_successful=1)
    run.complete(1, "A")
    assert run.machine.finished is None

    run.complete(2, "B")
    assert result_of(run) == ["A", "B"]


@pytest.mark.parametrize(("options", "failures", "raises"), [
    ({"tolerate": 2, "min_successful": 3}, 1, False),
    ({"tolerate": 2, "min_successful": 3}, 2, True),
    ({"tolerate": 1, "min_successful": 0}, 1, False),
    ({"tolerate": 1, "min_successful": 0}, 2, True),
    ({"tolerate": 0, "min_successful": 1}, 1, True),
])  # fmt: skip
def test_of_both_bounds_the_stricter_counts(options: dict[str, int], failures: int, raises: bool) -> None:
    run = gathering("a", "b", "c", "d", **options)
    for seq in range(1, 5):
        _ = run.fail(seq) if seq <= failures else run.complete(seq)

    assert str(result_of(run)).startswith("raised") is raises


# --- return_failures -------------------------------------------------------------------------------------------------


def test_return_failures_alone_tolerates_all_and_gives_the_exceptions() -> None:
    run = gathering("a", "b", return_failures=True)
    run.fail(1, "one")
    run.fail(2, "two")

    assert [str(text).rsplit(" ", 1)[-1] for text in result_of(run)] == ["one", "two"]


def test_a_returned_failure_is_what_the_code_would_have_met() -> None:
    met: list[Any] = []

    async def body(workflow: ProbeWorkflow) -> None:
        met.extend(await workflow.gather(workflow.activity(step, label="a"), return_failures=True))

    run = probe(body)
    run.start()
    run.fail(1, "the card is blocked", code="card_blocked")

    (failure,) = met
    assert isinstance(failure, ActivityFailed)
    assert (failure.code, failure.activity, str(failure.__cause__)) == (
        "card_blocked",
        "flows.step",
        "the card is blocked",
    )


def test_return_failures_gives_the_exceptions_within_a_tolerance() -> None:
    run = gathering("a", "b", "c", tolerate=1, return_failures=True)
    run.fail(1, "one")
    run.complete(2, "B")
    run.complete(3, "C")

    assert result_of(run) == ["flows.step failed after 1 attempt(s): one", "B", "C"]


def test_return_failures_does_not_widen_a_tolerance() -> None:
    run = gathering("a", "b", "c", tolerate=1, return_failures=True)
    run.fail(1, "one")
    run.fail(2, "two")
    run.complete(3)

    assert str(result_of(run)).startswith("raised")


def test_a_cancel_of_the_run_is_raised_whatever_is_tolerated() -> None:
    run = gathering("a", "b", return_failures=True)
    run.cancel()
    run.complete(1)
    run.complete(2)

    assert str(result_of(run)).startswith("raised Cancelled")


# --- max_parallel ----------------------------------------------------------------------------------------------------


def throttled(members: Sequence[str], **options: Any) -> MemoryRun:
    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(*(workflow.activity(step, label=name) for name in members), **options)

    return probe(body)


def test_max_parallel_holds_members_back_and_lets_one_go_for_each_that_settles() -> None:
    run = throttled("abcde", max_parallel=2)
    assert labels(run.start()) == ["a", "b"]
    assert labels(run.complete(2)) == ["c"]
    assert labels(run.complete(1)) == ["d"]
    assert labels(run.complete(3)) == ["e"]
    assert run.complete(4) == []
    run.complete(5)

    assert run.machine.finished is not None


def test_max_parallel_holds_back_coroutines_too() -> None:
    async def branch(workflow: ProbeWorkflow, name: str) -> None:
        for number in (1, 2):
            await workflow.activity(step, label=f"{name}{number}")

    async def body(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(*(branch(workflow, name) for name in "abc"), max_parallel=1)

    run = probe(body)
    asked = labels(run.start())
    for seq in range(1, 7):
        asked += labels(run.complete(seq))

    assert asked == ["a1", "a2", "b1", "b2", "c1", "c2"]


def test_max_parallel_is_kept_when_a_member_settles_as_it_begins() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        waits = workflow.wait_for(lambda: True)
        steps = [workflow.activity(step, label=name) for name in "abc"]
        return await workflow.gather(waits, *steps, max_parallel=2)

    assert labels(probe(body).start()) == ["a", "b"]


def test_a_failure_keeps_held_back_members_from_ever_beginning() -> None:
    run = throttled("abcd", max_parallel=2)
    run.start()
    run.begin(1)
    run.begin(2)

    assert run.fail(1) == []
    assert run.complete(2) == []
    assert run.machine.finished is not None


def test_a_tolerated_failure_lets_the_next_member_begin() -> None:
    run = throttled("abc", max_parallel=1, tolerate=1)
    run.start()

    assert labels(run.fail(1)) == ["b"]


def test_a_held_back_member_does_not_begin_when_the_run_is_cancelled() -> None:
    run = throttled("abcd", max_parallel=1, return_failures=True)
    run.start()
    run.begin(1)
    run.cancel()

    assert run.complete(1) == []
    assert run.machine.finished is not None
    assert run.machine.finished.cancelled


@pytest.mark.parametrize("end", ["time_out", "fail"])
def test_a_held_back_member_does_not_begin_once_a_failure_has_left_the_code(end: str) -> None:
    """SEMANTICS A4: it stops new commands, though each step that is given up makes room for another."""
    run = throttled("abcdef", max_parallel=2, return_failures=True)
    run.start()

    commands = run.time_out() if end == "time_out" else run.signal("fail", why="no")

    assert commands == [CancelStep(1, "flows.step"), CancelStep(2, "flows.step")]
    assert run.machine.finished is not None


@pytest.mark.parametrize("handle", ["started", "settled"])
def test_max_parallel_with_a_handle_is_refused_at_the_call(handle: str) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        begun = workflow.start(step, label="a")
        if handle == "settled":
            await begun
        try:
            workflow.gather(begun, workflow.activity(step, label="b"), max_parallel=1)
        except ValueError as refusal:
            return str(refusal)
        return "accepted"

    run = probe(body)
    run.start()
    if handle == "settled":
        run.complete(1)

    assert "max_parallel" in result_of(run)


# --- Options that make no sense --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "error"), [
    ({"tolerate": "1"}, TypeError),
    ({"tolerate": 1.0}, TypeError),
    ({"tolerate": True}, TypeError),
    ({"tolerate": -1}, ValueError),
    ({"min_successful": "1"}, TypeError),
    ({"min_successful": -1}, ValueError),
    ({"min_successful": 3}, ValueError),
    ({"max_parallel": 0}, ValueError),
    ({"max_parallel": None, "return_failures": "yes"}, TypeError),
    ({"max_parallel": [1]}, TypeError),
    ({"return_failures": 1}, TypeError),
])  # fmt: skip
def test_options_of_a_wrong_type_or_size_raise_at_the_call(options: dict[str, Any], error: type[Exception]) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        members = [workflow.activity(step, label=name) for name in "ab"]
        try:
            workflow.gather(*members, **options)
        except error as refusal:
            return str(refusal)
        return "accepted"

    run = probe(body)

    assert run.start() == []
    assert str(result_of(run)).startswith("gather: ")


def test_options_are_no_branch_names() -> None:
    """A member named like an option would be taken for the option: it is refused by its type."""

    async def body(workflow: ProbeWorkflow) -> Any:
        try:
            await workflow.gather(tolerate=workflow.activity(step, label="a"))  # type: ignore[arg-type]
        except TypeError as refusal:
            return str(refusal)

    run = probe(body)
    run.start()

    assert run.machine.finished == Finished(result="gather: tolerate is a whole number, not a StepHandle")

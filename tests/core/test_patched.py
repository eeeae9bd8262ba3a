"""SEMANTICS E23: `patched` lets old runs keep the old way and new runs take the new one, and each replays."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.flows import ProbeWorkflow, labels, other_step, probe, step, undo_step
from tests.core.memory import MemoryRun
from workflows import NonDeterminismError
from workflows.core.commands import MarkPatch
from workflows.core.events import EventKind
from workflows.core.machine import Finished


async def old(workflow: ProbeWorkflow) -> Any:
    await workflow.activity(step, label="first")
    return await workflow.activity(step, label="old way")


async def patched(workflow: ProbeWorkflow) -> Any:
    await workflow.activity(step, label="first")
    if workflow.patched("second-step"):
        return await workflow.activity(other_step, label="new way")
    return await workflow.activity(step, label="old way")


def begun(body: Any) -> MemoryRun:
    """A run of this code under one name: what is begun later replaces what was."""
    body.__name__ = "deployed"
    run = probe(body)
    run.start()
    return run


def test_a_run_that_reaches_the_change_with_the_new_code_is_marked_and_takes_the_new_way() -> None:
    run = begun(patched)

    commands = run.complete(1)

    assert commands[0] == MarkPatch("second-step")
    assert labels(commands) == ["new way"]
    assert run.events[-2].kind == EventKind.PATCH_MARKED


def test_a_run_that_took_the_new_way_replays() -> None:
    run = begun(patched)
    run.complete(1)
    run.complete(2, "done")

    assert run.replayed().finished == Finished(result="done")


def test_an_old_run_that_passed_the_change_keeps_the_old_way() -> None:
    run = begun(old)
    run.complete(1)
    begun(patched)

    machine = run.replayed()

    assert [handle.command.args["label"] for handle in machine.open_steps if handle.command] == ["old way"]


def test_an_old_run_that_has_not_reached_the_change_takes_the_new_way() -> None:
    run = begun(old)
    begun(patched)
    run.machine = run.replayed()

    assert labels(run.complete(1)) == ["new way"]
    assert run.replayed().violation is None


def test_the_answer_is_kept_for_the_whole_run() -> None:
    """A loop does not change its way in the middle, on replay or later."""

    async def first_code(workflow: ProbeWorkflow) -> None:
        for number in range(4):
            await workflow.activity(step, label=f"old {number}")

    async def second_code(workflow: ProbeWorkflow) -> None:
        for number in range(4):
            way = "new" if workflow.patched("loop") else "old"
            await workflow.activity(step, label=f"{way} {number}")

    run = begun(first_code)
    run.complete(1)
    begun(second_code)
    run.machine = run.replayed()

    assert labels(run.complete(2)) == ["old 2"]
    assert labels(run.complete(3)) == ["old 3"]
    assert EventKind.PATCH_MARKED not in {event.kind for event in run.events}
    assert run.replayed().finished is None


def test_a_marked_run_is_marked_once_however_often_it_asks() -> None:
    async def asking(workflow: ProbeWorkflow) -> Any:
        answers = [workflow.patched("a"), workflow.patched("a"), workflow.patched("b")]
        await workflow.activity(step, label="x")
        return [*answers, workflow.patched("a"), workflow.patched("b")]

    run = begun(asking)
    run.complete(1)

    assert [event.data["change"] for event in run.events if event.kind == EventKind.PATCH_MARKED] == ["a", "b"]
    assert run.machine.finished == run.replayed().finished == Finished(result=[True] * 5)


def test_two_changes_may_be_patched_one_after_the_other() -> None:
    async def twice(workflow: ProbeWorkflow) -> Any:
        await workflow.activity(step, label="first")
        if workflow.patched("third-step"):
            return await workflow.activity(undo_step, label="newest way")
        if workflow.patched("second-step"):
            return await workflow.activity(other_step, label="new way")
        return await workflow.activity(step, label="old way")

    ways = {}
    for name, code in (("old", old), ("patched", patched)):
        run = begun(code)
        run.complete(1)
        begun(twice)
        (handle,) = run.replayed().open_steps
        assert handle.command is not None
        ways[name] = handle.command.args["label"]

    assert ways == {"old": "old way", "patched": "new way"}
    assert labels(begun(twice).complete(1)) == ["newest way"]


def test_code_that_forgets_a_change_it_was_marked_for_is_a_mismatch() -> None:
    run = begun(patched)
    run.complete(1)

    async def cleaned_up_too_early(workflow: ProbeWorkflow) -> Any:
        await workflow.activity(step, label="first")
        return await workflow.activity(other_step, label="new way")

    begun(cleaned_up_too_early)

    with pytest.raises(NonDeterminismError) as mismatch:
        run.replayed()
    assert mismatch.value.expected == "patched second-step"


@pytest.mark.parametrize("change", ["", None, 7])
def test_a_change_has_a_name(change: Any) -> None:
    async def nameless(workflow: ProbeWorkflow) -> str:
        try:
            workflow.patched(change)
        except TypeError:
            return "refused"
        return "accepted"

    assert begun(nameless).machine.finished == Finished(result="refused")


def test_each_branch_may_ask_and_all_get_one_answer() -> None:
    async def branch(workflow: ProbeWorkflow, name: str) -> bool:
        await workflow.activity(step, label=name)
        return workflow.patched("branches")

    async def branching(workflow: ProbeWorkflow) -> Any:
        return await workflow.gather(branch(workflow, "a"), branch(workflow, "b"))

    run = begun(branching)
    run.complete(2)
    run.complete(1)

    assert run.machine.finished == run.replayed().finished == Finished(result=[True, True])

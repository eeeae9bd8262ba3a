"""Random workflows of nested branches, replayed from every prefix of their own history, take the same decisions.

A program is data: a list of steps, records, gathers of programs and attempts. The world answers each step in random
order with a result or a failure, and may cancel the run. Every commit is a place where a worker may have died.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core import memory
from tests.core.flows import BranchingWorkflow, other_step, step, undo_step
from tests.core.memory import MemoryRun
from workflows import ActivityFailed, Cancelled
from workflows.core.events import DECISIONS, STEP_OUTCOMES, EventKind
from workflows.core.machine import Machine
from workflows.core.replay import replay

Program = list[Any]

BOUNDED = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class RandomWorkflow(BranchingWorkflow):
    """Plays a program."""

    async def execute(self, program: Program) -> Any:
        return await self.play(program)

    async def play(self, program: Program) -> list[Any]:
        results: list[Any] = []
        for word, *rest in program:
            if word == "step":
                results.append(await self.activity(step, label=rest[0]))
            elif word == "gather":
                results += await self.gather(*(self.play(branch) for branch in rest[0]))
            elif word == "try":
                results += await self.attempt(rest[0])
            elif word == "side_effect":
                results.append(await self.side_effect(lambda: "recorded"))
            elif word == "undo":
                self.add_compensation(undo_step, label=rest[0])
            elif word == "draw":
                drawn = [str(self.uuid4()), self.random().random(), self.now().isoformat()]
                self.track("drawn", drawn)
            elif word == "raise":
                raise ValueError("the code gives up")
        return results

    async def attempt(self, program: Program) -> list[Any]:
        """Catches what happens inside, a cancel too, and tidies up with a step."""
        try:
            return await self.play(program)
        except (ActivityFailed, Cancelled, ValueError):
            return [await self.activity(other_step, label="tidy")]


def programs() -> st.SearchStrategy[Program]:
    leaves = st.sampled_from([["step", "a"], ["step", "b"], ["side_effect"], ["undo", "u"], ["draw"], ["raise"]])

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lists = st.lists(inner, min_size=1, max_size=3)
        gathers = st.lists(lists, min_size=1, max_size=3).map(lambda branches: ["gather", branches])
        return gathers | lists.map(lambda program: ["try", program])

    return st.lists(st.recursive(leaves, grow, max_leaves=8), min_size=1, max_size=4)


#: Where a commit ended: how many events the history had.
Cuts = list[int]


def lived(program: Program, data: st.DataObject) -> tuple[MemoryRun, Cuts]:
    """A run of the program through a random world, to its end."""
    run = MemoryRun(RandomWorkflow, program=program)
    cuts = [0]
    run.start()
    cuts.append(len(run.events))
    cancelled = False
    while run.machine.finished is None:
        open_steps = run.machine.open_steps
        assert open_steps, "the code waits for nothing: it would never end"
        seq = data.draw(st.sampled_from([handle.command.seq for handle in open_steps if handle.command]))
        act = data.draw(st.sampled_from(["complete", "complete", "begin", "fail", "cancel"]))
        if act == "begin":
            run.begin(seq)
        elif act == "complete":
            run.complete(seq, f"result of {seq}")
        elif act == "fail":
            run.fail(seq, f"failure of {seq}")
        elif not cancelled and not run.machine.ended:
            cancelled = True
            run.cancel()
        cuts.append(len(run.events))
    return run, cuts


def standing(machine: Machine) -> tuple[Any, ...]:
    """Where a machine stands, as far as anybody can tell from outside."""
    steps = [
        (handle.command.seq, handle.command.name, handle.command.args, handle.started)
        for handle in machine.open_steps
        if handle.command is not None
    ]
    return steps, machine.finished, machine.next_seq, machine.ended, machine.cancel_delivered, machine.now


Decisions = list[tuple[str, dict[str, Any]]]


def live_on(run: MemoryRun, machine: Machine, cut: int) -> Decisions:
    """What a machine that stands at `cut` asks for, live, when the rest of the history reaches it."""
    asked: Decisions = []
    for event in run.events[cut:]:
        fact = None
        if event.kind == EventKind.STEP_STARTED:
            machine.note(event)
        elif event.kind == EventKind.FACT_DELIVERED:
            fact = run.events[event.data["of"] - 1]
        elif event.kind in STEP_OUTCOMES:
            fact = event
        if fact is not None:
            asked += [command.event() for command in machine.deliver(fact, at=event.at)]
    return asked


def recorded(run: MemoryRun, cut: int) -> Decisions:
    """What the history says was asked for after `cut`."""
    return [(event.kind, event.data) for event in run.events[cut:] if event.kind in DECISIONS]


@BOUNDED
@given(programs(), st.data())
def test_every_prefix_takes_the_same_decisions_with_the_same_numbers(program: Program, data: st.DataObject) -> None:
    run, cuts = lived(program, data)

    for cut in cuts:
        machine = run.replayed(run.events[:cut])
        assert live_on(run, machine, cut) == recorded(run, cut)
        assert standing(machine) == standing(run.machine)


@BOUNDED
@given(programs(), st.data())
def test_every_step_is_asked_for_once_and_settles_once(program: Program, data: st.DataObject) -> None:
    run, _ = lived(program, data)

    asked = [event.data["seq"] for event in run.events if event.kind == EventKind.STEP_SCHEDULED]
    ends = (EventKind.STEP_COMPLETED, EventKind.STEP_FAILED, EventKind.STEP_CANCELLED)
    settled = [event.data["seq"] for event in run.events if event.kind in ends]
    assert len(set(asked)) == len(asked)
    assert sorted(settled) == sorted(asked)


@BOUNDED
@given(programs(), st.data())
def test_a_step_that_has_begun_is_never_given_up(program: Program, data: st.DataObject) -> None:
    run, _ = lived(program, data)

    begun = {event.data["seq"] for event in run.events if event.kind == EventKind.STEP_STARTED}
    given_up = {event.data["seq"] for event in run.events if event.kind == EventKind.STEP_CANCELLED}
    assert not begun & given_up


@BOUNDED
@given(programs(), st.data())
def test_a_retry_stands_where_the_run_stood_before_its_failure(program: Program, data: st.DataObject) -> None:
    """The failure and the reaction to it are taken out; the failed step may be tried again."""
    run, cuts = lived(program, data)

    for fact in [told for told in run.events if told.kind == EventKind.STEP_FAILED]:
        reacted = run.events[: next(cut for cut in cuts if cut >= fact.position)]
        seq = fact.data["seq"]
        retry = memory.event(len(reacted) + 1, EventKind.RETRY_REQUESTED, failure=fact.position, seq=seq)
        before = run.replayed(run.events[: fact.position - 1])
        before.steps[seq].started = False

        machine, waiting = replay(RandomWorkflow.definition, run.info, run.input, [*reacted, retry])

        assert standing(machine) == standing(before)
        assert waiting == []


def test_the_programs_reach_every_kind_of_end() -> None:
    """A guard of the test itself: random worlds that only ever completed would prove little."""
    ends: set[str] = set()

    @BOUNDED
    @given(programs(), st.data())
    def collect(program: Program, data: st.DataObject) -> None:
        run, _ = lived(program, data)
        finished = run.machine.finished
        assert finished is not None
        ends.add("cancelled" if finished.cancelled else "failed" if finished.error else "completed")
        ends.update(_kinds(run.events))

    collect()

    assert {"completed", "failed", "cancelled", "StepCancelled", "CompensationAdded", "Tracked"} <= ends


def _kinds(events: Sequence[Any]) -> set[str]:
    return {str(event.kind) for event in events}
